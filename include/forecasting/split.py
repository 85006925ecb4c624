"""Cut a series of forecasts into past and hold-out, in time order, so that no outcome is on both sides.

Never shuffled: a shuffled cut of overlapping horizons finds skill in a random walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from include.forecasting.times import to_datetime

# Half a year of hours; enough for the tests of significance, and short enough to be about the present.
HOLDOUT_BARS = 4_320
HOLDOUT_SHARE = 0.25
FEWEST_HOLDOUT_ROWS = 500
FEWEST_TRAINING_ROWS = 1_000

# Bars beyond the horizon that are left out between past and hold-out.
EMBARGO_MARGIN_BARS = 24


class NotEnoughHistoryError(ValueError):
    """There are not enough rows to train on and to judge by; the message says how many there are."""


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the two sides; rows between them are in neither.

    holdout_start: as-of time of the first row held out; every outcome in training was known before it.
    """

    training: slice
    holdout: slice
    holdout_start: datetime


def embargo_bars(horizon: int) -> int:
    """How many bars lie between the last training row and the hold-out; never less than the horizon."""
    return horizon + EMBARGO_MARGIN_BARS


def split(as_of: npt.NDArray[np.datetime64], horizon: int, bar: timedelta) -> Split:
    """Cut rows known at `as_of` (UTC, rising) whose outcome is known `horizon` bars later.

    The hold-out is the newest HOLDOUT_BARS bars of time, at most HOLDOUT_SHARE of the rows. Times count, not row
    numbers, so a hole in the data cannot bring an outcome across the cut.
    Raises NotEnoughHistoryError where either side would be too small.
    """
    if len(as_of) and not (np.diff(as_of) > np.timedelta64(0, "s")).all():
        raise ValueError("rows have to be in time order, each once")
    held_rows = int(len(as_of) * HOLDOUT_SHARE)
    if held_rows < FEWEST_HOLDOUT_ROWS:
        raise NotEnoughHistoryError(
            f"{len(as_of)} rows; at least {int(FEWEST_HOLDOUT_ROWS / HOLDOUT_SHARE)} are needed to train and judge"
        )
    length = np.timedelta64(bar)
    start = max(as_of[-held_rows], as_of[-1] - (HOLDOUT_BARS - 1) * length)
    first_held = int(np.searchsorted(as_of, start))
    end_of_training = int(np.searchsorted(as_of, start - embargo_bars(horizon) * length))
    if end_of_training < FEWEST_TRAINING_ROWS or len(as_of) - first_held < FEWEST_HOLDOUT_ROWS:
        raise NotEnoughHistoryError(
            f"{end_of_training} rows to train on and {len(as_of) - first_held} to judge by; "
            f"at least {FEWEST_TRAINING_ROWS} and {FEWEST_HOLDOUT_ROWS} are needed"
        )
    return Split(slice(0, end_of_training), slice(first_held, len(as_of)), to_datetime(as_of[first_held]))
