"""Purged walk-forward: every forecast that is judged was made by something fitted on outcomes known long before.

Rows are cut by the clock, never by row number, so a hole in the data cannot bring an outcome across a cut. Never
shuffled: a shuffled cut of overlapping horizons finds skill in a random walk (Lopez de Prado, 2018, chapter 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from include.forecasting.forecaster import Forecaster
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.times import to_datetime

# A quarter of hours is judged by one fit. Blocks begin at fixed times, so that a later training judges the same ones.
TEST_BARS = 2_160
# How far back a fit looks; markets of long ago behaved differently, and memory has a bound.
HISTORY_BARS = 26_280
# The first fit looks at this share of the rows, but needs no more than a year.
FIRST_TRAINING_SHARE = 0.25
LONGEST_FIRST_TRAINING = 8_760
FEWEST_TRAINING_ROWS = 1_000
FEWEST_TEST_ROWS = 500
# Time left out between the last outcome learned from and the first row judged; never less than the horizon.
FEWEST_EMBARGO_BARS = 24


class NotEnoughHistoryError(ValueError):
    """There are not enough rows to train on and to judge by; the message says how many there are."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers of one fit and of the block it is judged on.

    test_starts_at: as-of time of the first row judged (UTC). Every outcome in training was known an embargo before.
    """

    training: slice
    test: slice
    test_starts_at: datetime


def embargo_bars(horizon_bars: int) -> int:
    """Bars between the last known outcome of a training and the first row judged."""
    return max(horizon_bars, FEWEST_EMBARGO_BARS)


def folds(as_of: npt.NDArray[np.datetime64], horizon_bars: int, bar: timedelta) -> list[Fold]:
    """Cut rows known at `as_of` (UTC, rising) whose outcome is known `horizon_bars` later; blocks in time order.

    Raises NotEnoughHistoryError where fewer than FEWEST_TEST_ROWS rows could be judged.
    """
    if len(as_of) and not (np.diff(as_of) > np.timedelta64(0, "us")).all():
        raise ValueError("rows have to be in time order, each once")
    at = as_of.astype("datetime64[us]")
    length = np.timedelta64(bar).astype("timedelta64[us]")
    gap = (horizon_bars + embargo_bars(horizon_bars)) * length
    first_training = max(FEWEST_TRAINING_ROWS, min(int(len(at) * FIRST_TRAINING_SHARE), LONGEST_FIRST_TRAINING))
    found: list[Fold] = []
    if len(at) > first_training:
        first = int(np.searchsorted(at, at[first_training - 1] + gap))
        block = (at - np.datetime64(0, "us")) // (TEST_BARS * length)
        starts = [first, *(first + 1 + np.flatnonzero(np.diff(block[first:]))).tolist()] if first < len(at) else []
        for start, stop in zip(starts, [*starts[1:], len(at)], strict=True):
            oldest = int(np.searchsorted(at, at[start] - HISTORY_BARS * length))
            end = int(np.searchsorted(at, at[start] - gap, side="right"))
            # After a long hole there may be too little to learn from; such a block is not judged.
            if end - oldest >= FEWEST_TRAINING_ROWS:
                found.append(Fold(slice(oldest, end), slice(start, stop), to_datetime(at[start])))
    judged = sum(fold.test.stop - fold.test.start for fold in found)
    if judged < FEWEST_TEST_ROWS:
        raise NotEnoughHistoryError(
            f"{len(at)} rows leave {judged} to judge by after {FEWEST_TRAINING_ROWS} to train on; "
            f"at least {FEWEST_TEST_ROWS} are needed"
        )
    return found


def walk_forward(forecaster: Forecaster, rows: ForecastRows, cuts: list[Fold]) -> FloatArray:
    """Forecasts of the blocks that are judged, each by a fit on its fold's training; NaN for all other rows.

    Raises ValueError where a forecast is not finite: it could not have been served.
    """
    predicted = np.full(len(rows), np.nan)
    for fold in cuts:
        block = forecaster.fit(rows.part(fold.training).matured()).predict(rows.part(fold.test))
        if not np.isfinite(block).all():
            raise ValueError(
                f"{forecaster.name} made forecasts from {fold.test_starts_at:%Y-%m-%d} that are not finite"
            )
        predicted[fold.test] = block
    return predicted
