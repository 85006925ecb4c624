"""No column of the registry sees the future, and what would see it is found: planted leaks of every kind we know."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.features.blocks import BLOCK_BARS
from include.features.compute import compute_features
from include.features.registry import NAMES
from tests.unit.features.conftest import drawn_candles
from tests.unit.features.leaks import (
    DAY_SECONDS,
    FUTURES,
    Inputs,
    Leak,
    accused,
    find_leaks,
    split,
    telling_cuts,
    with_future,
)
from tests.unit.features.planted import HONEST, LEAKS, centred_window, next_bar, with_columns

NO_INDEX = pd.DataFrame({"day": [], "value": [], "published_at": []})


def published_at_odd_times(index: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """The same values, published at drawn times of their day: some on the hour, some days late and out of order."""
    random = np.random.default_rng(seed)
    delays = random.integers(1, DAY_SECONDS, len(index))
    on_the_hour = random.uniform(size=len(index)) < 0.2
    delays[on_the_hour] -= delays[on_the_hour] % 3600
    delays[7::40] += 3 * DAY_SECONDS  # seldom enough for a mean of 30 days to have its days
    return index.assign(published_at=index["day"] * DAY_SECONDS + delays)


def daily_index(first_day: int, days: int) -> pd.DataFrame:
    values = np.random.default_rng(4).integers(0, 101, days).astype(float)
    index = pd.DataFrame({"day": np.arange(first_day, first_day + days), "value": values})
    return published_at_odd_times(index.drop(index=range(40, 43)))


def recorded_hours(bitcoin: pd.DataFrame, fear_greed: pd.DataFrame, start: int, end: int) -> Inputs:
    candles = bitcoin.iloc[start:end].reset_index(drop=True)
    days = candles["bar"].iloc[[0, -1]] // 24
    near = fear_greed.loc[fear_greed["day"].between(days.iloc[0] - 60, days.iloc[1])]
    return Inputs(candles, published_at_odd_times(near.reset_index(drop=True)))


@pytest.fixture(scope="module")
def recorded_days(market_data_dir: Path, fear_greed: pd.DataFrame) -> Inputs:
    """Recorded days from 2018 on. Days have no outage in the record, so some are taken out: single ones and a month."""
    recorded = pd.read_parquet(market_data_dir / "binance" / "klines_1d" / "BTCUSDT.parquet").iloc[120:820]
    candles = recorded[["open", "high", "low", "close"]].assign(
        bar=recorded["open_time"] // (1000 * DAY_SECONDS),
        base_volume=recorded["volume"],
        taker_buy_base_volume=recorded["taker_buy_base"],
    )
    gone = [50, 51, 290, *range(400, 430)]
    candles = candles.reset_index(drop=True).drop(index=gone).reset_index(drop=True)
    return Inputs(candles, published_at_odd_times(fear_greed.iloc[:760]))


@pytest.fixture(scope="module")
def around_the_long_outage(bitcoin: pd.DataFrame, fear_greed: pd.DataFrame) -> Inputs:
    """January to mid March 2018: a hole of one hour, one of 33 hours that breaks the run, the first index value."""
    return recorded_hours(bitcoin, fear_greed, 60, 1700)


@pytest.fixture(scope="module")
def around_short_outages(bitcoin: pd.DataFrame, fear_greed: pd.DataFrame) -> Inputs:
    """Mid May to mid July 2018: holes of 10, 1 and 7 hours."""
    return recorded_hours(bitcoin, fear_greed, 3300, 4700)


@pytest.fixture(scope="module")
def drawn_hours() -> Inputs:
    candles = drawn_candles(first_bar=480_100, length=1300)
    return Inputs(candles, daily_index(19_940, 130))


@pytest.fixture(scope="module")
def drawn_days() -> Inputs:
    return Inputs(drawn_candles(first_bar=17_900, length=700, seed=8), daily_index(17_950, 600))


STRETCHES = [
    ("around_the_long_outage", "1h"),
    ("around_short_outages", "1h"),
    ("recorded_days", "1d"),
    ("drawn_hours", "1h"),
    ("drawn_days", "1d"),
]


def block_edges(inputs: Inputs) -> list[int]:
    first, last = inputs.candles["bar"].iloc[[0, -1]]
    edges = range(first - first % BLOCK_BARS + BLOCK_BARS, last, BLOCK_BARS)
    return [bar for edge in edges for bar in (edge - 1, edge)][:4]


@pytest.mark.parametrize(("stretch", "timeframe"), STRETCHES)
def test_no_column_of_the_registry_sees_the_future(
    stretch: str, timeframe: str, request: pytest.FixtureRequest
) -> None:
    inputs: Inputs = request.getfixturevalue(stretch)
    cuts = telling_cuts(inputs, timeframe, 20, also=block_edges(inputs))
    compute = partial(compute_features, timeframe=timeframe)
    assert find_leaks(compute, inputs, timeframe, cuts) == []
    assert set(NAMES) < set(compute(*inputs).columns)


def test_nor_does_an_update_of_the_newest_rows(around_short_outages: Inputs) -> None:
    bars = around_short_outages.candles["bar"]
    first = int(bars.iloc[-200])
    update = partial(compute_features, timeframe="1h", first_bar=first)
    cuts = [int(bar) for bar in bars.iloc[[-200, -199, -120, -47, -2]]]
    assert find_leaks(update, around_short_outages, "1h", cuts) == []


def test_every_column_moves_with_its_own_future(drawn_hours: Inputs) -> None:
    """A detector that compares nothing would find nothing: after the cut each column but the calendar's moves."""
    cut = split(drawn_hours, int(drawn_hours.candles["bar"].iloc[-300]), "1h")
    here = compute_features(*drawn_hours, "1h")
    moved: set[str] = set()
    for future in FUTURES:
        there = compute_features(*with_future(cut, future(cut, np.random.default_rng(1))), "1h")
        both = here.merge(there, on="bar", suffixes=("", "_there"))
        later = both.loc[both["bar"] > cut.bar]
        moved |= {name for name in NAMES if not later[name].equals(later[f"{name}_there"].rename(name))}
    calendar = {"hour_of_day", "day_of_week", "month"}
    assert moved == set(NAMES) - calendar


@pytest.fixture(scope="module", params=["1h", "1d"])
def found(request: pytest.FixtureRequest) -> list[Leak]:
    """What the detector says of the registry with leaks and honest columns beside it, over hours and over days."""
    if request.param == "1h":
        bitcoin, fear_greed = (request.getfixturevalue(name) for name in ("bitcoin", "fear_greed"))
        inputs = recorded_hours(bitcoin, fear_greed, 640, 1240)
    else:
        inputs = Inputs(drawn_candles(first_bar=17_900, length=400, seed=8), daily_index(17_950, 330))
    columns = partial(with_columns, columns=LEAKS + HONEST, timeframe=request.param)
    return find_leaks(columns, inputs, request.param, telling_cuts(inputs, request.param, 10))


@pytest.mark.parametrize("leak", [each.__name__ for each in LEAKS])
def test_a_planted_leak_is_found(found: list[Leak], leak: str) -> None:
    assert leak in accused(found)


def test_neither_an_honest_column_nor_one_of_the_registry_is_accused(found: list[Leak]) -> None:
    assert accused(found) <= {each.__name__ for each in LEAKS}


def test_each_future_finds_leaks(found: list[Leak]) -> None:
    assert {leak.future for leak in found} == {future.__name__.strip("_") for future in FUTURES}


def test_a_leak_is_told_with_the_rows_it_was_seen_in(drawn_hours: Inputs) -> None:
    bar = int(drawn_hours.candles["bar"].iloc[500])
    columns = partial(with_columns, columns=(next_bar, centred_window), timeframe="1h")
    leaks = find_leaks(columns, drawn_hours, "1h", [bar], FUTURES[:1])
    assert leaks == [Leak("next_bar", bar, bar, "none"), Leak("centred_window", bar - 11, bar, "none")]


def test_a_computation_that_does_not_repeat_itself_is_told(drawn_hours: Inputs) -> None:
    random = np.random.default_rng(0)

    def noisy(candles: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"bar": candles["bar"], "noise": random.normal(size=len(candles))})

    assert {(leak.column, leak.future) for leak in find_leaks(noisy, drawn_hours, "1h", [])} == {("noise", "as_it_was")}


def test_rows_that_appear_or_vanish_with_the_future_are_told(drawn_hours: Inputs) -> None:
    def without_the_last(candles: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
        return candles[["bar", "close"]].iloc[:-1]

    bar = int(drawn_hours.candles["bar"].iloc[500])
    assert find_leaks(without_the_last, drawn_hours, "1h", [bar], FUTURES[:1]) == [Leak("bar", bar, bar, "none")]


@pytest.mark.parametrize("future", FUTURES, ids=lambda future: future.__name__)
@pytest.mark.parametrize("place", [0, 700, 1298])
def test_a_future_leaves_what_is_known_as_it_is(drawn_hours: Inputs, future: Callable[..., Inputs], place: int) -> None:
    bar = int(drawn_hours.candles["bar"].iloc[place])
    cut = split(drawn_hours, bar, "1h")
    other = with_future(cut, future(cut, np.random.default_rng(5)))
    again = split(other, bar, "1h")
    pd.testing.assert_frame_equal(again.known.candles, cut.known.candles, check_exact=True)
    pd.testing.assert_frame_equal(
        again.known.fear_greed.reset_index(drop=True), cut.known.fear_greed.reset_index(drop=True)
    )
    assert not other.candles.equals(drawn_hours.candles) or future.__name__ == "reversed_"
    assert other.candles["bar"].is_monotonic_increasing
    assert other.fear_greed["day"].is_monotonic_increasing
    assert other.fear_greed["day"].is_unique


def test_a_future_that_touches_the_past_is_refused(drawn_hours: Inputs) -> None:
    cut = split(drawn_hours, int(drawn_hours.candles["bar"].iloc[10]), "1h")
    with pytest.raises(ValueError, match="after the cut"):
        with_future(cut, drawn_hours)


def test_candles_without_an_index_do_not_leak_either(drawn_days: Inputs) -> None:
    inputs = Inputs(drawn_days.candles.iloc[:200], NO_INDEX)
    compute = partial(compute_features, timeframe="1d")
    assert find_leaks(compute, inputs, "1d", telling_cuts(inputs, "1d", 6)) == []
