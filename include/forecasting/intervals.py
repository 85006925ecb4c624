"""Prediction intervals by online conformal calibration: as truths arrive, widths follow what they say.

A residual is measured in units of a scale that follows past volatility. Quantiles of these scores, old ones fading,
make the distribution; its intervals are then widened by what their coverage has lacked of late (adaptive conformal
inference: Gibbs and Candès, 2021; its integrator: Angelopoulos, Candès and Tibshirani, 2023, here a forgetting one).
That draws coverage back to the promise within weeks, whatever comes; it is no guarantee for any one quarter. A truth
counts once its horizon has ended, not before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from include.forecasting.calibration import CENTRAL, LEVELS, Calibration, Pending
from include.forecasting.scaling import scaling_of
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.tracker import CENTRAL_PLACES, LOG_LIMIT, MEDIAN_PLACE, Tracker, Widenings, beginning
from include.forecasting.volatility import COLUMNS, DAY_BARS

if TYPE_CHECKING:
    import pandas as pd

# Truths before the first bands.
FEWEST_RESIDUALS = 240
HOUR = timedelta(hours=1)

_DEPTHS = np.array([abs(NormalDist().inv_cdf(level)) for level in LEVELS])
_CENTRAL_DEPTHS = np.array([NormalDist().inv_cdf((1 + share) / 2) for share in CENTRAL])
# How much of each steered interval's widening a level gets: interpolated by normal quantile, level beyond the ends.
_SHARES = np.stack([np.interp(_DEPTHS, _CENTRAL_DEPTHS, unit) for unit in np.eye(len(CENTRAL))])


@dataclass(frozen=True)
class Bands:
    """Intervals and distribution of each row, in the target's unit; NaN where there are none yet.

    lower_80, upper_80, lower_95, upper_95: hold the forecast, and the 95 % interval holds the 80 % one.
    quantiles: (rows, levels) at LEVELS, rising; its columns at 0.1, 0.9, 0.025 and 0.975 are the intervals' ends.
    up_probability: share of the distribution above 0, interpolated; NaN for volatility.
    """

    lower_80: FloatArray
    upper_80: FloatArray
    lower_95: FloatArray
    upper_95: FloatArray
    quantiles: FloatArray
    up_probability: FloatArray


def walk(
    target: Target,
    horizon_bars: int,
    as_of: npt.NDArray[np.datetime64],
    outcome: FloatArray,
    predicted: FloatArray,
    volatility: pd.DataFrame,
    start: Calibration | None = None,
    *,
    bar: timedelta = HOUR,
) -> tuple[Bands, Calibration]:
    """Bands of each row from truths due by its as_of, and the state after the last row.

    as_of: rising, UTC. outcome: NaN where not known. predicted: NaN rows get no bands and teach nothing.
    volatility: columns COLUMNS of past volatility; a row without any takes the last one known.

    A truth is learned from in the first row at or after as_of + horizon; where its outcome is NaN then, it never is.
    The state holds the rows still pending. A next walk given rows from `start.since` on takes their outcomes from
    these rows (whose bands stay NaN: they have been walked) and goes on after `start.as_of`: walks in pieces give
    bit for bit what one walk gives. Rows that lack between the pieces are as if there had been none.
    Raises ValueError where `start` is of another kind of forecast, or a forecast is infinite or of no volatility.
    """
    state = start or beginning(target, horizon_bars)
    if (state.target, state.horizon_bars) != (target, horizon_bars):
        raise ValueError(f"a calibration of {state.target} {state.horizon_bars} bars ahead, not of this forecast")
    if np.isinf(predicted).any() or (target is Target.VOLATILITY and (predicted <= 0.0).any()):
        raise ValueError("forecasts have to be finite, and those of volatility above 0")
    microseconds = as_of.astype("datetime64[us]").astype(np.int64)
    first = 0 if state.as_of is None else int(np.searchsorted(microseconds, state.as_of, side="right"))
    at = microseconds.tolist()
    truths = [truth if math.isfinite(truth) else None for truth in outcome.tolist()]
    tracker = Tracker(_filled(state, dict(zip(at[:first], truths[:first], strict=True))))
    marks, forecasts = _marks(target, horizon_bars, volatility).tolist(), predicted.tolist()
    horizon = horizon_bars * (bar // timedelta(microseconds=1))

    made: dict[int, tuple[Pending, Widenings]] = {}
    bases: list[tuple[float, ...]] = []
    for place in range(first, len(at)):
        tracker.learn(at[place] - horizon)
        if marks[place] == marks[place]:
            tracker.see(marks[place])
        if forecasts[place] != forecasts[place]:
            continue
        forecast = tracker.forecast(at[place], forecasts[place], truths[place])
        if forecast is not None and tracker.truths >= FEWEST_RESIDUALS:
            made[place] = forecast
            bases.append(tracker.base)
    end = tracker.state(at[-1] if len(at) > first else state.as_of)
    return _bands(target, len(at), made, np.array(bases).reshape(len(made), len(LEVELS))), end


def _filled(state: Calibration, truths: Mapping[int, float | None]) -> Calibration:
    """The state with outcomes of pending rows that are known by now."""
    pending = tuple(
        replace(row, outcome=truths.get(row.as_of)) if row.outcome is None else row for row in state.pending
    )
    return replace(state, pending=pending)


def _marks(target: Target, horizon_bars: int, volatility: pd.DataFrame) -> FloatArray:
    """What the sizes of residuals go with; NaN where no past volatility is known.

    For returns: logarithm of the horizon's volatility, blended of the past ones. For volatilities: standard deviation
    of the logarithms of the past ones, since they are hard to forecast while they change.
    """
    values = volatility[list(COLUMNS)].to_numpy(np.float64)
    known = np.isfinite(values) & (values > 0.0)
    logs = np.log(np.where(known, values, 1.0))
    weights = np.where(known, np.array(scaling_of(target, horizon_bars).blend), 0.0)
    total = weights.sum(axis=1)
    weights /= np.where(total > 0.0, total, np.nan)[:, None]
    mean = (weights * logs).sum(axis=1)
    if target is Target.VOLATILITY:
        return np.asarray(np.sqrt((weights * np.square(logs - mean[:, None])).sum(axis=1)), dtype=np.float64)
    return np.asarray(mean + math.log(horizon_bars / DAY_BARS) / 2, dtype=np.float64)


def _bands(target: Target, rows: int, made: Mapping[int, tuple[Pending, Widenings]], bases: FloatArray) -> Bands:
    """Bands of the rows that have them: the whole distribution is widened as the intervals were."""
    quantiles = np.full((rows, len(LEVELS)), np.nan)
    up_probability = np.full(rows, np.nan)
    if made:
        places = np.array(list(made), dtype=np.int64)
        predicted = np.array([row.predicted for row, _ in made.values()])[:, None]
        scale = np.array([row.scale for row, _ in made.values()])[:, None]
        edges = np.array([row.edges for row, _ in made.values()])
        widenings = np.array([widening for _, widening in made.values()])
        middle = bases[:, [MEDIAN_PLACE]]
        residuals = scale * (middle + (bases - middle) * np.exp(widenings @ _SHARES))
        grid = predicted + residuals
        if target is Target.VOLATILITY:
            grid = predicted * np.exp(np.clip(residuals, -LOG_LIMIT, LOG_LIMIT))
        quantiles[places] = _nested(grid, edges)
        if target is Target.LOG_RETURN:
            up_probability[places] = _above_zero(quantiles[places])
    (below_80, above_80), (below_95, above_95) = (CENTRAL_PLACES[CENTRAL.index(share)] for share in (0.8, 0.95))
    return Bands(
        lower_80=quantiles[:, below_80].copy(),
        upper_80=quantiles[:, above_80].copy(),
        lower_95=quantiles[:, below_95].copy(),
        upper_95=quantiles[:, above_95].copy(),
        quantiles=quantiles,
        up_probability=up_probability,
    )


def _nested(grid: FloatArray, edges: FloatArray) -> FloatArray:
    """The grid, rising, with the intervals' edges at their levels."""
    for place, (below, above) in enumerate(CENTRAL_PLACES):
        lower, upper = edges[:, [2 * place]], edges[:, [2 * place + 1]]
        grid[:, :below] = np.minimum(grid[:, :below], lower)
        grid[:, below + 1 : above] = np.clip(grid[:, below + 1 : above], lower, upper)
        grid[:, above + 1 :] = np.maximum(grid[:, above + 1 :], upper)
        grid[:, [below]], grid[:, [above]] = lower, upper
    return np.sort(grid, axis=1)


def _above_zero(quantiles: FloatArray) -> FloatArray:
    """Share of each distribution above 0, linear between the levels and not beyond the outer ones."""
    levels, rows = np.array(LEVELS), np.arange(len(quantiles))
    left = np.clip((quantiles <= 0.0).sum(axis=1) - 1, 0, len(LEVELS) - 2)
    begins, ends = quantiles[rows, left], quantiles[rows, left + 1]
    share = np.clip(-begins / np.where(ends > begins, ends - begins, 1.0), 0.0, 1.0)
    return np.asarray(1.0 - levels[left] - share * (levels[left + 1] - levels[left]), dtype=np.float64)
