"""The checks of stored features on a real warehouse: silent on sound data, and each planted fault is named."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from crypto_market.operators.checks import CrossCheckIndicatorsOperator, FeatureRangesOperator, FeatureRowsOperator
from include.candles.model import Candle
from include.candles.timeframes import step
from include.config.markets import MARKETS, Market
from include.features.blocks import whole_memory_bars
from include.features.registry import NAMES
from include.features.upsert import upsert_features
from include.features_check import offenders
from include.features_check.rules import column_bounds, presences, row_checks
from include.features_check.second_opinion import second_opinion
from include.metrics import emit
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
NAME = f"{MARKET.key} 1h"


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


def put(
    connection: Connection, candles: list[Candle], market: Market = MARKET, timeframe: str = "1h",
    recorded_at: datetime = KNOWN,
) -> None:  # fmt: skip
    known = {"source": "test", "world": "recorded", "recorded_at": recorded_at}
    upsert_candles(connection, ensure_instrument(connection, market), timeframe, candles, **known)


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


def value(connection: Connection, column: str, at: datetime = LAST) -> float:
    """A stored value of the first market's hours."""
    answer = connection.execute(
        f"select {column} from features.candle_feature where instrument_id = 1 and timeframe = '1h' and opened_at = %s",
        (at,),
    ).fetchone()
    assert answer is not None
    return float(answer[0])


def forget(connection: Connection, table: str, condition: str) -> None:
    connection.execute(f"delete from {table} where instrument_id = 1 and timeframe = '1h' and {condition}")


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the checks that were counted as failed."""
    counted: list[str] = []
    monkeypatch.setattr(emit, "count", lambda name, check: counted.append(f"{name} {check}"))
    return counted


def test_sound_data_pass_every_check(healthy: Connection) -> None:
    for full in (False, True):
        ranges(full_check=full).execute({})
        rows(full_check=full).execute({})
        assert cross(full_check=full).execute({}) == {"series": 3, "values": 3 * 24 * 18}


def test_an_empty_warehouse_passes_too(warehouse: object, airflow_at: Callable[[str], None]) -> None:
    airflow_at("http://127.0.0.1:9")
    ranges().execute({})
    rows().execute({})


def test_values_outside_their_bounds_are_named(healthy: Connection, failures: list[str]) -> None:
    change(healthy, "rsi_14", 140.5)
    change(healthy, "stoch_rsi_k", -0.25)
    change(healthy, "macd", math.nan, LAST - HOUR)
    change(healthy, "atr_14", math.inf, LAST - 2 * HOUR)
    change(healthy, "log_return", -math.inf, LAST - 3 * HOUR)
    change(healthy, "adx_14", 100 * (1 + 1e-12), LAST - 4 * HOUR)  # rounding
    change(healthy, "rsi_14", -1, OLD)
    assert error(ranges()) == [
        "5 values outside the bounds of their columns",
        f"{NAME} 2024-03-03 11:00Z rsi_14 = 140.5, allowed from 0 to 100",
        f"{NAME} 2024-03-03 11:00Z stoch_rsi_k = -0.25, allowed from 0 to 1",
        f"{NAME} 2024-03-03 10:00Z macd = nan, allowed any finite number",
        f"{NAME} 2024-03-03 09:00Z atr_14 = inf, allowed from 0 to inf",
        f"{NAME} 2024-03-03 08:00Z log_return = -inf, allowed any finite number",
    ]
    assert set(failures) == {
        f"crypto.check.failures {name}"
        for name in ("rsi_14.max", "stoch_rsi_k.min", "macd.max", "atr_14.max", "log_return.min")
    }
    assert error(ranges(full_check="true"))[-1] == f"{NAME} 2024-01-02 16:00Z rsi_14 = -1.0, allowed from 0 to 100"


def test_a_flood_is_counted_and_its_beginning_shown(healthy: Connection) -> None:
    healthy.execute(
        "update features.candle_feature set taker_buy_share = 2 where timeframe = '1h' and opened_at > %s",
        (LAST - 30 * HOUR,),
    )
    lines = error(ranges())
    assert lines[0] == "60 values outside the bounds of their columns"
    assert len(lines) == 22
    assert lines[-1] == "... and 40 more"


@pytest.mark.parametrize("column", ["history_bars", "missing_bars_30d"])
def test_a_row_without_its_quality_is_named(healthy: Connection, column: str) -> None:
    change(healthy, column, None)
    assert [line for line in error(rows()) if column in line.split(": ")[-1]]


def test_a_null_after_warm_up_is_named_whatever_the_column(
    healthy: Connection, failures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offenders, "AT_MOST", 1000)
    # Hours apart, as one is another's evidence; windows of days first, which the hole of January is out of reach of.
    spoilt = {
        each.name: LAST - 16 * place * HOUR
        for place, each in enumerate(sorted(presences(), key=lambda each: not each.allowance))
        if each.name not in {"history_bars", "missing_bars_30d"}
    }
    for column, at in spoilt.items():
        change(healthy, column, None, at)
    found = {line.split()[2] + line.split()[3]: line.rsplit(": ", 1)[1] for line in error(rows())[1:]}
    for column, at in spoilt.items():
        assert found.get(f"{at:%Y-%m-%d%H:%MZ}") == column
    assert failures == ["crypto.check.failures no_null_after_warm_up"]


def test_null_in_warm_up_and_by_its_own_rule_is_none(healthy: Connection) -> None:
    first = START + 330 * HOUR  # of an unbroken run
    for column in ("rsi_14", "adx_14", "macd_signal"):
        change(healthy, column, None, first + 13 * HOUR)
    assert error(rows(full_check=True)) == []
    change(healthy, "rsi_14", None, first + 14 * HOUR)
    assert error(rows(full_check=True))[1:] == [
        f"{NAME} 2024-01-15 08:00Z no_null_after_warm_up: NULL where history_bars = 14: rsi_14"
    ]


def test_a_market_at_rest_is_no_fault(healthy: Connection) -> None:
    """At first, for days, between single moves, and with ranges but no close that moves."""
    moving = walk(BARS, seed=9)
    resting = []
    for place, candle in enumerate(moving):
        if place < 100 or place % 300 > 200 or place in range(600, 640):
            price = resting[-1].close if resting else Decimal(100)
            candle = Candle(candle.opened_at, price, price, price, price, Decimal(0))
        elif place in range(700, 800):
            price = resting[-1].close
            candle = Candle(candle.opened_at, price, price + place % 3, price, price, Decimal(1))
        resting.append(candle)
    put(healthy, resting, MARKETS[2])
    upsert_features(healthy, KNOWN)
    nulls = healthy.execute(
        "select count(*) filter (where rsi_14 is null), count(*) filter (where stoch_rsi_d is null), "
        "count(*) filter (where bollinger_percent_b is null), count(*) filter (where adx_14 is null) "
        "from features.candle_feature where instrument_id = 3"
    ).fetchone()
    assert nulls is not None
    assert min(nulls) > 90
    assert error(ranges(full_check=True)) == []
    assert error(rows(full_check=True)) == []
    assert error(cross(full_check=True)) == []


def test_a_missing_row_and_one_too_many_are_named(healthy: Connection, failures: list[str]) -> None:
    forget(healthy, "features.candle_feature", "opened_at = '2024-03-01T05:00Z'")
    forget(healthy, "market.candle", "opened_at = '2024-03-02T06:00Z'")
    assert error(rows()) == [
        "2 broken rules of rows",
        f"{NAME} 2024-03-02 06:00Z candle_for_each_row: the feature row has no candle, nor has an archive that took it",
        f"{NAME} 2024-03-01 05:00Z row_for_each_candle: the candle has no feature row",
    ]
    assert failures == [f"crypto.check.failures {rule}" for rule in ("row_for_each_candle", "candle_for_each_row")]


def test_rows_of_archived_candles_stay_without_them(healthy: Connection) -> None:
    forget(healthy, "market.candle", "opened_at < '2024-02-01T00:00Z'")
    assert error(rows(full_check=True))[0].startswith("711 broken rules")
    healthy.execute(
        "insert into ops.archive_manifest (instrument_id, timeframe, month, path, row_count, first_opened_at, "
        "last_opened_at, file_sha256, content_sha256, archived_at, dropped_at) "
        "values (1, '1h', '2024-01-01', 'p', 711, %s, '2024-01-31T23:00Z', 'f', 'c', %s, %s)",
        (START, KNOWN, KNOWN),
    )
    assert error(rows(full_check=True)) == []


def test_rows_that_nobody_can_compute_anew_keep_what_they_have(healthy: Connection) -> None:
    """A later column is NULL and a late index value not joined where the candles of a row were dropped, no further."""
    forget(healthy, "market.candle", "opened_at < '2024-01-06T00:00Z'")
    healthy.execute(
        "insert into ops.archive_manifest (instrument_id, timeframe, month, path, row_count, first_opened_at, "
        "last_opened_at, file_sha256, content_sha256, archived_at, dropped_at) "
        "values (1, '1h', '2024-01-01', 'p', 120, %s, '2024-01-05T23:00Z', 'f', 'c', %s, %s)",
        (START, KNOWN, KNOWN),
    )
    first = datetime(2024, 1, 6, tzinfo=UTC) + whole_memory_bars("1h") * HOUR
    healthy.execute(
        "update features.candle_feature set month = null, fear_greed = null where instrument_id = 1 "
        "and timeframe = '1h' and opened_at < %s",
        (first,),
    )
    assert error(rows(full_check=True)) == []
    for column in ("month", "fear_greed"):
        change(healthy, column, None, first)
    assert error(rows(full_check=True)) == [
        "2 broken rules of rows",
        f"{NAME} {first:%Y-%m-%d %H:%MZ} index_is_joined: fear_greed = NULL, though a value had been published",
        f"{NAME} {first:%Y-%m-%d %H:%MZ} no_null_after_warm_up: NULL where history_bars = 720: month",
    ]
    healthy.execute("update ops.archive_manifest set dropped_at = null")
    assert int(error(rows(full_check=True))[0].split()[0]) > 1000


def test_a_stale_series_is_named_once_and_not_by_the_clock(healthy: Connection, failures: list[str]) -> None:
    forget(healthy, "features.candle_feature", "opened_at > '2024-03-01T05:00Z'")
    assert error(rows()) == [
        "1 broken rules of rows",
        f"{NAME} 2024-03-03 11:00Z rows_are_fresh: the newest candle has no feature row; newest row: 2024-03-01 05:00Z",
    ]
    assert failures == ["crypto.check.failures rows_are_fresh"]
    forget(healthy, "features.candle_feature", "true")
    assert error(rows())[1].endswith("the newest candle has no feature row; newest row: none")


def test_candles_that_no_run_has_dealt_with_yet_are_not_missed(healthy: Connection) -> None:
    put(healthy, walk(BARS + 3, seed=0), recorded_at=KNOWN + 3 * HOUR)
    assert error(rows()) == []
    assert error(cross()) == []
    upsert_features(healthy, KNOWN)
    assert error(rows()) == []


def test_bands_and_levels_out_of_order_are_named(healthy: Connection) -> None:
    middle, high = value(healthy, "bollinger_middle"), value(healthy, "high_7d")
    change(healthy, "bollinger_lower", middle + 1)
    change(healthy, "fibonacci_236", high + 1)
    lines = error(rows())
    assert lines[0] == "2 broken rules of rows"
    assert lines[1].startswith(f"{NAME} 2024-03-03 11:00Z bollinger_in_order: bollinger_lower = ")
    assert f"fibonacci_236 = {high + 1!r}, high_7d = {high!r}" in lines[2]


def test_an_index_value_that_was_not_joined_is_named(healthy: Connection) -> None:
    change(healthy, "fear_greed", None)
    assert error(rows())[1:] == [
        f"{NAME} 2024-03-03 11:00Z index_is_joined: fear_greed = NULL, though a value had been published"
    ]


def test_old_rows_that_were_written_of_late_are_checked(healthy: Connection) -> None:
    change(healthy, "rsi_14", -1, OLD)
    assert error(ranges()) == []
    for hours, lines in ((4, 0), (3, 2)):  # the runs of three hours
        healthy.execute(
            "update ops.change_range set recorded_at = %s where instrument_id = 1 and starts_at <= %s and ends_at > %s",
            (KNOWN - hours * HOUR, OLD, OLD),
        )
        assert len(error(ranges())) == lines


def test_a_series_whose_definition_is_forgotten_is_sound_again(healthy: Connection) -> None:
    change(healthy, "rsi_14", 140.5)
    forget(healthy, "features.candle_feature", "opened_at = '2024-03-01T05:00Z'")
    assert error(ranges())
    assert error(rows())
    forget(healthy, "features.definition", "true")
    assert upsert_features(healthy, KNOWN)[:3] == (1, 1, 1)
    assert error(ranges(full_check=True)) == error(rows(full_check=True)) == error(cross(full_check=True)) == []


def test_an_indicator_off_by_a_thousandth_is_named_whatever_the_column(
    healthy: Connection, failures: list[str]
) -> None:
    compared = [name for name in NAMES if name in second_opinion(*(np.arange(500.0) ** 0.5 + 1 for _ in range(3)))]
    assert len(compared) == 18
    spoilt = {}
    for place, column in enumerate(compared):
        at = LAST - place * HOUR
        held = value(healthy, column, at)
        spoilt[f"{NAME} {at:%Y-%m-%d %H:%MZ} {column}"] = held * 1.001 + 1e-9, held
        change(healthy, column, spoilt[f"{NAME} {at:%Y-%m-%d %H:%MZ} {column}"][0], at)
    lines = error(cross())
    assert lines[0] == "18 stored values differ from those of another library"
    for line in lines[1:]:
        what, numbers = line.split(" = ")
        stored, computed = (float(number) for number in numbers.split(", computed "))
        assert stored == spoilt[what][0]
        assert computed == pytest.approx(spoilt[what][1], rel=1e-6, abs=1e-9)
    assert failures == [f"crypto.check.failures cross_check.{column}" for column in sorted(compared)]


def test_rounding_is_no_disagreement_and_null_is_one(healthy: Connection) -> None:
    change(healthy, "rsi_14", value(healthy, "rsi_14") * (1 + 1e-9))
    assert error(cross()) == []
    change(healthy, "rsi_14", None)
    assert error(cross())[1].startswith(f"{NAME} 2024-03-03 11:00Z rsi_14 = NULL, computed ")


def test_a_warehouse_that_does_not_answer_is_no_fault_of_the_data(
    healthy: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    for operator in (ranges(), rows(), cross()):
        with pytest.raises(psycopg.OperationalError):
            operator.execute({})
