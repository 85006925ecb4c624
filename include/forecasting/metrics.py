"""How good point forecasts were: skill against a reference and direction, each with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from include.forecasting.held import share_of
from include.forecasting.significance import FloatArray, critical_value, variance_of_mean

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Skill:
    """1 - (mean loss) / (mean loss of the reference), with its 95 % interval; 0: no better, negative: worse."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Direction:
    """Share of forecasts whose sign was right, with its confidence interval; 0.5 is a coin.

    Only forecasts that name a direction count, and only where the price moved.
    """

    accuracy: float
    lower: float
    upper: float
    count: int


def skill(reference_losses: FloatArray, losses: FloatArray, horizon: int) -> Skill:
    """Skill of forecasts over `horizon` bars, pair by pair in time order.

    The interval is that of a ratio of means (delta method), with a variance that allows for overlap. A reference
    without any loss leaves no skill to win: 0.
    """
    reference = float(reference_losses.mean())
    if not reference:
        return Skill(0.0, 0.0, 0.0)
    value = 1.0 - float(losses.mean()) / reference
    influence = (reference_losses - losses - value * reference_losses) / reference
    margin = critical_value(len(losses), horizon, CONFIDENCE) * math.sqrt(variance_of_mean(influence, horizon))
    return Skill(value, value - margin, value + margin)


def direction(actual: FloatArray, predicted: FloatArray, horizon: int) -> Direction | None:
    """How often the sign was right; the interval allows for overlapping horizons. None where there is no sign."""
    named = (predicted != 0.0) & (actual != 0.0)
    hits = (np.sign(predicted[named]) == np.sign(actual[named])).astype(np.float64)
    if len(hits) < 2:
        return None
    accuracy = float(hits.mean())
    variance = variance_of_mean(hits, horizon)
    if variance == 0.0 and (worth := share_of(hits, horizon)):
        # All right or all wrong says nothing about its own variance.
        return Direction(accuracy, worth.lower, worth.upper, len(hits))
    margin = critical_value(len(hits), horizon, CONFIDENCE) * math.sqrt(variance)
    return Direction(accuracy, max(0.0, accuracy - margin), min(1.0, accuracy + margin), len(hits))
