"""Is one forecast better than another, or was it luck? Tests that know that forecast errors overlap.

A forecast over h bars made every bar shares h - 1 bars with the next one, so its errors are correlated and a plain
t test would find skill in noise. Variances of means are therefore estimated with Bartlett weights (Newey and West,
1987) over a long bandwidth, and compared with Student's t of as many degrees of freedom as such an estimate has
(Lazarus, Lewis, Stock and Watson, 2018): the normal distribution would again find too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Fewer paired losses, or ones of fewer horizons, say nothing about a long-run variance.
FEWEST_PAIRS = 50
FEWEST_HORIZONS = 10
# Losses that differ by less, beside their size, do not differ.
ROUNDING = 1e-12


class TooFewForecastsError(ValueError):
    """There are not enough paired forecasts to judge by."""


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """Outcome of the test of equal accuracy.

    mean_gain: mean of (loss of the reference - loss of the candidate); positive: the candidate is better.
    statistic: mean_gain over its standard error, about Student's t where both are equally good; lowered where the
    gains owe much to storms being rare.
    p_value: one-sided, against "the candidate is not better"; 1.0 where the two never differ.
    """

    mean_gain: float
    statistic: float
    p_value: float
    pairs: int


def bandwidth(count: int, horizon: int) -> int:
    """How many lags enter the long-run variance of `count` values of forecasts over `horizon` bars.

    Bartlett weights shrink with the lag, so four times the overlap keeps most of its correlation; for long series the
    bandwidth grows with the root of their length, as the errors' size is persistent as well.
    """
    return max(1, min(count - 1, max(4 * horizon, int(1.3 * math.sqrt(count)))))


def variance_of_mean(values: FloatArray, horizon: int) -> float:
    """Variance of the mean of a correlated series (Newey-West), never negative."""
    count = len(values)
    if count < 2:
        raise TooFewForecastsError(f"a variance needs 2 values at least, there are {count}")
    centred = values - values.mean()
    lags = bandwidth(count, horizon)
    # Sums of products at every lag at once, by Fourier transform; as long as this, nothing wraps around.
    spectrum = np.fft.rfft(centred, 1 << (count + lags).bit_length())
    products = np.fft.irfft(np.square(np.abs(spectrum)))[: lags + 1]
    weights = 1.0 - np.arange(lags + 1) / (lags + 1)
    long_run = 2.0 * float((weights * products).sum()) - float(products[0])
    return max(0.0, long_run) / count**2


def degrees_of_freedom(count: int, horizon: int) -> float:
    """Of `variance_of_mean`: 3/2 of the series' length over the bandwidth, for Bartlett weights."""
    return 1.5 * count / bandwidth(count, horizon)


def critical_value(count: int, horizon: int, confidence: float) -> float:
    """How many standard errors a two-sided interval reaches to each side, e.g. about 1.96 for 0.95 and long series."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(degrees_of_freedom(count, horizon), 0.5 + confidence / 2))


def diebold_mariano(reference_losses: FloatArray, candidate_losses: FloatArray, horizon: int) -> DieboldMariano:
    """Test whether the candidate's losses are smaller than the reference's, pair by pair in time order.

    Diebold and Mariano (1995), with the small-sample factor of Harvey, Leybourne and Newbold (1997). A candidate that
    gains a little every calm day and loses much in a rare storm looks good until one comes: skewness of the gains may
    lower the statistic, never raise it.

    Raises TooFewForecastsError below FEWEST_PAIRS pairs or FEWEST_HORIZONS, ValueError for unequal lengths or values
    that are not finite.
    """
    from scipy.special import stdtr

    if reference_losses.shape != candidate_losses.shape:
        raise ValueError(f"losses differ in shape: {reference_losses.shape} and {candidate_losses.shape}")
    gain = reference_losses - candidate_losses
    count = len(gain)
    if count < max(FEWEST_PAIRS, FEWEST_HORIZONS * horizon):
        raise TooFewForecastsError(f"{count} paired forecasts over {horizon} bars are too few to compare")
    if not np.isfinite(gain).all():
        raise ValueError("losses have to be finite")
    if np.abs(gain).max() <= ROUNDING * np.abs(reference_losses).max():
        # The same forecasts, or as good as: what is left of the difference is how the losses were rounded.
        return DieboldMariano(0.0, 0.0, 1.0, count)
    mean = float(gain.mean())
    variance = variance_of_mean(gain, horizon)
    if variance == 0.0:
        # Every pair differs by the same amount.
        statistic = math.copysign(math.inf, mean)
        return DieboldMariano(mean, statistic, 0.0 if mean > 0 else 1.0, count)
    small_sample = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = mean / math.sqrt(variance) * math.sqrt(max(0.0, small_sample))
    statistic = min(statistic, _without_skewness(statistic, gain, horizon))
    return DieboldMariano(mean, statistic, float(stdtr(degrees_of_freedom(count, horizon), -statistic)), count)


def _without_skewness(statistic: float, gain: FloatArray, horizon: int) -> float:
    """The statistic freed of skewness (Hall, 1992), which is that of means over two horizons each."""
    length = 2 * horizon
    batches = len(gain) // length
    means = gain[len(gain) - batches * length :].reshape(batches, length).mean(axis=1)
    centred = means - means.mean()
    spread = float(np.square(centred).mean())
    if spread == 0.0:
        return statistic
    skewness = float((centred**3).mean()) / spread**1.5 / math.sqrt(batches)
    return float(statistic + skewness * statistic**2 / 3 + skewness**2 * statistic**3 / 27 + skewness / 6)
