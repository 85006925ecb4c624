"""The report of a small warehouse: what it shows, what it says where there is nothing, and that it needs nobody."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from include.clock import FixedClock
from include.config.markets import MARKETS
from include.forecasting import report_command
from include.forecasting.report_page import report_page
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.world import claim_world

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
FORECASTS = 400  # hours, the last 30 of which have not matured
NOW = START + FORECASTS * HOUR + timedelta(minutes=1)
REFUSED = "features are stale: <newest> as of 2024-03-17 & before"

INSERT_FORECAST = """
insert into ml.forecast (
    instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price, predicted_log_return,
    predicted_price, lower_price, upper_price, lower_price_95, upper_price_95, coverage, up_probability, model,
    drift_log_return, seasonal_log_return, predicted_volatility, lower_volatility, upper_volatility,
    lower_volatility_95, upper_volatility_95, volatility_model, ewma_volatility, har_volatility
) values (
    %(instrument_id)s, '1h', %(horizon)s, %(as_of)s, %(target_at)s, %(as_of)s, 60000, 0, 60000, 59000, 61000, 58000,
    62000, 0.8, 0.5, 'naive', 0.0001, 0.0001, %(volatility)s::float8, %(volatility)s::float8 * 0.7,
    %(volatility)s::float8 * 1.4, %(volatility)s::float8 * 0.5, %(volatility)s::float8 * 2, %(volatility_model)s,
    %(volatility)s::float8, %(volatility)s::float8
) returning forecast_id
"""
INSERT_SCORE = """
insert into ml.forecast_score (
    forecast_id, scored_at, actual_price, actual_log_return, error_log_return, absolute_error, naive_absolute_error,
    is_covered, is_covered_95, actual_volatility, is_volatility_covered, is_volatility_covered_95
) values (
    %(forecast_id)s, %(scored_at)s, %(actual)s, %(log_return)s, %(log_return)s, 1, 1, %(covered)s, %(covered_95)s,
    %(volatility)s, %(volatility_covered)s, %(volatility_covered)s
)
"""
INSERT_REFUSAL = """
insert into ml.refusal (
    instrument_id, timeframe, horizon_bars, target, reason_class, reason, refused_at, last_refused_at
) values (%s, '1h', 1, 'log_return', 'stale', %s, %s, %s)
"""
INSERT_ROLLBACK = """
insert into ml.promotion (decided_at, registered_model, target, decision, reason, decided_by, champion_before)
values (%s, 'recorded.binance.BTC-USDT.1h.24', 'log_return', 'rolled_back', 'it was <b>worse</b>', 'operator', '3')
"""


class Page(HTMLParser):
    """What is in a page: tables by caption, pictures, addresses that are not the page's own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.alternatives: list[str] = []
        self.outside: list[str] = []
        self._rows: list[list[str]] = []
        self._into: list[str] | None = None
        self._caption: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.outside += [
            value
            for name, value in attrs
            if name in {"src", "href"} and value and not value.startswith(("#", "data:image/svg+xml;base64,"))
        ]
        if tag == "img":
            self.alternatives.append(given["alt"] or "")
        elif tag == "table":
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")
            self._into = self._rows[-1]
        elif tag == "caption":
            self._caption = [""]
            self._into = self._caption

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "caption"}:
            self._into = None
        elif tag == "table":
            self.tables[self._caption[0]] = self._rows


def seal(connection: Connection, horizon: int, number: int) -> None:
    """One forecast of BTC, and its score where it has matured: every tenth outcome lies outside the 80 % interval."""
    as_of = START + number * HOUR
    volatility = 0.03 if horizon == 24 else None
    values: dict[str, Any] = {
        "instrument_id": ensure_instrument(connection, MARKETS[0]),
        "horizon": horizon,
        "as_of": as_of,
        "target_at": as_of + horizon * HOUR,
        "volatility": volatility,
        "volatility_model": "har" if volatility else None,
    }
    row = connection.execute(INSERT_FORECAST, values).fetchone()
    assert row is not None
    if number < FORECASTS - 30:
        actual = 61500 if number % 10 == 0 else 60000 + number % 7
        score = {
            "forecast_id": row[0],
            "scored_at": NOW,
            "actual": Decimal(actual),
            "log_return": float(np.log(actual / 60000)),
            "covered": actual <= 61000,
            "covered_95": True,
            "volatility": 0.031 if volatility else None,
            "volatility_covered": True if volatility else None,
        }
        connection.execute(INSERT_SCORE, score)


@pytest.fixture
def filled(writer: Connection) -> Connection:
    """Forecasts of one market at two horizons, most of them scored; the other market was refused."""
    with writer.transaction():
        claim_world(writer, "synthetic")
        for horizon in (1, 24):
            for number in range(FORECASTS):
                seal(writer, horizon, number)
        writer.execute(INSERT_REFUSAL, (ensure_instrument(writer, MARKETS[1]), REFUSED, NOW, NOW))
        writer.execute(INSERT_ROLLBACK, (NOW,))
    return writer


def test_empty_warehouse_says_what_is_not_there(reader: Connection) -> None:
    text = report_page(reader, NOW)
    assert "empty world, as of 2024-03-17 16:01 UTC" in text
    for said in (
        "No forecast was ever asked for here.",
        "No forecast is sealed yet.",
        "No forecast has matured yet.",
        "Volatility (loss: QLIKE): nothing is scored yet.",
        "No model was trained yet.",
    ):
        assert said in text
    page = Page(text)
    assert page.tables == {}
    assert page.alternatives == []


def test_page_of_a_warehouse(filled: Connection, reader: Connection) -> None:
    text = report_page(reader, NOW)
    page = Page(text)
    assert page.outside == []
    assert "<script" not in text
    assert "http://" not in re.sub(r"base64,[^\"]*", "", text)
    assert "prefers-color-scheme: dark" in text
    assert "SYNTHETIC DATA" in text

    states = page.tables["State of each market and horizon"]
    assert [row[:3] for row in states[1:]] == [
        ["binance BTC/USDT, +1 h", "served", "none"],
        ["binance BTC/USDT, +24 h", "served", "served"],
        ["binance ETH/USDT, +1 h", "refused", "refused"],
    ]
    assert states[3][3] == REFUSED, "a reason is shown as it is, and is no markup"
    assert "Refused now: 1 of 3" in text

    newest = page.tables["Newest sealed forecasts"][2]
    assert newest[:8] == [
        "binance BTC/USDT, +24 h", "2024-03-18 15:00", "60,000.00", "60,000.00", "59,000.00 to 61,000.00",
        "58,000.00 to 62,000.00", "50.0%", "naive (baseline)",
    ]  # fmt: skip
    assert newest[8:] == ["3.0%", "2.1% to 4.2%", "1.5% to 6.0%", "har (baseline)"]

    held = page.tables["Share of outcomes within the interval"]
    assert [row[:3] for row in held[1:]] == [
        ["binance BTC/USDT, +1 h", "price", "370"],
        ["binance BTC/USDT, +24 h", "price", "370"],
        ["binance BTC/USDT, +24 h", "volatility", "370"],
    ]
    assert held[1][3].startswith("90.0% [")
    assert held[1][4].startswith("100.0% [")
    assert held[3][3].startswith("100.0% [")

    returns = page.tables["Log returns (loss: squared error)"]
    assert {row[2] for row in returns[1:]} == {"random_walk", "drift", "seasonal_hour"}
    assert {row[3] for row in returns[1:]} == {"7 days", "30 days", "90 days", "all"}
    naive = next(
        row for row in returns if row[:4] == ["binance BTC/USDT, +1 h", "naive (baseline)", "random_walk", "all"]
    )
    assert naive[4:7] == ["370", "+0.00%", "fewer than 30 days"]
    assert {row[6] for row in returns[1:] if row[3] == "7 days"} == {"fewer than 30 days"}
    assert {row[2] for row in page.tables["Volatility (loss: QLIKE)"][1:]} == {"ewma", "har"}

    decisions = page.tables["The newest 40 decisions at most"]
    assert decisions[1][2] == "rolled back"
    assert decisions[1][-1] == "it was <b>worse</b> (by operator)"

    assert len(page.alternatives) == 3 + 6 + 3
    assert "336 forecasts, 2024-03-03" in page.alternatives[0]
    assert any("80% interval held 90.0% of 370" in each for each in page.alternatives)
    assert "volatility: skill: skill +0.00% against EWMA on 370 rows" in page.alternatives[-1]


def test_command_writes_the_page(warehouse: WarehouseDsns, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    report_command.add_arguments(parser)
    out = tmp_path / "new" / "report.html"
    options = parser.parse_args(["--out", str(out), "--dsn", warehouse.reader])
    assert report_command.run(options, {}, FixedClock(NOW)) == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert str(out) in capsys.readouterr().out


def test_command_without_a_warehouse_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    report_command.add_arguments(parser)
    assert report_command.run(parser.parse_args([]), {}, FixedClock(NOW)) == 2
    assert "the report could not be made" in capsys.readouterr().err
