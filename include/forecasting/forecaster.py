"""What every baseline and every model is: something fitted on the past that forecasts a target."""

from __future__ import annotations

from typing import Protocol

from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target


class Fitted(Protocol):
    """A forecaster that has learned; it never looks at `rows.outcome` again."""

    def predict(self, rows: ForecastRows) -> FloatArray:
        """One finite forecast per row in the target's unit (a log return, or a volatility above 0)."""


class Forecaster(Protocol):
    """A way to forecast one target: a baseline or a recipe for a model."""

    @property
    def name(self) -> str:
        """Short and stable, e.g. `drift` or `boosting`; stands in tables and in the registry."""

    @property
    def target(self) -> Target:
        """What it forecasts."""

    def fit(self, past: ForecastRows) -> Fitted:
        """Learn from rows whose outcome is known, in time order."""
