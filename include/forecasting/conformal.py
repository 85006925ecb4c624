"""Prediction intervals that cover a stated share of outcomes, from residuals the model was not fitted on.

Split-conformal with the residuals measured in units of present volatility: wide in a storm, narrow in a calm.
The share is promised on average over time as long as the future's residuals resemble the calibration's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from include.forecasting.significance import FloatArray

COVERAGE = 0.80
FEWEST_RESIDUALS = 100


class TooFewResidualsError(ValueError):
    """There are not enough residuals to calibrate an interval on."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-width of the interval around a forecast of a log return.

    multiple: half-width in units of volatility. typical_volatility: used where the present one is not known (NaN).
    """

    multiple: float
    typical_volatility: float
    residuals: int

    def half_width(self, volatility: FloatArray) -> FloatArray:
        """Half-widths in log-return units for rows of known or unknown volatility."""
        return self.multiple * usable(volatility, self.typical_volatility)


def usable(volatility: FloatArray, typical: float) -> FloatArray:
    """Volatility, with the typical one where it is unknown or zero (a price that stood still promises nothing)."""
    return np.where(np.isfinite(volatility) & (volatility > 0.0), volatility, typical)


def calibrate(residuals: FloatArray, volatility: FloatArray, coverage: float = COVERAGE) -> Interval:
    """Interval that would have covered `coverage` of these residuals, with the finite-sample correction.

    Raises TooFewResidualsError below FEWEST_RESIDUALS, or where no volatility is known.
    """
    known = volatility[np.isfinite(volatility) & (volatility > 0.0)]
    if len(residuals) < FEWEST_RESIDUALS or not len(known):
        raise TooFewResidualsError(
            f"{len(residuals)} residuals, {len(known)} with a known volatility; {FEWEST_RESIDUALS} are needed"
        )
    typical = float(np.median(known))
    scaled = np.sort(np.abs(residuals) / usable(volatility, typical))
    rank = min(len(scaled), math.ceil((len(scaled) + 1) * coverage))
    return Interval(float(scaled[rank - 1]), typical, len(scaled))


def covered(residuals: FloatArray, volatility: FloatArray, interval: Interval) -> float:
    """Share of residuals that lie within the interval."""
    return float((np.abs(residuals) <= interval.half_width(volatility)).mean())
