"""What is written down of a training: its facts, and the run that MLflow keeps."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from include.config.markets import Market
from include.forecasting.card import TrainingFacts, metrics_of, model_card
from include.forecasting.judging import Judgement
from include.forecasting.plots import training_plots
from include.forecasting.recipe import Recipe, design
from include.forecasting.registry import RunRecord
from include.forecasting.rows import ForecastRows
from include.forecasting.stored_model import TrainedModel
from include.forecasting.times import to_datetime
from include.forecasting.walkforward import HISTORY_BARS


def newest(judgement: Judgement[Recipe], bar: timedelta) -> ForecastRows:
    """As many of the newest rows as a fold's training looks back."""
    rows = judgement.rows
    return rows.part(rows.as_of > rows.as_of[-1] - np.timedelta64(HISTORY_BARS * bar))


def facts_of(
    world: str,
    market: Market,
    key: dict[str, Any],
    judgement: Judgement[Recipe],
    trained: TrainedModel,
    *,
    known_at: datetime,
    since: datetime,
    bar: timedelta,
) -> TrainingFacts:
    """Facts of a training on candles from `since`, as known at `known_at` (UTC); key: as the ledger finds it by."""
    used, evaluation = newest(judgement, bar).as_of, judgement.evaluation
    return TrainingFacts(
        world=world,
        market=market.key,
        timeframe=key["timeframe"],
        target=key["target"],
        horizon_bars=key["horizon_bars"],
        recipe=judgement.recipe.name,
        training_rows=len(used),
        training_starts_at=to_datetime(used[0]),
        training_ends_at=trained.trained_until,
        folds=len(judgement.folds),
        test_rows=evaluation.overall.count,
        test_starts_at=evaluation.first_as_of,
        test_ends_at=evaluation.last_as_of + evaluation.horizon_bars * bar,
        known_at=known_at,
        rows_since=since,
        dataset_sha256=key["dataset_sha256"],
        definition_sha256=key["definition_sha256"],
        model_sha256=trained.fitted.sha256(),
        code_version=trained.code_version,
        features=trained.fitted.inputs,
    )


def record_of(facts: TrainingFacts, judgement: Judgement[Recipe]) -> RunRecord:
    """What MLflow keeps of the run."""
    parameters = judgement.recipe.parameters
    described = {name: str(value) for name, value in asdict(facts).items() if name != "features"}
    decision = judgement.decision
    return RunRecord(
        run_name=f"{facts.market} {facts.timeframe} {facts.target} +{facts.horizon_bars}",
        params={
            **described,
            "features": " ".join(facts.features),
            **{f"model.{name}": str(value) for name, value in parameters.items()},
        },
        metrics=metrics_of(judgement),
        tags={"world": facts.world, "market": facts.market, "verdict": decision.verdict, "reason": decision.reason},
        card=model_card(facts, judgement, parameters),
        plots=training_plots(judgement),
        example=design(judgement.rows.part(slice(0, 3)))[list(facts.features)],
    )
