"""What a training shows to people: a model card in words and figures, and two plots of its hold-out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from include.forecasting.conformal import COVERAGE
from include.forecasting.evaluation import Evaluation
from include.forecasting.inputs import INPUTS
from include.forecasting.metrics import squared_errors
from include.forecasting.model import PARAMETERS
from include.forecasting.significance import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What was trained on what; times are UTC."""

    world: str
    market: str
    timeframe: str
    horizon_bars: int
    training_rows: int
    training_starts_at: datetime
    training_ends_at: datetime
    holdout_rows: int
    holdout_starts_at: datetime
    holdout_ends_at: datetime
    dataset_sha256: str
    definition_sha256: str


def metrics_of(evaluation: Evaluation) -> dict[str, float]:
    """The hold-out's figures by name."""
    scores, over_naive = evaluation.scores, evaluation.over_naive
    figures = {
        "mae": scores.mae,
        "naive_mae": scores.naive_mae,
        "rmse": scores.rmse,
        "naive_rmse": scores.naive_rmse,
        "skill": scores.skill,
        "p_value_over_naive": over_naive.p_value,
        "interval_coverage": evaluation.interval_coverage,
        "naive_interval_coverage": evaluation.naive_interval_coverage,
        "interval_multiple": evaluation.interval.multiple,
    }
    if scores.direction:
        figures["direction_accuracy"] = scores.direction.accuracy
        figures["direction_lower"] = scores.direction.lower
        figures["direction_upper"] = scores.direction.upper
    return figures


def model_card(facts: TrainingFacts, evaluation: Evaluation, decision: str) -> str:
    """Markdown: what the model is for, what it learned from, how it did, what it must not be used for."""
    scores, direction = evaluation.scores, evaluation.scores.direction
    signs = (
        f"{direction.accuracy:.1%} (95 % interval {direction.lower:.1%} to {direction.upper:.1%})"
        if direction
        else "none named"
    )
    return f"""# {facts.market}, {facts.horizon_bars} bars of {facts.timeframe} ahead ({facts.world} data)

Forecasts the log return of the close over the horizon, from {len(INPUTS)} inputs known at a candle's close.
Gradient-boosted trees, {PARAMETERS["max_iter"]} of at most {PARAMETERS["max_leaf_nodes"]} leaves.

| | |
| --- | --- |
| trained on | {facts.training_rows} rows, {facts.training_starts_at:%Y-%m-%d %H:%M} to {facts.training_ends_at:%Y-%m-%d %H:%M} UTC |
| judged on | {facts.holdout_rows} later rows, {facts.holdout_starts_at:%Y-%m-%d %H:%M} to {facts.holdout_ends_at:%Y-%m-%d %H:%M} UTC |
| MAE, naive's | {scores.mae:.6f}, {scores.naive_mae:.6f} |
| RMSE, naive's | {scores.rmse:.6f}, {scores.naive_rmse:.6f} |
| skill over naive | {scores.skill:+.2%}, p = {evaluation.over_naive.p_value:.3f} (Diebold-Mariano, one-sided) |
| direction right | {signs} |
| {COVERAGE:.0%} interval held | {evaluation.interval_coverage:.1%}; naive's {evaluation.naive_interval_coverage:.1%} |
| dataset sha256 | `{facts.dataset_sha256}` |
| definition sha256 | `{facts.definition_sha256}` |

Decision: {decision}.

The model is served as it was judged: it is not fitted again on the hold-out. Intervals promise their coverage on
average over time, less in a regime the hold-out has not seen. Not investment advice.
"""  # noqa: E501 - a table row is one line


def plots(
    as_of: npt.NDArray[np.datetime64], outcome: FloatArray, predicted: FloatArray, evaluation: Evaluation
) -> dict[str, Figure]:
    """Figures of the hold-out by file stem, drawn without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    gain = Figure(figsize=(8, 4), layout="constrained")
    axes = gain.subplots()
    axes.plot(as_of, np.cumsum(squared_errors(outcome, 0.0) - squared_errors(outcome, predicted)))
    axes.axhline(0.0, color="grey", linewidth=0.8)
    axes.set(title="Gain over naive on the hold-out", ylabel="squared error saved so far", xlabel="as of (UTC)")

    scatter = Figure(figsize=(5, 5), layout="constrained")
    axes = scatter.subplots()
    axes.scatter(predicted, outcome, s=3, alpha=0.3)
    axes.axline((0.0, 0.0), slope=1.0, color="grey", linewidth=0.8)
    axes.set(title=f"Skill {evaluation.scores.skill:+.2%}", xlabel="forecast log return", ylabel="actual log return")

    found = {"gain_over_naive": gain, "forecast_and_actual": scatter}
    for figure in found.values():
        FigureCanvasAgg(figure)
    return found
