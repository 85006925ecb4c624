"""Volatility as a blend of what it was over a day, a week and a month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.forecasting.baselines.ewma import known_volatility, usual_volatility
from include.forecasting.losses import VOLATILITY_FLOOR
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.threads import one_thread
from include.forecasting.volatility import WINDOWS

# Without rows to learn from the windows weigh alike; that counts as much as two days of rows, so that a market of a
# few days has a forecast as well.
PRIOR_ROWS = 48.0


@dataclass(frozen=True)
class FittedHar:
    """weights: of the constant, then of the logarithms of WINDOWS; factor: makes QLIKE least in sample.

    usual: what stands for a past volatility of which no column is known.
    """

    weights: tuple[float, ...]
    factor: float
    usual: float

    def predict(self, rows: ForecastRows) -> FloatArray:
        """Volatility over the horizon, above 0."""
        return np.asarray(self.factor * np.exp(_columns(rows, self.usual) @ np.array(self.weights)))


@dataclass(frozen=True)
class Har:
    """The heterogeneous autoregression (Corsi, 2009) in logarithms, by least squares.

    In logarithms it cannot fall below 0, and storms do not rule the fit. A column that is not known is taken from the
    nearest one that is.
    """

    name: str = "har"
    target: Target = Target.VOLATILITY

    def fit(self, past: ForecastRows) -> FittedHar:
        """Raises NothingToLearnError without a row."""
        usual = usual_volatility(past)
        columns = _columns(past, usual)
        actual = np.maximum(past.outcome, VOLATILITY_FLOOR)
        alike = np.array([0.0, *(1.0 / len(WINDOWS) for _ in WINDOWS)])
        with one_thread():
            gram = columns.T @ columns + PRIOR_ROWS * np.eye(len(alike))
            weights = alike + np.linalg.solve(gram, columns.T @ (np.log(actual) - columns @ alike))
            ratio = actual / np.exp(columns @ weights)
        return FittedHar(tuple(weights.tolist()), float(np.sqrt(np.mean(np.square(ratio)))), usual)


def _columns(rows: ForecastRows, usual: float) -> FloatArray:
    logs = [np.log(known_volatility(rows, name, usual)) for name in WINDOWS]
    return np.column_stack([np.ones(len(rows)), *logs])
