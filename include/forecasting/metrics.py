"""How good point forecasts of log returns were: errors, skill over naive, and direction with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from include.forecasting.significance import FloatArray, variance_of_mean

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Direction:
    """Share of forecasts whose sign was right, with its confidence interval; 0.5 is a coin.

    Only forecasts that name a direction count, and only where the price moved.
    """

    accuracy: float
    lower: float
    upper: float
    count: int


@dataclass(frozen=True, slots=True)
class PointScores:
    """Errors in log-return units; the naive forecast says "no change".

    skill: 1 - (sum of squared errors) / (sum of naive's squared errors); 0 is naive, negative is worse than naive.
    direction: None where no forecast named a direction.
    """

    count: int
    mae: float
    rmse: float
    naive_mae: float
    naive_rmse: float
    skill: float
    direction: Direction | None


def squared_errors(actual: FloatArray, predicted: FloatArray | float) -> FloatArray:
    """The loss that models are fitted on and judged by: its best forecast is the expected return."""
    return np.square(actual - predicted)


def direction(actual: FloatArray, predicted: FloatArray, horizon: int) -> Direction | None:
    """How often the sign was right; the interval allows for overlapping horizons. None where there is no sign."""
    named = (predicted != 0.0) & (actual != 0.0)
    hits = (np.sign(predicted[named]) == np.sign(actual[named])).astype(np.float64)
    if len(hits) < 2:
        return None
    accuracy = float(hits.mean())
    margin = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * math.sqrt(variance_of_mean(hits, horizon))
    return Direction(accuracy, max(0.0, accuracy - margin), min(1.0, accuracy + margin), len(hits))


def point_scores(actual: FloatArray, predicted: FloatArray, horizon: int) -> PointScores:
    """Score forecasts of log returns over `horizon` bars, in time order.

    Raises ValueError where there is nothing to score, or where a value is not finite.
    """
    if not len(actual) or actual.shape != predicted.shape:
        raise ValueError(f"cannot score {predicted.shape} forecasts against {actual.shape} outcomes")
    if not (np.isfinite(actual).all() and np.isfinite(predicted).all()):
        raise ValueError("forecasts and outcomes have to be finite")
    mean_square = float(squared_errors(actual, predicted).mean())
    naive_mean_square = float(squared_errors(actual, 0.0).mean())
    return PointScores(
        count=len(actual),
        mae=float(np.abs(actual - predicted).mean()),
        rmse=math.sqrt(mean_square),
        naive_mae=float(np.abs(actual).mean()),
        naive_rmse=math.sqrt(naive_mean_square),
        skill=1.0 - mean_square / naive_mean_square if naive_mean_square else 0.0,
        direction=direction(actual, predicted, horizon),
    )
