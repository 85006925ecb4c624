"""The checks of stored features on a real warehouse: silent on sound data, and each planted fault is named."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from crypto_market.operators.checks import CrossCheckIndicatorsOperator, FeatureRangesOperator, FeatureRowsOperator
from include.candles.model import Candle
from include.candles.timeframes import step
from include.config.markets import MARKETS, Market
from include.features.registry import NAMES
from include.features.upsert import upsert_features
from include.features_check.rules import column_bounds, row_checks
from include.venues.model import FearGreed
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
BARS = 1500
LAST = START + (BARS - 1) * HOUR
KNOWN = START + BARS * HOUR
OLD = START + 40 * HOUR  # long before what a run checks
MARKET = MARKETS[0]


def walk(length: int, timeframe: str = "1h", start: datetime = START, seed: int = 5) -> list[Candle]:
    """A random walk with a hole that indicators step over and one that they do not."""
    drawn, close, candles = random.Random(seed), 42_000.0, []
    for place in range(length):
        opened, close = close, close * math.exp(drawn.gauss(0, 0.01))
        prices = [opened, max(opened, close) * 1.002, min(opened, close) * 0.998, close]
        volume = Decimal(str(round(drawn.uniform(1, 900), 5)))
        at = start + place * step(timeframe)
        candles.append(Candle(at, *(Decimal(f"{price:.2f}") for price in prices), volume))
    return [*candles[:200], *candles[203:300], *candles[330:]]


def put(connection: Connection, candles: list[Candle], market: Market = MARKET, timeframe: str = "1h") -> int:
    instrument_id = ensure_instrument(connection, market)
    upsert_candles(connection, instrument_id, timeframe, candles, source="test", world="recorded", recorded_at=KNOWN)
    return instrument_id


@pytest.fixture
def healthy(writer: Connection, airflow_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A warehouse with two markets, hours and days, an index, and their features; what was written is long ago."""
    airflow_at("http://127.0.0.1:9")
    monkeypatch.delenv("MARKET_CLOCK_URL")
    for seed, market in enumerate(MARKETS[:2]):
        put(writer, walk(BARS, seed=seed), market)
    put(writer, walk(900, "1d", START - timedelta(days=840)), timeframe="1d")
    days = [START + timedelta(days=day) for day in range(-3, BARS // 24)]
    index = [FearGreed(day.date(), 20 + day.day, "Fear", day + timedelta(minutes=10)) for day in days]
    upsert_fear_greed(writer, index, source="test", world="recorded", recorded_at=KNOWN)
    upsert_features(writer, KNOWN)
    writer.execute("update features.definition set recorded_at = %s", (START,))
    writer.execute("update ops.change_range set recorded_at = %s", (START,))
    writer.execute(
        "insert into ops.change_range (dataset, starts_at, ends_at, recorded_at) values ('other', %s, %s, %s)",
        (LAST, KNOWN, KNOWN),
    )
    return writer


def ranges(**given: Any) -> FeatureRangesOperator:
    return FeatureRangesOperator(
        task_id="ranges", table="features.candle_feature", column_mapping=column_bounds(), **given
    )


def rows(**given: Any) -> FeatureRowsOperator:
    return FeatureRowsOperator(task_id="rows", table="features.candle_feature", checks=row_checks(), **given)


def cross(**given: Any) -> CrossCheckIndicatorsOperator:
    return CrossCheckIndicatorsOperator(task_id="cross", **given)


def error(operator: Any) -> list[str]:
    """Lines of the error that ends the task for good; none where the check passes."""
    try:
        operator.execute({})
    except AirflowFailException as failed:
        return str(failed).splitlines()
    return []


def change(connection: Connection, column: str, value: object, at: datetime = LAST) -> None:
    """Spoil one stored value of the first market's hours."""
    connection.execute(
        f"update features.candle_feature set {column} = %s where instrument_id = 1 and timeframe = '1h' "
        "and opened_at = %s",
        (value, at),
    )


def test_sound_data_pass_every_check(healthy: Connection) -> None:
    for full in (False, True):
        ranges(full_check=full).execute({})
        rows(full_check=full).execute({})
        assert cross(full_check=full).execute({}) == {"series": 3, "values": 3 * 24 * 18}
