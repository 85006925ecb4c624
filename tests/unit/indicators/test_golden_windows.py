"""Whole tables against the definitions: windows of the clock with their holes, levels, Fear & Greed, calendar, runs.

`compute_features` on recorded hours of 2018, whose outages of 1, 6, 33, 10, 1 and 7 hours lie in it, and on recorded
days. Sums here are exact and rounded once, so a mean is the published one to ROUNDING (1e-14); a logarithm of a price's
ratio loses what the ratio's rounding is of it (1e-12 of the column's median), as does a return near zero.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.features.compute import INDEX_COLUMNS, compute_features
from include.features.registry import NAMES
from include.indicators.run import run_indicators
from include.indicators.windows import Array
from tests.unit.indicators.golden import Columns, assert_agree, assert_published, by_definition
from tests.unit.indicators.published_windows import clock_mean, fibonacci, log_return, realised_volatility, seen

ROUNDING, QUOTIENT = 1e-14, 1e-12
OF_QUOTIENTS = ("change_percent", "log_return", "realised", "range_percent", "taker")
HOUR, DAY = 3600, 86_400
SECONDS = {"1h": HOUR, "1d": DAY}
STALE = 3 * DAY
SPAN = {"1h": ("2018-01-01", "2018-07-15"), "1d": ("2018-01-01", "2021-12-31")}
EVERY = {"1h": 13, "1d": 3}


@pytest.fixture(scope="session", params=["1h", "1d"])
def timeframe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def candles(market_data_dir: Path, timeframe: str) -> pd.DataFrame:
    """Recorded bitcoin; of the days one in fifty is taken out, and thirty in a row: the venue has them all."""
    recorded = pd.read_parquet(market_data_dir / "binance" / f"klines_{timeframe}" / "BTCUSDT.parquet")
    start, end = (pd.Timestamp(day, tz="UTC").value // 1_000_000 for day in SPAN[timeframe])
    recorded = recorded.loc[recorded["open_time"].between(start, end - 1)].reset_index(drop=True)
    if timeframe == "1d":
        recorded = recorded.loc[(recorded.index % 50 != 49) & ~recorded.index.isin(range(400, 430))]
    prices = recorded[["open", "high", "low", "close"]]
    return prices.assign(
        bar=recorded["open_time"] // (1000 * SECONDS[timeframe]),
        base_volume=recorded["volume"],
        taker_buy_base_volume=recorded["taker_buy_base"],
    ).reset_index(drop=True)


@pytest.fixture(scope="session")
def index(market_data_dir: Path) -> pd.DataFrame:
    """The recorded index; each day's value published up to 20 hours into the day."""
    recorded = pd.read_csv(market_data_dir / "alternative_me" / "fng_daily.csv")
    delay = np.random.default_rng(5).integers(0, 20 * HOUR, len(recorded))
    day = recorded["timestamp"] // DAY
    return pd.DataFrame({"day": day, "value": recorded["value"] * 1.0, "published_at": recorded["timestamp"] + delay})


@pytest.fixture(scope="session")
def table(candles: pd.DataFrame, index: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    return compute_features(candles, index, timeframe)


def by_bar(candles: pd.DataFrame, column: str) -> dict[int, Decimal]:
    return {int(bar): Decimal(float(value)) for bar, value in zip(candles["bar"], candles[column], strict=True)}


def windows_by_definition(candles: pd.DataFrame, timeframe: str) -> dict[str, list[Decimal | None]]:
    """Columns over the clock, at every so many rows."""
    high, low, close, volume = (by_bar(candles, column) for column in ("high", "low", "close", "base_volume"))
    taker = by_bar(candles, "taker_buy_base_volume")
    returns = {bar: change for bar in close if (change := log_return(close, bar)) is not None}
    columns: dict[str, list[Decimal | None]] = {}

    def add(name: str, value: Decimal | None) -> None:
        columns.setdefault(name, []).append(value)

    def bars_of(days: int) -> tuple[int, int]:
        """Length of a window and how many of its bars have to be there."""
        bars = days * DAY // SECONDS[timeframe]
        return bars, math.ceil(0.95 * bars)

    for bar in list(close)[:: EVERY[timeframe]]:
        before = close.get(bar - 1)
        add("change_percent", None if before is None else 100 * (close[bar] - before) / before)
        add("log_return", returns.get(bar))
        add("log_return_24h", log_return(close, bar, bars_of(1)[0]))
        add("log_return_7d", log_return(close, bar, bars_of(7)[0]))
        add("realised_volatility_24h", realised_volatility(returns, bar, *bars_of(1)))
        add("realised_volatility_7d", realised_volatility(returns, bar, *bars_of(7)))
        add("range_percent", 100 * (high[bar] - low[bar]) / close[bar])
        add("taker_buy_share", taker[bar] / volume[bar] if volume[bar] else None)
        for days in (7, 14, 30):
            add(f"sma_{days}", clock_mean(close, bar, *bars_of(days)))
            add(f"volume_avg_{days}d", clock_mean(volume, bar, *bars_of(days)))
        highs, lows = seen(high, bar, *bars_of(7)), seen(low, bar, *bars_of(7))
        highest, lowest = (max(highs), min(lows)) if highs and lows else (None, None)
        add("high_7d", highest)
        add("low_7d", lowest)
        levels = fibonacci(highest or Decimal(1), lowest or Decimal(1))
        for name, level in levels.items():
            add(f"fibonacci_{name}", level if highest else None)
        month = bars_of(30)[0]
        add("missing_bars_30d", Decimal(month - len(seen(close, bar, month, 0) or [])))
    return columns


def test_windows_of_the_clock(candles: pd.DataFrame, table: pd.DataFrame, timeframe: str) -> None:
    rows = table.iloc[:: EVERY[timeframe]]
    for name, column in windows_by_definition(candles, timeframe).items():
        expected = np.array([np.nan if value is None else float(value) for value in column])
        tolerance = QUOTIENT if name.startswith(OF_QUOTIENTS) else ROUNDING
        assert_agree(name, rows[name].to_numpy(), expected, tolerance)
        assert np.isfinite(expected).any(), name


@pytest.mark.parametrize("name", ["sma_7", "volume_avg_14d", "high_7d", "fibonacci_618", "realised_volatility_7d"])
def test_a_window_is_null_in_warm_up_and_after_an_outage(table: pd.DataFrame, name: str) -> None:
    """Else the comparison above would have compared nothing of the kind."""
    known = table[name].notna().to_numpy()
    first = int(np.argmax(known))
    assert first > 0
    assert known[first:].any()
    assert not known[first:].all()


def fear_greed_by_definition(index: pd.DataFrame, closed_at: int) -> dict[str, float]:
    """The newest day published by then, for three days from its beginning; its means may lack one day each."""
    known = index.loc[index["published_at"] <= closed_at].set_index("day")["value"]
    columns = dict.fromkeys(["fear_greed", "fear_greed_7d", "fear_greed_14d", "fear_greed_30d"], math.nan)
    if known.empty or closed_at - known.index.max() * DAY >= STALE:
        return columns
    newest = int(known.index.max())
    columns["fear_greed"] = float(known[newest])
    for days in (7, 14, 30):
        values = [float(known[day]) for day in range(newest - days + 1, newest + 1) if day in known.index]
        if len(values) >= days - 1:
            columns[f"fear_greed_{days}d"] = math.fsum(values) / len(values)
    return columns


def test_fear_and_greed_as_published(
    candles: pd.DataFrame, index: pd.DataFrame, table: pd.DataFrame, timeframe: str
) -> None:
    """Whole numbers: their means are the nearest float. The recorded index begins in February and lacks three days."""
    rows = range(0, len(candles), EVERY[timeframe])
    closes = (candles["bar"] + 1) * SECONDS[timeframe]
    expected = pd.DataFrame([fear_greed_by_definition(index, int(closes[row])) for row in rows])
    for name in expected.columns:
        np.testing.assert_array_equal(table[name].to_numpy()[:: EVERY[timeframe]], expected[name], err_msg=name)
    assert expected["fear_greed"].isna().any()
    assert expected["fear_greed_30d"].notna().any()


def test_the_calendar_is_that_of_the_open_time_in_utc(table: pd.DataFrame, timeframe: str) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    opened = [epoch + timedelta(seconds=int(bar) * SECONDS[timeframe]) for bar in table["bar"]]
    assert table["hour_of_day"].tolist() == [time.hour for time in opened]
    assert table["day_of_week"].tolist() == [time.isoweekday() for time in opened]
    assert table["month"].tolist() == [time.month for time in opened]


def indicators(table: pd.DataFrame, rows: slice) -> Columns:
    names = run_indicators(*(np.empty(0) for _ in range(3))).keys()
    return {name: table[name].to_numpy()[rows] for name in names}


def prices(candles: pd.DataFrame, rows: slice) -> tuple[Array, Array, Array]:
    high, low, close = (candles[name].to_numpy()[rows] for name in ("high", "low", "close"))
    return high, low, close


def runs(candles: pd.DataFrame) -> list[slice]:
    """Stretches of the table without a hole of more than 24 bars."""
    breaks = [0, *(np.flatnonzero(np.diff(candles["bar"]) > 25) + 1).tolist(), len(candles)]
    assert len(breaks) == 3
    return [slice(start, end) for start, end in pairwise(breaks)]


def test_blocks_do_not_show(candles: pd.DataFrame, table: pd.DataFrame) -> None:
    """Each block begins 768 bars early: what lies before has a share of (13/14)^768 = 1e-25 and no rounding is left.

    So the table is what one recursion over the whole run gives. Holes of up to 24 bars are stepped over: the run goes
    on with the next bar there is.
    """
    for run in runs(candles):
        assert_published(prices(candles, run), indicators(table, run), QUOTIENT, seed=13)


def test_an_outage_of_more_than_24_bars_begins_a_run_anew(candles: pd.DataFrame, table: pd.DataFrame) -> None:
    """Hours: Binance on 8 February 2018 from 01:00, 33 of them. As if the venue had opened after it."""
    after = runs(candles)[1]
    fresh = run_indicators(*prices(candles, after))
    for name, column in indicators(table, after).items():
        assert np.isnan(column[:11]).all(), name
        assert_agree(name, column, fresh[name], QUOTIENT)


def test_history_bars_count_from_the_beginning_of_the_run(candles: pd.DataFrame, table: pd.DataFrame) -> None:
    for run in runs(candles):
        bars = candles["bar"].tolist()[run]
        assert table["history_bars"].tolist()[run] == [min(bar - bars[0], 720) for bar in bars]


def test_a_hole_that_is_bridged_moves_no_bar_before_it_and_is_forgotten_after(
    candles: pd.DataFrame, table: pd.DataFrame, timeframe: str
) -> None:
    """Twenty bars taken out: afterwards the run goes on, never NULL, and 450 bars later is back to 1e-9."""
    last = len(candles) - 700
    hole = candles.drop(range(last - 20, last)).reset_index(drop=True)
    nothing = pd.DataFrame(columns=list(INDEX_COLUMNS), dtype=float)
    holed = compute_features(hole, nothing, timeframe)
    for name, column in indicators(table, slice(None)).items():
        values = holed[name].to_numpy()
        assert values[: last - 20].tobytes() == column[: last - 20].tobytes(), name
        assert not np.isnan(values[last - 20 :]).any(), name
        assert_agree(name, values[last + 430 :], column[last + 450 :], 1e-9)


def test_every_column_is_compared(candles: pd.DataFrame, timeframe: str) -> None:
    some = candles.iloc[:40]
    compared = {
        *windows_by_definition(some, timeframe),
        *by_definition(prices(some, slice(None))),
        *("fear_greed", "fear_greed_7d", "fear_greed_14d", "fear_greed_30d"),
        *("hour_of_day", "day_of_week", "month", "history_bars"),
    }
    assert compared == set(NAMES)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_the_ratios_are_powers_of_the_golden_one(power: int) -> None:
    golden = (math.sqrt(5) - 1) / 2
    levels = fibonacci(Decimal(1), Decimal(0))
    name = {1: "618", 2: "382", 3: "236"}[power]
    assert 1 - float(levels[name]) == pytest.approx(golden**power, abs=5e-4)
    assert 1 - float(levels["786"]) == pytest.approx(math.sqrt(golden), abs=5e-4)
