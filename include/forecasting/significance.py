"""Is one forecast better than another, or was it luck? Tests that know that forecast errors overlap.

A forecast over h bars made every bar shares h - 1 bars with the next one, so its errors are correlated and a plain
t test would find skill in noise. Variances of means are therefore estimated with Bartlett weights (Newey and West).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Fewer paired losses than this say nothing about a long-run variance.
FEWEST_PAIRS = 50


class TooFewForecastsError(ValueError):
    """There are not enough paired forecasts to judge by."""


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """Outcome of the test of equal accuracy.

    mean_gain: mean of (loss of the reference - loss of the candidate); positive: the candidate is better.
    statistic: mean_gain over its standard error, about standard normal where both are equally good.
    p_value: one-sided, against "the candidate is not better"; 1.0 where the two never differ.
    """

    mean_gain: float
    statistic: float
    p_value: float
    pairs: int


def bandwidth(count: int, horizon: int) -> int:
    """How many lags enter the long-run variance of `count` values of forecasts over `horizon` bars.

    Bartlett weights shrink with the lag, so twice the overlap keeps most of its correlation; for long series the
    bandwidth grows with the root of their length, as the errors' size is persistent as well.
    """
    return max(1, min(count - 1, max(2 * horizon, int(1.3 * math.sqrt(count)))))


def variance_of_mean(values: FloatArray, horizon: int) -> float:
    """Variance of the mean of a correlated series (Newey-West), never negative."""
    count = len(values)
    if count < 2:
        raise TooFewForecastsError(f"a variance needs 2 values at least, there are {count}")
    centred = values - values.mean()
    lags = bandwidth(count, horizon)
    long_run = float(centred @ centred)
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1)
        long_run += 2.0 * weight * float(centred[lag:] @ centred[:-lag])
    return max(0.0, long_run) / count**2


def diebold_mariano(reference_losses: FloatArray, candidate_losses: FloatArray, horizon: int) -> DieboldMariano:
    """Test whether the candidate's losses are smaller than the reference's, pair by pair in time order.

    The statistic is shrunk by the small-sample factor of Harvey, Leybourne and Newbold.
    Raises TooFewForecastsError below FEWEST_PAIRS pairs, ValueError for unequal lengths or values not finite.
    """
    if reference_losses.shape != candidate_losses.shape:
        raise ValueError(f"losses differ in shape: {reference_losses.shape} and {candidate_losses.shape}")
    gain = reference_losses - candidate_losses
    count = len(gain)
    if count < max(FEWEST_PAIRS, 2 * horizon):
        raise TooFewForecastsError(f"{count} paired forecasts over {horizon} bars are too few to compare")
    if not np.isfinite(gain).all():
        raise ValueError("losses have to be finite")
    mean = float(gain.mean())
    variance = variance_of_mean(gain, horizon)
    if variance == 0.0:
        # Every pair differs by the same amount; for equal forecasts that amount is zero and nothing was shown.
        statistic = math.copysign(math.inf, mean) if mean else 0.0
        return DieboldMariano(mean, statistic, 0.0 if mean > 0 else 1.0, count)
    small_sample = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = mean / math.sqrt(variance) * math.sqrt(max(0.0, small_sample))
    return DieboldMariano(mean, statistic, 1.0 - NormalDist().cdf(statistic), count)
