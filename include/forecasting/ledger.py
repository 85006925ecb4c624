"""What the warehouse remembers of trainings: their data, their figures, and each decision who serves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from include.config.markets import Market
from include.forecasting.evaluation import Evaluation
from include.forecasting.promotion import ChampionEvidence, Decision, Verdict
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.forecasting.report import TrainingFacts, metrics_of
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What a training came to.

    verdict: `unchanged` where this very data was trained on before and nothing was done.
    champion_version: who serves now; None: the naive forecast.
    """

    market: str
    timeframe: str
    horizon_bars: int
    registered_model: str
    model_version: str
    verdict: Verdict | Literal["unchanged"]
    reason: str
    skill: float
    p_value_over_naive: float
    training_rows: int
    holdout_rows: int
    champion_version: str | None


def repeated_training(
    connection: Connection, registry: ModelRegistry, market: Market, name: str, key: dict[str, Any]
) -> TrainingOutcome | None:
    """The outcome of an earlier training on the same data and definition, if the registry still holds its model."""
    found = connection.execute(statement("forecast/select_training.sql"), key).fetchone()
    if found is None or not registry.holds(ModelVersion(name, found[0], found[1])):
        return None
    champion = registry.champion(name)
    return TrainingOutcome(
        market=market.key,
        timeframe=key["timeframe"],
        horizon_bars=key["horizon_bars"],
        registered_model=name,
        model_version=found[0],
        verdict="unchanged",
        reason=f"trained on this very data before: {found[2]}",
        skill=found[3],
        p_value_over_naive=found[4],
        training_rows=found[5],
        holdout_rows=found[6],
        champion_version=champion.version if champion else None,
    )


def insert_training(
    connection: Connection,
    key: dict[str, Any],
    version: ModelVersion,
    facts: TrainingFacts,
    evaluation: Evaluation,
    decision: Decision,
    champion: ChampionEvidence | None,
    serving: str | None,
    now: datetime,
) -> None:
    """Record a training and its decision. key: what repeated_training finds it by; serving: the version that serves."""
    over_champion = champion.challenger_over_it if champion else None
    figures = {"direction_accuracy": None, "direction_lower": None, "direction_upper": None, **metrics_of(evaluation)}
    connection.execute(
        statement("forecast/insert_training.sql"),
        {
            **asdict(facts),
            **figures,
            **key,
            "trained_at": now,
            "mlflow_run_id": version.run_id,
            "registered_model": version.name,
            "model_version": version.version,
            "decision": decision.verdict,
            "reason": decision.reason,
            "champion_before": champion.version if champion else None,
            "champion_skill": champion.skill if champion else None,
            "p_value_over_champion": over_champion.p_value if over_champion else None,
            "champion_after": serving,
        },
    )
