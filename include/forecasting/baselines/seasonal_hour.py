"""Each hour of the day as it was on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from include.forecasting.recipe import NothingToLearnError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target

HOURS = 24


@dataclass(frozen=True)
class FittedSeasonalHour:
    """means: log return over the horizon, by UTC hour in which it begins."""

    means: FloatArray

    def predict(self, rows: ForecastRows) -> FloatArray:
        """The mean of each row's hour."""
        return self.means[_hour(rows.as_of)]


@dataclass(frozen=True)
class SeasonalHour:
    """Plain mean, not shrunk, of the past outcomes of the same UTC hour; of all of them for an hour never seen."""

    name: str = "seasonal_hour"
    target: Target = Target.LOG_RETURN

    def fit(self, past: ForecastRows) -> FittedSeasonalHour:
        """Raises NothingToLearnError without a row."""
        if not len(past):
            raise NothingToLearnError(f"{self.name}: no row to learn from")
        hour = _hour(past.as_of)
        count = np.bincount(hour, minlength=HOURS)
        total = np.bincount(hour, weights=past.outcome, minlength=HOURS)
        return FittedSeasonalHour(np.where(count > 0, total / np.maximum(count, 1), past.outcome.mean()))


def _hour(as_of: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    return as_of.astype("datetime64[h]").astype(np.int64) % HOURS
