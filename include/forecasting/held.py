"""A share of forecasts that did something, with its uncertainty where forecasts overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from include.forecasting.significance import FloatArray, variance_of_mean

_DEVIATIONS = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `count` forecasts, and its 95 % confidence interval."""

    share: float
    lower: float
    upper: float
    count: int

    def __str__(self) -> str:
        return f"{self.share:.1%} [{self.lower:.1%}, {self.upper:.1%}]"


def share_of(hits: FloatArray, horizon: int) -> Share | None:
    """Share of ones among zeros and ones in time order, of forecasts over `horizon` bars; None where there is none.

    Wilson's score interval (1927) on as many independent forecasts as the variance of the mean is worth (Newey and
    West): forecasts of a day made every hour share most of their outcome, and are worth fewer than there are.
    """
    known = hits[np.isfinite(hits)]
    count = len(known)
    if not count:
        return None
    share = float(known.mean())
    spread = share * (1.0 - share)
    apart = count / horizon  # forecasts that share no hour
    variance = variance_of_mean(known, horizon) if count > 1 else 0.0
    worth = min(float(count), max(1.0, spread / variance if variance > 0.0 else apart))
    z2 = _DEVIATIONS**2
    middle = (share + z2 / (2 * worth)) / (1 + z2 / worth)
    margin = _DEVIATIONS * math.sqrt(spread / worth + z2 / (4 * worth**2)) / (1 + z2 / worth)
    return Share(share, max(0.0, middle - margin), min(1.0, middle + margin), count)


def inside(actual: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """1 where the outcome lies within the bounds, 0 where it does not, NaN where either is not known."""
    known = np.isfinite(actual) & np.isfinite(lower) & np.isfinite(upper)
    return np.where(known, (lower <= actual) & (actual <= upper), np.nan)
