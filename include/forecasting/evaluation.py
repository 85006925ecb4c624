"""A model's hold-out: errors against naive, the test that it is no luck, and intervals that are checked."""

from __future__ import annotations

from dataclasses import dataclass

from include.forecasting.conformal import Interval, calibrate, covered
from include.forecasting.metrics import PointScores, point_scores, squared_errors
from include.forecasting.significance import DieboldMariano, FloatArray, diebold_mariano


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model did on rows it has not seen.

    interval: calibrated on the whole hold-out, for serving. interval_coverage: what an interval calibrated on the
    hold-out's first half covered of its second; likewise for naive.
    """

    scores: PointScores
    over_naive: DieboldMariano
    interval: Interval
    interval_coverage: float
    naive_interval_coverage: float


def evaluate(outcome: FloatArray, predicted: FloatArray, volatility: FloatArray, horizon: int) -> Evaluation:
    """Judge forecasts of log returns over `horizon` bars, rows in time order.

    Raises ValueError (or one of its kind) where there are too few rows, or values that are not finite.
    """
    scores = point_scores(outcome, predicted, horizon)
    over_naive = diebold_mariano(squared_errors(outcome, 0.0), squared_errors(outcome, predicted), horizon)
    return Evaluation(
        scores=scores,
        over_naive=over_naive,
        interval=calibrate(outcome - predicted, volatility),
        interval_coverage=checked_coverage(outcome - predicted, volatility, horizon),
        naive_interval_coverage=checked_coverage(outcome, volatility, horizon),
    )


def checked_coverage(residuals: FloatArray, volatility: FloatArray, horizon: int) -> float:
    """Coverage of the second half by an interval from the first, whose outcomes were known before the second began."""
    middle = len(residuals) // 2
    interval = calibrate(residuals[: middle - horizon], volatility[: middle - horizon])
    return covered(residuals[middle:], volatility[middle:], interval)
