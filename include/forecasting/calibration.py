"""What online calibration has learned from the truths so far: small, plain, and the same after a trip through JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from include.forecasting.targets import Target
from include.forecasting.times import to_datetime

# Levels of the predictive distribution's quantiles: dense in the tails, where intervals end.
LEVELS: tuple[float, ...] = (
    *(0.005, 0.01, 0.025),
    *(round(0.05 + 0.025 * step, 3) for step in range(37)),
    *(0.975, 0.99, 0.995),
)
# Shares of the central intervals whose coverage is steered.
CENTRAL: tuple[float, ...] = (0.5, 0.8, 0.95)

# Scores (residuals in units of scale) are counted in bins that are even in asinh(score / BIN_FOCUS).
BINS = 240
BIN_FOCUS = 0.25
SCORE_LIMIT = 40.0
# Before any truth, scores are taken to be logistic with this scale (standard deviation about 0.9), worth this many.
PRIOR_SCALE = 0.5
PRIOR_TRUTHS = 48.0


def bin_edges() -> tuple[float, ...]:
    """The BINS + 1 edges of the bins of scores, rising; scores beyond the first and last count in the outer bins."""
    reach = math.asinh(SCORE_LIMIT / BIN_FOCUS)
    return tuple(BIN_FOCUS * math.sinh(reach * (2 * place / BINS - 1)) for place in range(BINS + 1))


@dataclass(frozen=True, slots=True)
class Pending:
    """A forecast whose truth is not known yet.

    as_of: microseconds since the epoch, UTC. typical: size of residuals at the usual mark; departure: how far the
    row's mark was from it. scale: what its score is measured in. edges: lower and upper edge of each interval of
    CENTRAL, in the target's unit. outcome: where the rows of the walk held it although it was not due.
    """

    as_of: int
    predicted: float
    typical: float
    departure: float
    scale: float
    edges: tuple[float, ...]
    outcome: float | None


@dataclass(frozen=True)
class Calibration:
    """State after every truth that was due at `as_of`; the next walk goes on from here.

    as_of: microseconds since the epoch of the last row walked, UTC; None before the first.
    truths: how many have been learned from. histogram: their scores, the old ones fading, by bin.
    base: quantiles of the scores at LEVELS, as of the last refresh.
    excess: per interval of CENTRAL, misses beyond those promised so far. level: size of the latest scores.
    hours, weekdays: mean size of a score by UTC hour and weekday (Monday first) of as_of, in units of all.
    mark: how wild the market looked in the last row that knew: log of its volatility, or, where a volatility is
    forecast, how little its past volatilities agree. usual: long-run mean of marks. trend: fading sums of 1, mark, log
    size of a score, mark squared, and their product. slope: log-size per mark as of the last refresh.
    pending: rows not yet due, oldest first.
    """

    target: Target
    horizon_bars: int
    as_of: int | None
    truths: int
    histogram: tuple[float, ...]
    base: tuple[float, ...]
    excess: tuple[float, ...]
    level: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    mark: float | None
    usual: float
    trend: tuple[float, ...]
    slope: float
    pending: tuple[Pending, ...]

    @property
    def since(self) -> datetime | None:
        """Where the next walk's rows should begin (UTC), so that no truth is missed; None before the first walk."""
        if self.as_of is None:
            return None
        waiting = [row.as_of for row in self.pending if row.outcome is None]
        return to_datetime(np.datetime64(min([*waiting, self.as_of]), "us"))

    def as_json(self) -> dict[str, Any]:
        """Plain values json.dumps writes without loss."""
        plain = asdict(self)
        plain["target"] = str(self.target)
        plain["pending"] = [list(row.values()) for row in plain["pending"]]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Calibration:
        """The state that as_json() wrote. Raises KeyError, TypeError or ValueError where it is none."""
        pending = (
            Pending(as_of, predicted, typical, departure, scale, tuple(edges), outcome)
            for as_of, predicted, typical, departure, scale, edges, outcome in plain["pending"]
        )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        state = cls(**values | {"target": Target(plain["target"]), "pending": tuple(pending)})
        if (len(state.histogram), len(state.base), len(state.excess)) != (BINS, len(LEVELS), len(CENTRAL)):
            raise ValueError("a calibration of another version: its bins, levels or intervals are not these")
        return state
