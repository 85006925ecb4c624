"""The price goes on as it did on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.forecasting.recipe import NothingToLearnError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target


@dataclass(frozen=True)
class FittedDrift:
    """mean: log return over the horizon."""

    mean: float

    def predict(self, rows: ForecastRows) -> FloatArray:
        """The mean for each row."""
        return np.full(len(rows), self.mean)


@dataclass(frozen=True)
class Drift:
    """Mean of the past outcomes."""

    name: str = "drift"
    target: Target = Target.LOG_RETURN

    def fit(self, past: ForecastRows) -> FittedDrift:
        """Raises NothingToLearnError without a row."""
        if not len(past):
            raise NothingToLearnError(f"{self.name}: no row to learn from")
        return FittedDrift(float(past.outcome.mean()))
