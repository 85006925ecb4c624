"""Fear & Greed at a candle's close: what was published, not what the day says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from include.features.fear_greed import DAY_SECONDS
from include.features.fear_greed import known_fear_greed as known_by_arrays
from include.indicators.windows import Array

FIRST = 20_000
TEN_MINUTES = 600


def index_of(values: dict[int, float], published: dict[int, int] | None = None) -> pd.DataFrame:
    """An index by day offset, each value published ten minutes into its day unless said otherwise."""
    times = {day: (FIRST + day) * DAY_SECONDS + TEN_MINUTES for day in values} | (published or {})
    rows = [(FIRST + day, value, times[day]) for day, value in values.items()]
    return pd.DataFrame(rows, columns=["day", "value", "published_at"])


def known_fear_greed(index: pd.DataFrame, closed_at: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, Array]:
    return known_by_arrays({str(name): index[name].to_numpy(np.float64) for name in index}, closed_at)


def at(day: float, seconds: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int((FIRST + day) * DAY_SECONDS) + seconds])


def value_at(index: pd.DataFrame, day: float, seconds: int = 0, column: str = "fear_greed") -> float:
    return float(known_fear_greed(index, at(day, seconds))[column][0])


def test_a_value_counts_from_its_publication_on() -> None:
    index = index_of({0: 30.0, 1: 70.0})
    assert math.isnan(value_at(index, 0, TEN_MINUTES - 1))
    assert value_at(index, 0, TEN_MINUTES) == 30.0
    assert value_at(index, 1) == 30.0
    assert value_at(index, 1, TEN_MINUTES - 1) == 30.0
    assert value_at(index, 1, TEN_MINUTES) == 70.0


def test_a_value_is_not_carried_on_for_ever() -> None:
    index = index_of({0: 30.0})
    assert value_at(index, 3, -1) == 30.0
    assert math.isnan(value_at(index, 3))


def test_means_end_with_the_newest_known_day() -> None:
    index = index_of({day: float(day) for day in range(40)})
    assert value_at(index, 35, 0, "fear_greed_7d") == sum(range(28, 35)) / 7, "day 35 is not out yet"
    assert value_at(index, 35, 3600, "fear_greed_7d") == sum(range(29, 36)) / 7
    assert value_at(index, 35, 3600, "fear_greed_30d") == sum(range(6, 36)) / 30


def test_one_missing_day_is_left_out_of_a_mean_and_two_are_too_many() -> None:
    values = {day: float(day) for day in range(20)}
    del values[15]
    assert value_at(index_of(values), 18, 3600, "fear_greed_7d") == (12 + 13 + 14 + 16 + 17 + 18) / 6
    del values[17]
    assert math.isnan(value_at(index_of(values), 18, 3600, "fear_greed_7d"))


def test_a_day_published_after_a_later_one_is_not_used() -> None:
    values = dict.fromkeys(range(10), 50.0) | {5: 0.0}
    late = index_of(values, {5: (FIRST + 7) * DAY_SECONDS})
    assert value_at(late, 6, -1) == 50.0, "day 5 was not out: day 4 holds"
    assert value_at(late, 8, 3600) == 50.0
    assert value_at(late, 8, 3600, "fear_greed_7d") == 50.0


def test_no_index_at_all() -> None:
    assert math.isnan(value_at(index_of({}), 1))


def test_what_is_published_later_changes_nothing() -> None:
    closes = np.arange(FIRST * DAY_SECONDS, (FIRST + 40) * DAY_SECONDS, 3600)
    values = {day: float(day % 13) for day in range(60)}
    before = known_fear_greed(index_of({day: v for day, v in values.items() if day < 40}), closes)
    after = known_fear_greed(index_of(values | {40: 0.0, 41: 100.0}), closes)
    for name, column in before.items():
        assert column.tobytes() == after[name].tobytes(), name
