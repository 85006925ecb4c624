"""`python -m include.cli forecasts`: what the data API says of forecasts, as tables and JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from include.clock import FixedClock
from include.serving import forecasts_command as command
from include.stack.postgres import PostgresCluster
from include.warehouse.connection import DSN_VARIABLE
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, serving
from tests.integration.served_world import FILLED, HOUR, START, filled

NOW = START + FILLED * HOUR + timedelta(minutes=30)
LATE = NOW + 5 * HOUR
HOURLY = ("--market", "binance:BTC/USDT", "--horizon", "PT1H")


@pytest.fixture(scope="module")
def dsn(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[str]:
    """Connection string (reader) of three days of hours with their forecasts."""
    with filled(cluster, warehouse_template) as (dsns, _):
        yield dsns.reader


def run(dsn: str, *arguments: str, now: datetime = NOW) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments), environ={DSN_VARIABLE: dsn}, clock=FixedClock(now))


def sections(text: str) -> dict[str, list[str]]:
    """Lines by title."""
    return {lines[0]: lines[1:] for lines in (part.splitlines() for part in text.split("\n\n"))}


def test_the_newest_forecasts_stand_beside_how_they_have_done(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dsn, *HOURLY) == 0
    told = sections(capsys.readouterr().out)
    assert list(told) == [
        "newest forecasts: answered",
        "outcomes inside the intervals, 90 days: answered",
        "skill over each baseline, 90 days: answered",
        "newest trainings, and who serves: answered",
    ]
    trust, _, forecast = told["newest forecasts: answered"]
    assert trust.startswith("  as of 2024-01-04 00:30 UTC, complete until 2024-01-04 00:00 UTC, 100.00 % complete")
    values = forecast.split()
    assert values[:7] == ["binance", "BTC/USDT", "1", "h", "2024-01-04", "01:00", "100.5"]
    assert values[-4:] == ["naive", "yes", "served", "-"]
    assert "ridge" in told["newest trainings, and who serves: answered"][-1]


def test_a_forecast_that_does_not_stand_has_no_numbers_and_ends_with_status_1(
    dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(dsn, *HOURLY, now=LATE) == 1
    lines = sections(capsys.readouterr().out)["newest forecasts: ABSTAINED"]
    assert [line for line in lines if line.startswith("  stale: the newest 1h candle of binance BTC/USDT")]
    assert not [line for line in lines if line.startswith("    ")]
    assert run(dsn, *HOURLY, "--untrusted", now=LATE) == 1
    row = sections(capsys.readouterr().out)["newest forecasts: ABSTAINED"][-1]
    assert "stale" in row
    assert "100.5" not in row
    assert run(dsn, "--from", "2024-01-03", "--to", "2024-01-03T12:00", now=LATE) == 0


def test_json_is_what_the_data_api_answers(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {
        "latest": ("forecasts/latest", {}),
        "calibration": ("calibration", {"window": "7 days"}),
        "scoreboard": ("scoreboard", {"window": "7 days"}),
        "models": ("models", {}),
    }
    with serving(dsn, NOW) as (client, _):
        answers = {
            name: client.get(f"{API}/{path}", params=params).json(parse_float=Decimal)
            for name, (path, params) in asked.items()
        }
        window = {"from": "2024-01-03T00:00:00Z", "to": "2024-01-03T12:00:00Z"}
        sealed = client.get(f"{API}/forecasts", params=window).json(parse_float=Decimal)
    assert run(dsn, "--window", "7 days", "--json") == 0
    told = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert {name: {**each, "next": None} for name, each in told.items()} == answers
    assert len(told["latest"]["data"]) == 2
    assert run(dsn, "--from", "2024-01-03", "--to", "2024-01-03T12:00", "--json") == 0
    told = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert {**told["forecasts"], "next": None} == sealed
    assert sealed["data"]


def test_what_could_not_be_asked_ends_with_status_2(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dsn, "--market", "binance:DOGE/USDT") == 2
    assert "no forecast is made of binance DOGE/USDT" in capsys.readouterr().err
