"""The price stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target


@dataclass(frozen=True)
class RandomWalk:
    """No return is expected, whatever happened; it has nothing to learn."""

    name: str = "random_walk"
    target: Target = Target.LOG_RETURN

    def fit(self, past: ForecastRows) -> RandomWalk:
        """Itself."""
        return self

    def predict(self, rows: ForecastRows) -> FloatArray:
        """0 for each row."""
        return np.zeros(len(rows))
