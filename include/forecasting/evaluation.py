"""How a forecaster did on rows it had not seen: errors, distribution, direction and intervals, in calm and in storm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from include.forecasting.calibration import LEVELS, Calibration
from include.forecasting.intervals import Bands, walk
from include.forecasting.losses import crps_from_quantiles, loss_of, pinball
from include.forecasting.metrics import Direction, Skill, direction, skill
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import (
    DieboldMariano,
    FloatArray,
    TooFewForecastsError,
    diebold_mariano,
)
from include.forecasting.targets import Target
from include.forecasting.times import to_datetime

# By the last day's volatility beside that of the year before: its lowest third, its middle, its highest third.
REGIMES: tuple[str, ...] = ("calm", "normal", "storm")
REGIME_YEAR = timedelta(days=365)
FEWEST_ROWS_OF_A_REGIME_YEAR = 720

# The bounds that intervals are made of; their mean pinball loss tells how sharp and how well placed they are.
BOUNDS: tuple[float, ...] = (0.025, 0.1, 0.9, 0.975)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A forecaster against one reference: how much better, and whether that may be luck (one-sided p)."""

    skill: Skill
    test: DieboldMariano


@dataclass(frozen=True, slots=True)
class IntervalScores:
    """Of the rows that had intervals; widths, pinball loss and CRPS are means in the target's unit."""

    count: int
    coverage_80: float
    coverage_95: float
    width_80: float
    width_95: float
    pinball: float
    crps: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Scores of a set of rows in the target's unit.

    loss: mean of what decides: squared error for a return, QLIKE for volatility.
    intervals: None before enough truths were known to make any. direction: of returns; None where none was named.
    against: per reference, where there are enough rows to compare.
    """

    count: int
    mae: float
    rmse: float
    loss: float
    intervals: IntervalScores | None
    direction: Direction | None
    against: Mapping[str, Comparison]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one forecaster's walk-forward.

    first_as_of, last_as_of: of the rows judged (UTC). regimes: by name of REGIMES; rows of an unknown one are in none.
    judged: which of the rows were judged; `bands` are theirs. calibration: intervals' state after the last truth.
    """

    target: Target
    horizon_bars: int
    first_as_of: datetime
    last_as_of: datetime
    overall: Figures
    regimes: Mapping[str, Figures]
    judged: npt.NDArray[np.bool_]
    bands: Bands
    calibration: Calibration


def judged_rows(rows: ForecastRows, predictions: FloatArray) -> npt.NDArray[np.bool_]:
    """Rows with a forecast and a known outcome."""
    return np.isfinite(rows.outcome) & np.isfinite(predictions)


def evaluate(
    rows: ForecastRows, predictions: FloatArray, references: Mapping[str, FloatArray], bar: timedelta
) -> Evaluation:
    """Judge one forecast per row, NaN where there is none, against references' forecasts of the same rows.

    Raises ValueError where nothing is to be judged, or a reference has no forecast of a row that is.
    """
    judged = judged_rows(rows, predictions)
    if not judged.any():
        raise ValueError("there is no forecast with a known outcome to judge")
    held = rows.part(judged)
    predicted = predictions[judged]
    loss = loss_of(rows.target)
    losses = loss(held.outcome, predicted)
    of_references = {name: loss(held.outcome, values[judged]) for name, values in references.items()}
    bands, calibration = walk(
        rows.target, rows.horizon_bars, held.as_of, held.outcome, predicted, held.volatility, bar=bar
    )

    def figures(chosen: npt.NDArray[np.bool_]) -> Figures:
        outcome, forecast = held.outcome[chosen], predicted[chosen]
        compared = {
            name: compare(values[chosen], losses[chosen], rows.horizon_bars) for name, values in of_references.items()
        }
        return Figures(
            count=len(outcome),
            mae=float(np.abs(outcome - forecast).mean()),
            rmse=math.sqrt(float(np.square(outcome - forecast).mean())),
            loss=float(losses[chosen].mean()),
            intervals=interval_scores(outcome, bands, chosen),
            direction=direction(outcome, forecast, rows.horizon_bars) if rows.target is Target.LOG_RETURN else None,
            against={name: found for name, found in compared.items() if found},
        )

    regime = regimes(rows)[judged]
    return Evaluation(
        target=rows.target,
        horizon_bars=rows.horizon_bars,
        first_as_of=to_datetime(held.as_of[0]),
        last_as_of=to_datetime(held.as_of[-1]),
        overall=figures(np.ones(len(held), dtype=np.bool_)),
        regimes={
            name: figures(regime == place) for place, name in enumerate(REGIMES) if np.count_nonzero(regime == place)
        },
        judged=judged,
        bands=bands,
        calibration=calibration,
    )


def compare(reference_losses: FloatArray, losses: FloatArray, horizon_bars: int) -> Comparison | None:
    """Skill and its test; None where there are too few rows for one."""
    try:
        test = diebold_mariano(reference_losses, losses, horizon_bars)
    except TooFewForecastsError:
        return None
    return Comparison(skill(reference_losses, losses, horizon_bars), test)


def interval_scores(outcome: FloatArray, bands: Bands, chosen: npt.NDArray[np.bool_]) -> IntervalScores | None:
    """Coverage, width and losses of the chosen rows' intervals; `outcome` is that of the chosen rows alone."""
    known = np.isfinite(bands.lower_80[chosen])
    if not known.any():
        return None
    actual, quantiles = outcome[known], bands.quantiles[chosen][known]
    lower_80, upper_80 = bands.lower_80[chosen][known], bands.upper_80[chosen][known]
    lower_95, upper_95 = bands.lower_95[chosen][known], bands.upper_95[chosen][known]
    of_bounds = [pinball(actual, quantiles[:, LEVELS.index(level)], level) for level in BOUNDS]
    return IntervalScores(
        count=len(actual),
        coverage_80=float(((lower_80 <= actual) & (actual <= upper_80)).mean()),
        coverage_95=float(((lower_95 <= actual) & (actual <= upper_95)).mean()),
        width_80=float((upper_80 - lower_80).mean()),
        width_95=float((upper_95 - lower_95).mean()),
        pinball=float(np.mean(of_bounds)),
        crps=float(crps_from_quantiles(actual, quantiles, np.array(LEVELS)).mean()),
    )


def regimes(rows: ForecastRows) -> npt.NDArray[np.int64]:
    """Place in REGIMES of each row as known at its as-of time; -1 where the volatility or its year is not known."""
    import pandas as pd

    day = pd.Series(rows.volatility["day"].to_numpy(np.float64), index=pd.DatetimeIndex(rows.as_of))
    year = day.rolling(REGIME_YEAR, min_periods=FEWEST_ROWS_OF_A_REGIME_YEAR)
    low, high = year.quantile(1 / 3).to_numpy(), year.quantile(2 / 3).to_numpy()
    present = day.to_numpy()
    place = (present > low).astype(np.int64) + (present > high)
    return np.where(np.isfinite(present) & np.isfinite(low), place, -1)
