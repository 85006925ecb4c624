"""Candles drawn together for a chart: each bar is what its candles say, and there are never more than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from tests.integration.api import API, serving
from tests.integration.market_world import BTC, DAYS, HOLES, HOUR, NOW, START

FIGURES = ("opened_at", "open", "high", "low", "close", "base_volume")
Figures = tuple[datetime, Decimal, Decimal, Decimal, Decimal, Decimal]
ALL = {**BTC, "from": START.isoformat(), "untrusted": "true"}


@pytest.fixture(scope="module")
def client(market: WarehouseDsns) -> Iterator[TestClient]:
    with serving(market.reader, NOW) as (client, _):
        yield client


@pytest.fixture(scope="module")
def looking(market: WarehouseDsns) -> Iterator[Connection]:
    with connect(market.reader) as connection:
        yield connection


def bars(client: TestClient, **asked: Any) -> Any:
    answer = client.get(f"{API}/candles/chart", params={**ALL, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def held(looking: Connection) -> list[Figures]:
    columns = ", ".join(f"c.{name}" for name in FIGURES)
    text = f"select {columns} from market.candle as c join market.instrument as i using (instrument_id)"
    return looking.execute(f"{text} where i.venue = 'binance' order by c.opened_at").fetchall()


@pytest.mark.parametrize("points", [1, 2, 7, 50, 137, 959, 2000])
def test_a_bar_is_what_its_candles_say(client: TestClient, looking: Connection, points: int) -> None:
    drawn = bars(client, points=points)
    assert 1 <= len(drawn) <= points
    length = drawn[0]["bar_seconds"]
    assert length % 3600 == 0
    groups: dict[int, list[Figures]] = {}
    for candle in held(looking):
        groups.setdefault(int(candle[0].timestamp()) // length * length, []).append(candle)
    assert [
        {
            "opened_at": int(datetime.fromisoformat(bar["opened_at"]).timestamp()),
            **{name: bar[name] for name in ("open", "high", "low", "close", "volume", "candles", "bar_seconds")},
        }
        for bar in drawn
    ] == [
        {
            "opened_at": place,
            "open": float(group[0][1]),
            "high": float(max(candle[2] for candle in group)),
            "low": float(min(candle[3] for candle in group)),
            "close": float(group[-1][4]),
            "volume": float(sum(candle[5] for candle in group)),
            "candles": len(group),
            "bar_seconds": length,
        }
        for place, group in groups.items()
    ]


def test_no_bar_is_longer_than_it_has_to_be(client: TestClient) -> None:
    drawn = bars(client, points=DAYS * 24)
    assert drawn[0]["bar_seconds"] == 3600
    assert len(drawn) == DAYS * 24 - len(HOLES)
    assert {bar["candles"] for bar in drawn} == {1}


def test_digits_are_kept(client: TestClient, looking: Connection) -> None:
    content = client.get(f"{API}/candles/chart", params={**ALL, "points": 2}).content
    volume = sum(candle[5] for candle in held(looking))
    texts = [text.split(b",")[0].decode() for text in content.split(b'"volume":')[1:]]
    assert sum(map(Decimal, texts)) == volume
    assert orjson.loads(content)["completeness_percent"] < 100


def test_an_indicator_is_that_of_the_bars_last_candle(client: TestClient) -> None:
    features = client.get(
        f"{API}/features", params={"crypto": "BTC", "from": START.isoformat(), "untrusted": "true", "limit": 10_000}
    ).json()["data"]
    by_hour = {datetime.fromisoformat(row["opened_at"]): row["rsi_14"] for row in features}
    drawn = bars(client, points=100, indicators="rsi_14,sma_7")
    assert list(drawn[0])[-2:] == ["sma_7", "rsi_14"]
    for bar, following in pairwise(drawn):
        until = datetime.fromisoformat(following["opened_at"])
        last = max(hour for hour in by_hour if hour < until)
        assert bar["rsi_14"] == by_hour[last]
    assert drawn[-1]["rsi_14"] is not None
    assert "rsi_14" not in bars(client, points=1)[0]
    assert client.get(f"{API}/candles/chart", params={**ALL, "indicators": "secret"}).status_code == 422


def test_a_window_may_begin_within_a_bar_and_trust_is_the_candles(client: TestClient) -> None:
    asked = {**ALL, "from": (START + 199 * HOUR).isoformat(), "to": (START + 300 * HOUR).isoformat(), "points": 10}
    chart = client.get(f"{API}/candles/chart", params=asked).json()
    candles = client.get(
        f"{API}/candles", params={name: text for name, text in asked.items() if name != "points"}
    ).json()
    for name in ("verdict", "reasons", "complete_until", "completeness_percent"):
        assert chart[name] == candles[name]
    assert chart["verdict"] == "abstained"
    assert sum(bar["candles"] for bar in chart["data"]) == len(candles["data"]) == 98
    refused = client.get(f"{API}/candles/chart", params={**asked, "untrusted": "false"}).json()
    assert (refused["verdict"], refused["data"]) == ("abstained", [])
