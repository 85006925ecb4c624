"""How well intervals kept their promise, by calendar quarter, and how wide they were beside quantiles of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from include.forecasting.calibration import CENTRAL
from include.forecasting.held import inside
from include.forecasting.historical import historical_quantiles
from include.forecasting.intervals import walk
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.tracker import CENTRAL_PLACES

BAR = timedelta(hours=1)
SHARES = (0.80, 0.95)
OVERALL_POINTS, QUARTER_POINTS = 0.02, 0.05
# A quarter that is judged has at least this many hours; the ends of a range may cut one short.
FEWEST_IN_QUARTER = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What one interval kept over all judged rows.

    worst_quarter: the calendar quarter's coverage that is farthest from `share`. width: mean, in the target's unit;
    relative_width: over the historical quantiles' mean width on the same rows. relative_score: likewise of the
    interval score (Gneiting and Raftery, 2007), which charges for misses too. historical_*: the coverage of those.
    """

    share: float
    count: int
    coverage: float
    worst_quarter: float
    width: float
    relative_width: float
    relative_score: float
    historical_coverage: float
    historical_worst_quarter: float

    @property
    def is_kept(self) -> bool:
        """Within OVERALL_POINTS overall and within QUARTER_POINTS in every quarter."""
        return (
            abs(self.coverage - self.share) <= OVERALL_POINTS and abs(self.worst_quarter - self.share) <= QUARTER_POINTS
        )


def kept(rows: ForecastRows, predicted: FloatArray, starts: np.datetime64, ends: np.datetime64) -> list[Kept]:
    """Walk through all rows and judge those of as_of within [starts, ends), UTC; one figure per share of SHARES."""
    bands, _ = walk(rows.target, rows.horizon_bars, rows.as_of, rows.outcome, predicted, rows.volatility)
    tails = [(1 - share) / 2 for share in SHARES]
    history = historical_quantiles(
        rows.as_of, rows.outcome, rows.horizon_bars * BAR, np.array([*tails, *(1 - tail for tail in tails)])
    )
    judged = (rows.as_of >= starts) & (rows.as_of < ends) & np.isfinite(rows.outcome) & np.isfinite(bands.lower_80)
    judged &= np.isfinite(history).all(axis=1)
    outcome, quarters = rows.outcome[judged], rows.as_of[judged].astype("datetime64[M]").astype(np.int64) // 3
    found = []
    for place, share in enumerate(SHARES):
        below, above = CENTRAL_PLACES[CENTRAL.index(share)]
        lower, upper = bands.quantiles[judged, below], bands.quantiles[judged, above]
        old_lower, old_upper = history[judged, place], history[judged, place + len(SHARES)]
        hit, old_hit = inside(outcome, lower, upper), inside(outcome, old_lower, old_upper)
        found.append(
            Kept(
                share=share,
                count=len(outcome),
                coverage=float(hit.mean()),
                worst_quarter=_worst(hit, quarters, share),
                width=float((upper - lower).mean()),
                relative_width=float((upper - lower).mean() / (old_upper - old_lower).mean()),
                relative_score=_score(outcome, lower, upper, share) / _score(outcome, old_lower, old_upper, share),
                historical_coverage=float(old_hit.mean()),
                historical_worst_quarter=_worst(old_hit, quarters, share),
            )
        )
    return found


def _worst(hit: FloatArray, quarters: npt.NDArray[np.int64], share: float) -> float:
    """Coverage of the quarter farthest from the promise."""
    _, number, count = np.unique(quarters, return_inverse=True, return_counts=True)
    coverage = np.bincount(number, weights=hit) / count
    full = coverage[count >= FEWEST_IN_QUARTER]
    return float(full[np.argmax(np.abs(full - share))])


def _score(outcome: FloatArray, lower: FloatArray, upper: FloatArray, share: float) -> float:
    """Mean interval score: width, and 2 / (1 - share) times the distance of what was missed."""
    missed_by = np.maximum(lower - outcome, 0.0) + np.maximum(outcome - upper, 0.0)
    return float((upper - lower + 2 / (1 - share) * missed_by).mean())
