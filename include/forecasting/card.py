"""What a training leaves in words and figures: a model card for people, metrics for MLflow, evidence for the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from include.forecasting.evaluation import Comparison, Figures
from include.forecasting.judging import CandidateT, Judgement
from include.forecasting.p_values import p_figure, p_stated
from include.forecasting.promotion import SIGNIFICANCE
from include.forecasting.targets import Target


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What was trained on what; times are UTC, hashes SHA-256.

    training_*: rows the model was fitted on, until the last outcome was known. test_*: rows of the walk-forward.
    known_at, rows_since: what reproduces the rows (include/forecasting/known_rows.py).
    """

    world: str
    market: str
    timeframe: str
    target: str
    horizon_bars: int
    recipe: str
    training_rows: int
    training_starts_at: datetime
    training_ends_at: datetime
    folds: int
    test_rows: int
    test_starts_at: datetime
    test_ends_at: datetime
    known_at: datetime
    rows_since: datetime
    dataset_sha256: str
    definition_sha256: str
    model_sha256: str
    code_version: str
    features: tuple[str, ...]


def metrics_of(judgement: Judgement[CandidateT]) -> dict[str, float]:
    """Figures of the walk-forward by name, finite ones only: the best recipe's, each loss, and by regime."""
    challenger = judgement.challenger
    found = {
        **_figures(judgement.evaluation.overall),
        "skill": challenger.skill.value,
        "skill_lower": challenger.skill.lower,
        "skill_upper": challenger.skill.upper,
        "p_value_over_baseline": challenger.over_baseline.p_value,
        "p_value_adjusted": challenger.p_value_adjusted,
        "tries": float(challenger.tries),
        **{f"loss.{name}": loss for name, loss in judgement.losses.items()},
    }
    for regime, figures in judgement.evaluation.regimes.items():
        found |= {f"{regime}.{name}": value for name, value in _figures(figures).items()}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _figures(figures: Figures) -> dict[str, float]:
    found = {"rows": float(figures.count), "mae": figures.mae, "rmse": figures.rmse, "loss": figures.loss}
    if figures.intervals:
        scores = figures.intervals
        found |= {
            "interval_coverage": scores.coverage_80,
            "interval_coverage_95": scores.coverage_95,
            "interval_width": scores.width_80,
            "interval_width_95": scores.width_95,
            "pinball": scores.pinball,
            "crps": scores.crps,
        }
    if figures.direction:
        found |= {
            "direction_accuracy": figures.direction.accuracy,
            "direction_lower": figures.direction.lower,
            "direction_upper": figures.direction.upper,
        }
    for name, compared in figures.against.items():
        found |= {f"skill_over.{name}": compared.skill.value, f"p_value_over.{name}": compared.test.p_value}
    return found


def evidence_of(judgement: Judgement[CandidateT]) -> dict[str, Any]:
    """Every figure of the judgement as plain values for JSON; None where a figure is not defined."""
    evaluation = judgement.evaluation
    found: dict[str, Any] = plain(
        {
            "losses": dict(judgement.losses),
            "challenger": asdict(judgement.challenger),
            "champion": asdict(judgement.champion) if judgement.champion else None,
            "overall": _nested(evaluation.overall),
            "regimes": {name: _nested(figures) for name, figures in evaluation.regimes.items()},
        }
    )
    return found


def _nested(figures: Figures) -> dict[str, Any]:
    found = asdict(figures)
    return {"rows": found.pop("count"), **found}


def plain(value: Any) -> Any:
    """The same with None for floats that JSON cannot hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def model_card(facts: TrainingFacts, judgement: Judgement[CandidateT], parameters: Mapping[str, Any]) -> str:
    """Markdown: what the model is for, what it learned from, how it did, what it must not be used for."""
    challenger, overall = judgement.challenger, judgement.evaluation.overall
    volatility = facts.target == Target.VOLATILITY
    what = "realised volatility (root of the summed squared log returns)" if volatility else "log return of the close"
    loss = "QLIKE" if volatility else "mean squared error"
    lines = [
        f"# {facts.market}, {facts.target} over {facts.horizon_bars} bars of {facts.timeframe} ({facts.world} data)",
        "",
        f"Forecasts the {what} over the horizon, from {len(facts.features)} columns known at a candle's close.",
        f"Recipe `{facts.recipe}`: {', '.join(f'{name} {value}' for name, value in parameters.items())}.",
        "",
        "| | |",
        "| --- | --- |",
        f"| fitted on | {facts.training_rows} rows, {_span(facts.training_starts_at, facts.training_ends_at)} |",
        f"| judged on | {facts.test_rows} rows in {facts.folds} walk-forward folds,"
        f" {_span(facts.test_starts_at, facts.test_ends_at)} |",
        *(
            f"| {loss} of `{name}` | {value:.6g} |"
            for name, value in sorted(judgement.losses.items(), key=lambda each: each[1])
        ),
        *(f"| skill over `{name}` | {_compared(compared)} |" for name, compared in overall.against.items()),
        f"| p of the best baseline's, corrected | {p_figure(challenger.p_value_adjusted)} for {challenger.tries} tries"
        f" (needs p < {SIGNIFICANCE}) |",
        f"| MAE, RMSE | {overall.mae:.6f}, {overall.rmse:.6f} |",
        *_shares(overall),
        *(
            f"| in {regime} hours | {figures.count} rows{_over(figures, challenger.baseline)}{_held(figures)} |"
            for regime, figures in judgement.evaluation.regimes.items()
        ),
        f"| data known at | {facts.known_at:%Y-%m-%d %H:%M:%S} UTC |",
        f"| dataset sha256 | `{facts.dataset_sha256}` |",
        f"| definition sha256 | `{facts.definition_sha256}` |",
        f"| model sha256 | `{facts.model_sha256}` |",
        f"| code version | `{facts.code_version}` |",
        "",
        f"Decision: {judgement.decision.verdict}. {judgement.decision.reason}.",
        "",
        "The figures are of the recipe, fitted anew for each fold on rows before it; the model is the recipe fitted on",
        "the newest rows. Intervals promise their shares on average over time, less in a regime they have not met.",
        "Not investment advice.",
        "",
        f"Columns: {', '.join(facts.features)}.",
        "",
    ]
    return "\n".join(lines)


def _span(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


def _compared(compared: Comparison) -> str:
    skill = compared.skill
    return f"{skill.value:+.2%} [{skill.lower:+.2%}, {skill.upper:+.2%}], {p_stated(compared.test.p_value)}, one try"


def _shares(figures: Figures) -> list[str]:
    lines = []
    if figures.direction:
        right = figures.direction
        lines.append(f"| direction right | {right.accuracy:.1%} [{right.lower:.1%}, {right.upper:.1%}] |")
    if figures.intervals:
        held = figures.intervals
        lines.append(f"| intervals held, 80 % and 95 % | {held.coverage_80:.1%}, {held.coverage_95:.1%} |")
        lines.append(f"| CRPS | {held.crps:.6g} |")
    return lines


def _over(figures: Figures, baseline: str) -> str:
    compared = figures.against.get(baseline)
    return f", skill over {baseline} {compared.skill.value:+.2%}" if compared else ""


def _held(figures: Figures) -> str:
    held = figures.intervals
    return f", intervals held {held.coverage_80:.1%}, {held.coverage_95:.1%}" if held else ""
