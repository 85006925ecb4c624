"""No outcome is on both sides of the cut, whatever holes the data has."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.forecasting.split import HOLDOUT_BARS, NotEnoughHistoryError, embargo_bars, split
from include.forecasting.times import to_array, to_datetime

HOUR = timedelta(hours=1)
START = np.datetime64("2023-01-01T00:00:00", "us")


def hours(numbers: np.ndarray) -> np.ndarray:
    return START + numbers.astype("timedelta64[h]").astype("timedelta64[us]")


def test_long_history_holds_out_the_newest_half_year() -> None:
    as_of = hours(np.arange(30_000))
    cut = split(as_of, 24, HOUR)
    assert len(as_of[cut.holdout]) == HOLDOUT_BARS
    assert len(as_of[cut.training]) == 30_000 - HOLDOUT_BARS - embargo_bars(24)
    assert to_array([cut.holdout_start])[0] == as_of[cut.holdout][0]
    assert as_of[cut.holdout][-1] == as_of[-1]


def test_short_history_holds_out_a_quarter() -> None:
    cut = split(hours(np.arange(4_000)), 1, HOUR)
    assert cut.holdout.stop - cut.holdout.start == 1_000


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 48), st.floats(0.0, 0.5))
def test_outcomes_of_training_are_known_before_the_hold_out(seed: int, horizon: int, holes: float) -> None:
    kept = np.random.default_rng(seed).random(9_000) >= holes
    as_of = hours(np.flatnonzero(kept))
    cut = split(as_of, horizon, HOUR)
    last_known = as_of[cut.training][-1] + np.timedelta64(horizon, "h")
    assert last_known < as_of[cut.holdout][0]
    assert as_of[cut.holdout][0] - as_of[cut.training][-1] > np.timedelta64(embargo_bars(horizon), "h")


@pytest.mark.parametrize("count", [0, 1, 1_999])
def test_too_little(count: int) -> None:
    with pytest.raises(NotEnoughHistoryError, match=f"{count} rows"):
        split(hours(np.arange(count)), 1, HOUR)


def test_horizon_that_leaves_nothing_to_train_on() -> None:
    with pytest.raises(NotEnoughHistoryError, match="to train on"):
        split(hours(np.arange(2_000)), 600, HOUR)


def test_a_hole_before_the_end_leaves_too_little_to_judge_by() -> None:
    numbers = np.concatenate([np.arange(5_000), 20_000 + np.arange(300)])
    with pytest.raises(NotEnoughHistoryError, match="300 to judge by"):
        split(hours(numbers), 1, HOUR)


def test_refuses_rows_out_of_order() -> None:
    with pytest.raises(ValueError, match="time order"):
        split(hours(np.arange(3_000))[::-1], 1, HOUR)


def test_times_go_and_come_back() -> None:
    at = to_datetime(START)
    assert at.isoformat() == "2023-01-01T00:00:00+00:00"
    assert to_array([at])[0] == START
    with pytest.raises(ValueError, match="no time zone"):
        to_array([at.replace(tzinfo=None)])
