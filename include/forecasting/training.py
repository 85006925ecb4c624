"""Train one model per market and horizon, judge it on rows held out, decide who serves, and say why.

The model is served exactly as it was judged. It is not fitted again on the hold-out: what was measured would then
not be what serves, and the next training could not compare it fairly on the newest rows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from include.candles.timeframes import step
from include.config.markets import Market
from include.forecasting import model
from include.forecasting.dataset import ForecastRows, load_rows
from include.forecasting.evaluation import Evaluation, evaluate
from include.forecasting.ledger import TrainingOutcome, insert_training, repeated_training
from include.forecasting.metrics import point_scores, squared_errors
from include.forecasting.promotion import ChampionEvidence, Decision, decide
from include.forecasting.registry import ModelRegistry, ModelVersion, RunRecord, TrainedModel, UnusableModelError
from include.forecasting.registry import model_name as registered_name
from include.forecasting.report import TrainingFacts, metrics_of, model_card, plots
from include.forecasting.significance import FloatArray, diebold_mariano
from include.forecasting.split import FEWEST_HOLDOUT_ROWS, NotEnoughHistoryError, Split, split
from include.forecasting.times import to_array, to_datetime
from include.warehouse.connection import Connection, lock
from include.warehouse.instruments import ensure_instrument
from include.warehouse.world import world_of

# How far back a training looks; markets of long ago behaved differently, and memory has a bound.
HISTORY_BARS = 26_280


@dataclass(frozen=True)
class _Candidate:
    """A fitted model, its hold-out and what it forecast there."""

    trained: TrainedModel
    holdout: ForecastRows
    predicted: FloatArray
    evaluation: Evaluation


def train_market(
    connection: Connection, registry: ModelRegistry, market: Market, timeframe: str, horizon_bars: int, now: datetime
) -> TrainingOutcome:
    """Train, judge, log and decide for one market and horizon, on what was known at `now` (UTC).

    A repeat on the same data does nothing. Raises NotEnoughHistoryError where there is too little to judge by,
    mlflow.exceptions.MlflowException where the registry does not answer; nothing is recorded then.
    """
    bar = step(timeframe)
    with connection.transaction():
        instrument_id = ensure_instrument(connection, market)
        lock(connection, f"training {instrument_id} {timeframe} {horizon_bars}")
        rows = load_rows(
            connection, instrument_id, timeframe, horizon_bars, now=now, since=now - HISTORY_BARS * bar
        ).matured()
        world = world_of(connection)
        if world is None or not len(rows):
            raise NotEnoughHistoryError(f"{market.key} has no features of {timeframe} to train on")
        name = registered_name(world, market.venue, market.symbol, timeframe, horizon_bars)
        key = {
            "instrument_id": instrument_id,
            "timeframe": timeframe,
            "horizon_bars": horizon_bars,
            "dataset_sha256": rows.sha256(),
            "definition_sha256": model.definition_sha256(),
        }
        repeated = repeated_training(connection, registry, market, name, key)
        if repeated:
            return repeated

        cut = split(rows.as_of, horizon_bars, bar)
        candidate = _fit(rows, cut, bar)
        facts = _facts(world, market, timeframe, rows, cut, key, bar)
        champion = registry.champion(name)
        evidence = _champion_evidence(registry, champion, candidate) if champion else None
        decision = decide(candidate.evaluation.scores.skill, candidate.evaluation.over_naive, evidence)
        version = registry.log(name, candidate.trained, _record(facts, candidate, decision, key))
        serving = _serving(decision, champion, version)
        insert_training(connection, key, version, facts, candidate.evaluation, decision, evidence, serving, now)
        # Last: where this fails, the record above is rolled back with it.
        if decision.verdict == "promoted":
            registry.promote(version)
        elif decision.verdict == "retired":
            registry.retire_champion(name)
    return TrainingOutcome(
        market=market.key,
        timeframe=timeframe,
        horizon_bars=horizon_bars,
        registered_model=name,
        model_version=version.version,
        verdict=decision.verdict,
        reason=decision.reason,
        skill=candidate.evaluation.scores.skill,
        p_value_over_naive=candidate.evaluation.over_naive.p_value,
        training_rows=facts.training_rows,
        holdout_rows=facts.holdout_rows,
        champion_version=serving,
    )


def _fit(rows: ForecastRows, cut: Split, bar: timedelta) -> _Candidate:
    past, held = rows.part(cut.training), rows.part(cut.holdout)
    known = model.known_inputs(past.inputs)
    pipeline = model.fit(past.inputs[known], past.outcome)
    predicted = model.predict(pipeline, held.inputs[known])
    evaluation = evaluate(held.outcome, predicted, held.volatility, rows.horizon_bars)
    until = to_datetime(past.as_of[-1]) + rows.horizon_bars * bar
    return _Candidate(TrainedModel(pipeline, evaluation.interval, tuple(known), until), held, predicted, evaluation)


def _champion_evidence(registry: ModelRegistry, champion: ModelVersion, candidate: _Candidate) -> ChampionEvidence:
    """Score the champion and the candidate on the rows of the hold-out that neither was trained on."""
    held = candidate.holdout
    try:
        loaded = registry.load(champion)
        fair = held.as_of >= to_array([loaded.trained_until])[0]
        if int(fair.sum()) < FEWEST_HOLDOUT_ROWS:
            why = f"only {int(fair.sum())} rows of the hold-out lie after its training"
            return ChampionEvidence(champion.version, unjudged=why)
        predicted = loaded.predict(held.inputs[fair])
    except UnusableModelError as error:
        return ChampionEvidence(champion.version, unusable=str(error))
    outcome = held.outcome[fair]
    return ChampionEvidence(
        version=champion.version,
        skill=point_scores(outcome, predicted, held.horizon_bars).skill,
        challenger_over_it=diebold_mariano(
            squared_errors(outcome, predicted), squared_errors(outcome, candidate.predicted[fair]), held.horizon_bars
        ),
    )


def _facts(
    world: str, market: Market, timeframe: str, rows: ForecastRows, cut: Split, key: dict[str, Any], bar: timedelta
) -> TrainingFacts:
    past, held = rows.as_of[cut.training], rows.as_of[cut.holdout]
    return TrainingFacts(
        world=world,
        market=market.key,
        timeframe=timeframe,
        horizon_bars=rows.horizon_bars,
        training_rows=len(past),
        training_starts_at=to_datetime(past[0]),
        training_ends_at=to_datetime(past[-1]) + rows.horizon_bars * bar,
        holdout_rows=len(held),
        holdout_starts_at=cut.holdout_start,
        holdout_ends_at=to_datetime(held[-1]) + rows.horizon_bars * bar,
        dataset_sha256=key["dataset_sha256"],
        definition_sha256=key["definition_sha256"],
    )


def _record(facts: TrainingFacts, candidate: _Candidate, decision: Decision, key: dict[str, Any]) -> RunRecord:
    held = candidate.holdout
    described = {name: str(value) for name, value in asdict(facts).items()}
    return RunRecord(
        run_name=f"{facts.market} {facts.timeframe} +{facts.horizon_bars}",
        params={**described, **{f"model.{name}": str(value) for name, value in model.PARAMETERS.items()}},
        metrics=metrics_of(candidate.evaluation),
        tags={"world": facts.world, "market": facts.market, "verdict": decision.verdict, "reason": decision.reason},
        card=model_card(facts, candidate.evaluation, decision.reason),
        plots=plots(held.as_of, held.outcome, candidate.predicted, candidate.evaluation),
        example=held.inputs.head(3),
    )


def _serving(decision: Decision, champion: ModelVersion | None, challenger: ModelVersion) -> str | None:
    if decision.verdict == "promoted":
        return challenger.version
    return champion.version if champion and decision.verdict == "kept" else None
