"""Volatility stays at its exponentially weighted past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.forecasting.losses import VOLATILITY_FLOOR
from include.forecasting.recipe import NothingToLearnError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.volatility import usual_volatility

# What stands for a value that is not known, nearest memory first.
SUBSTITUTES: dict[str, tuple[str, ...]] = {
    "day": ("day", "week", "month", "ewma"),
    "week": ("week", "day", "month", "ewma"),
    "month": ("month", "ewma", "week", "day"),
    "ewma": ("ewma", "month", "week", "day"),
}


def known_volatility(rows: ForecastRows, column: str, otherwise: float) -> FloatArray:
    """A column of past volatility without a hole: the nearest other column where it is not known, then `otherwise`."""
    found = np.full(len(rows), np.nan)
    for name in SUBSTITUTES[column]:
        found = np.where(np.isfinite(found), found, rows.volatility[name].to_numpy(np.float64))
    return np.maximum(np.where(np.isfinite(found), found, otherwise), VOLATILITY_FLOOR)


@dataclass(frozen=True)
class FittedEwma:
    """usual: what it forecasts where no past volatility is known."""

    usual: float

    def predict(self, rows: ForecastRows) -> FloatArray:
        """The EWMA of the days that ended with each row, above 0."""
        return known_volatility(rows, "ewma", self.usual)


@dataclass(frozen=True)
class Ewma:
    """RiskMetrics' exponentially weighted variance of days, decay 0.94 (include/forecasting/volatility.py)."""

    name: str = "ewma"
    target: Target = Target.VOLATILITY

    def fit(self, past: ForecastRows) -> FittedEwma:
        """Raises NothingToLearnError without a row."""
        if not len(past):
            raise NothingToLearnError(f"{self.name}: no row to learn from")
        return FittedEwma(usual_volatility(past.outcome))
