"""Intervals without a model: quantiles of what came in the year before. What calibrated intervals have to beat."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from include.forecasting.significance import FloatArray

WINDOW = timedelta(days=365)
RENEWED_EVERY = timedelta(days=1)
FEWEST_OUTCOMES = 720


def historical_quantiles(
    as_of: npt.NDArray[np.datetime64], outcome: FloatArray, horizon: timedelta, levels: FloatArray
) -> FloatArray:
    """Quantiles of the outcomes of WINDOW that were known at each row's as-of time; one column per level.

    as_of: UTC, rising; outcome: NaN where not known. Renewed once a day of the clock. NaN while fewer than
    FEWEST_OUTCOMES are known.
    """
    found = np.full((len(as_of), len(levels)), np.nan)
    known = np.isfinite(outcome)
    known_at, values = as_of[known] + np.timedelta64(horizon), outcome[known]
    day = as_of.astype("datetime64[us]").astype(np.int64) // (RENEWED_EVERY // timedelta(microseconds=1))
    starts = np.flatnonzero(np.diff(day, prepend=np.int64(-1)))
    for start, stop in zip(starts, [*starts[1:], len(as_of)], strict=True):
        end = np.searchsorted(known_at, as_of[start], side="right")
        first = np.searchsorted(known_at, as_of[start] - np.timedelta64(WINDOW))
        if end - first >= FEWEST_OUTCOMES:
            found[start:stop] = np.quantile(values[first:end], levels)
    return found
