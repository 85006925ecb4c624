"""Volatility as a blend of what it was over a day, a week and a month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.forecasting.baselines.ewma import known_volatility
from include.forecasting.recipe import NothingToLearnError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.threads import one_thread
from include.forecasting.volatility import WINDOWS, level, log_volatility, usual_volatility

# Without rows to learn from the windows weigh alike; that counts as much as two days of rows, so that a market of a
# few days has a forecast as well.
PRIOR_ROWS = 48.0


@dataclass(frozen=True)
class FittedHar:
    """weights: of the logarithms of WINDOWS; constant: in logarithms, with the factor that makes QLIKE least in sample.

    usual: what stands for a past volatility of which no column is known.
    """

    weights: tuple[float, ...]
    constant: float
    usual: float

    def predict(self, rows: ForecastRows) -> FloatArray:
        """Volatility over the horizon, above 0."""
        return np.asarray(np.exp(self.constant + _logs(rows, self.usual) @ np.array(self.weights)))


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
        if not len(past):
            raise NothingToLearnError(f"{self.name}: no row to learn from")
        usual = usual_volatility(past.outcome)
        logs, actual = _logs(past, usual), log_volatility(past.outcome, usual)
        alike = np.full(len(WINDOWS), 1.0 / len(WINDOWS))
        with one_thread():
            centred = logs - logs.mean(axis=0)
            beyond = actual - actual.mean() - centred @ alike
            gram = centred.T @ centred + PRIOR_ROWS * np.eye(len(alike))
            weights = alike + np.linalg.solve(gram, centred.T @ beyond)
            errors = actual - logs @ weights
        return FittedHar(tuple(weights.tolist()), float(np.log(level(errors))), usual)


def _logs(rows: ForecastRows, usual: float) -> FloatArray:
    """Logarithms of WINDOWS, one column each, without a hole."""
    known = np.column_stack([known_volatility(rows, name, usual) for name in WINDOWS])
    return log_volatility(known, known.max(axis=1, keepdims=True))
