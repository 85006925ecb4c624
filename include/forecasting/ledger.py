"""What the warehouse remembers of trainings: their data, their figures, and each decision who serves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from psycopg.types.json import Jsonb

from include.config.markets import Market
from include.forecasting.card import TrainingFacts, evidence_of
from include.forecasting.judging import CandidateT, Judgement
from include.forecasting.promotion import Verdict
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What a training came to.

    verdict: `unchanged` where this very data was trained on before and nothing was done. skill: of the best recipe
    over the best baseline, p_value_adjusted: corrected for `tries`. champion_version: who serves now; None: the
    baseline.
    """

    market: str
    timeframe: str
    target: str
    horizon_bars: int
    registered_model: str
    model_version: str
    verdict: Verdict | Literal["unchanged"]
    reason: str
    recipe: str
    baseline: str
    skill: float
    p_value_adjusted: float
    tries: int
    training_rows: int
    test_rows: int
    champion_version: str | None


def decision_lock(registered_model: str) -> str:
    """Name of the lock under which it is decided who serves."""
    return f"promotion {registered_model}"


def repeated_training(
    connection: Connection, registry: ModelRegistry, market: Market, name: str, key: dict[str, Any]
) -> TrainingOutcome | None:
    """The outcome of an earlier training on the same data and definition, if the registry still holds its model."""
    found = connection.execute(statement("forecast/select_training.sql"), key).fetchone()
    if found is None or not registry.holds(ModelVersion(name, found[0], found[1])):
        return None
    version, _, reason, *figures = found
    recipe, baseline, skill, p_value_adjusted, tries, training_rows, test_rows = figures
    champion = registry.champion(name)
    return TrainingOutcome(
        market=market.key,
        timeframe=key["timeframe"],
        target=key["target"],
        horizon_bars=key["horizon_bars"],
        registered_model=name,
        model_version=version,
        verdict="unchanged",
        reason=f"trained on this very data before: {reason}",
        recipe=recipe,
        baseline=baseline,
        skill=skill,
        p_value_adjusted=p_value_adjusted,
        tries=tries,
        training_rows=training_rows,
        test_rows=test_rows,
        champion_version=champion.version if champion else None,
    )


def earlier_tries(connection: Connection, key: dict[str, Any], starts_at: datetime, ends_at: datetime) -> int:
    """How many other trainings of the series judged rows of the window [starts_at, ends_at) of as-of times (UTC)."""
    values = {**key, "test_starts_at": starts_at, "test_ends_at": ends_at}
    row = connection.execute(statement("forecast/select_earlier_tries.sql"), values).fetchone()
    return int(row[0]) if row else 0


def insert_training(
    connection: Connection,
    instrument_id: int,
    version: ModelVersion,
    facts: TrainingFacts,
    judgement: Judgement[CandidateT],
    serving: str | None,
    trained_at: datetime,
) -> None:
    """Record a training and its decision. serving: the version that serves from now on; None: the baseline."""
    challenger, champion, overall = judgement.challenger, judgement.champion, judgement.evaluation.overall
    judged = judgement.evaluation.judged
    missed = (judgement.rows.outcome - judgement.predictions[challenger.baseline])[judged]
    over_champion = champion.challenger_over_it if champion else None
    right, intervals = overall.direction, overall.intervals
    connection.execute(
        statement("forecast/insert_training.sql"),
        {
            **asdict(facts),
            "features": list(facts.features),
            "instrument_id": instrument_id,
            "trained_at": trained_at,
            "mlflow_run_id": version.run_id,
            "registered_model": version.name,
            "model_version": version.version,
            "baseline": challenger.baseline,
            "loss": judgement.losses[challenger.recipe],
            "baseline_loss": judgement.losses[challenger.baseline],
            "mae": overall.mae,
            "rmse": overall.rmse,
            "baseline_mae": float(np.abs(missed).mean()),
            "baseline_rmse": float(np.sqrt(np.square(missed).mean())),
            "skill": challenger.skill.value,
            "p_value_over_baseline": challenger.over_baseline.p_value,
            "tries": challenger.tries,
            "p_value_adjusted": challenger.p_value_adjusted,
            "direction_accuracy": right.accuracy if right else None,
            "direction_lower": right.lower if right else None,
            "direction_upper": right.upper if right else None,
            "interval_coverage": intervals.coverage_80 if intervals else None,
            "interval_coverage_95": intervals.coverage_95 if intervals else None,
            "crps": intervals.crps if intervals else None,
            "evidence": Jsonb(evidence_of(judgement)),
            "decision": judgement.decision.verdict,
            "reason": judgement.decision.reason,
            "champion_before": champion.version if champion else None,
            "champion_skill": champion.skill.value if champion and champion.skill else None,
            "p_value_over_champion": over_champion.p_value if over_champion else None,
            "champion_after": serving,
        },
    )
