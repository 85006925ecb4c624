"""How far off a forecast was, one figure each, smaller is better; on average nothing beats the true distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target

Loss = Callable[[FloatArray, FloatArray], FloatArray]

# A day whose price never moves has no volatility and no logarithm; a hundredth of a basis point stands for it.
VOLATILITY_FLOOR = 1e-6


def squared_error(actual: FloatArray, predicted: FloatArray) -> FloatArray:
    """Squared difference; the mean is the best forecast under it."""
    return np.square(actual - predicted)


def qlike(actual_volatility: FloatArray, predicted_volatility: FloatArray) -> FloatArray:
    """QLIKE of a variance: ratio - ln(ratio) - 1 of actual over predicted variance, 0 for a perfect forecast.

    It ranks forecasts rightly although the actual variance is measured with noise (Patton, 2011), and weighs calm and
    stormy days alike. Both in the same unit; neither counts as less than VOLATILITY_FLOOR.
    """
    actual = np.maximum(actual_volatility, VOLATILITY_FLOOR)
    ratio = np.square(actual / np.maximum(predicted_volatility, VOLATILITY_FLOOR))
    return np.asarray(ratio - np.log(ratio) - 1.0)


def loss_of(target: Target) -> Loss:
    """What forecasts of a target are compared by: loss(actual, predicted)."""
    return qlike if target is Target.VOLATILITY else squared_error


def pinball(actual: FloatArray, quantile_forecast: FloatArray, level: float | FloatArray) -> FloatArray:
    """Pinball loss of a forecast quantile (Koenker and Bassett, 1978), in the unit of `actual`; level in (0, 1)."""
    above = actual - quantile_forecast
    return np.asarray(np.maximum(level * above, (level - 1.0) * above))


def crps_from_quantiles(actual: FloatArray, quantile_forecasts: FloatArray, levels: npt.ArrayLike) -> FloatArray:
    """Continuous ranked probability score of each row, from quantiles, in the unit of `actual`.

    It is twice the pinball loss integrated over all levels (Laio and Tamea, 2007), here by the trapezoidal rule; the
    loss vanishes towards levels 0 and 1. quantile_forecasts: one row per value of `actual`, one column per level.
    Raises ValueError where the shapes do not fit or the levels do not rise within (0, 1).
    """
    grid = np.asarray(levels, dtype=np.float64)
    if quantile_forecasts.shape != (len(actual), len(grid)):
        raise ValueError(f"{len(actual)} rows and {len(grid)} levels, but quantiles of {quantile_forecasts.shape}")
    edges = np.concatenate([[0.0], grid, [1.0]])
    if not len(grid) or not (np.diff(edges) > 0).all():
        raise ValueError(f"levels have to rise within (0, 1): {grid}")
    weights = (edges[2:] - edges[:-2]) / 2.0
    return np.asarray(2.0 * pinball(actual[:, None], quantile_forecasts, grid) @ weights)
