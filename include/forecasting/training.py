"""Train per market and kind of forecast: judge every recipe on a walk-forward, decide who serves, and say why.

What is judged is the recipe, fitted anew for each fold on rows before it; what may serve is the best recipe fitted on
the newest rows, as many as a fold looks back. Rows are read in one short snapshot, the work is done outside of any
transaction, and the outcome is written in another one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from include.candles.timeframes import EPOCH, step
from include.config.markets import Market
from include.forecasting import promotion, walkforward
from include.forecasting.baselines.listing import baselines
from include.forecasting.code_version import code_version
from include.forecasting.digest import state_sha256
from include.forecasting.judging import Champion, Judgement, judge
from include.forecasting.known_rows import known_rows
from include.forecasting.ledger import (
    TrainingOutcome,
    decision_lock,
    earlier_tries,
    insert_training,
    repeated_training,
)
from include.forecasting.recipe import Recipe
from include.forecasting.recipes.listing import recipes
from include.forecasting.registry import ModelRegistry, ModelVersion, model_name
from include.forecasting.rows import ForecastRows
from include.forecasting.stored_model import TrainedModel, UnusableModelError
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.times import to_datetime
from include.forecasting.training_record import facts_of, newest, record_of
from include.forecasting.walkforward import NotEnoughHistoryError, folds
from include.warehouse.connection import Connection, held_lock, lock
from include.warehouse.instruments import ensure_instrument
from include.warehouse.world import world_of

# How often model_retraining is scheduled.
RETRAINED_EVERY = timedelta(days=7)


class ChampionChangedError(RuntimeError):
    """Somebody else decided who serves while a training was under way; its evidence is about another champion."""


def train_market(
    connection: Connection,
    registry: ModelRegistry,
    market: Market,
    timeframe: str,
    kind: ForecastKind,
    now: datetime,
    *,
    since: datetime = EPOCH,
) -> TrainingOutcome:
    """Train, judge, log and decide for one market and kind, on what was known at `now` (UTC) of candles from `since`.

    connection: in autocommit mode, without a transaction, and to the server itself: its lock is the session's, which a
    proxy that pools by transaction would lose. A repeat on the same data does nothing; of two trainings of
    a series at once the second waits, and does nothing then. Raises NotEnoughHistoryError where there is too little
    to judge by, ChampionChangedError where a rollback came in between, mlflow.exceptions.MlflowException where the
    registry does not answer; nothing is recorded and nobody is promoted then.
    """
    instrument_id = ensure_instrument(connection, market)
    with held_lock(connection, f"training {instrument_id} {timeframe} {kind}"):
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read read only")
            world = world_of(connection)
            rows = known_rows(connection, instrument_id, timeframe, kind, known_at=now, since=since).matured()
        if world is None or not len(rows):
            raise NotEnoughHistoryError(f"{market.key} has no features of {timeframe} to train on")
        name = model_name(world, market.venue, market.symbol, timeframe, kind)
        key = {
            "instrument_id": instrument_id,
            "timeframe": timeframe,
            "target": str(kind.target),
            "horizon_bars": kind.horizon_bars,
            "dataset_sha256": rows.sha256(),
            "definition_sha256": definition_sha256(kind.target),
        }
        repeated = repeated_training(connection, registry, market, name, key)
        if repeated:
            return repeated

        bar = step(timeframe)
        serving = registry.champion(name)
        tries = earlier_tries(connection, key, *_judged_window(rows, bar))
        champion = _as_found(registry, serving, now) if serving else None
        judgement = judge(rows, recipes(kind.target), baselines(kind.target), champion, tries, bar)
        trained = _fit(judgement, bar)
        facts = facts_of(world, market, key, judgement, trained, known_at=now, since=since, bar=bar)
        version = registry.log(name, trained, judgement.recipe.trusted_types, record_of(facts, judgement))
        after = _serving(judgement, serving, version)
        with connection.transaction():
            lock(connection, decision_lock(name))
            if registry.champion(name) != serving:
                raise ChampionChangedError(f"the champion of {name} changed during its training; train again")
            insert_training(connection, instrument_id, version, facts, judgement, after, now)
            # Last: where this fails, the record above is rolled back with it.
            if judgement.decision.verdict == "promoted":
                registry.promote(version)
            elif judgement.decision.verdict == "retired":
                registry.retire_champion(name)
    challenger = judgement.challenger
    return TrainingOutcome(
        market=market.key,
        timeframe=timeframe,
        target=facts.target,
        horizon_bars=facts.horizon_bars,
        registered_model=name,
        model_version=version.version,
        verdict=judgement.decision.verdict,
        reason=judgement.decision.reason,
        recipe=challenger.recipe,
        baseline=challenger.baseline,
        skill=challenger.skill.value,
        p_value_adjusted=challenger.p_value_adjusted,
        tries=challenger.tries,
        training_rows=facts.training_rows,
        test_rows=facts.test_rows,
        champion_version=after,
    )


def definition_sha256(target: Target) -> str:
    """Digest of how a decision comes to be, beside its data: recipes, baselines, folds, the bar to pass."""
    return state_sha256(
        [each.sha256() for each in recipes(target)],
        [each.name for each in baselines(target)],
        walkforward.TEST_BARS,
        walkforward.HISTORY_BARS,
        walkforward.FIRST_TRAINING_SHARE,
        walkforward.LONGEST_FIRST_TRAINING,
        walkforward.FEWEST_TRAINING_ROWS,
        walkforward.FEWEST_TEST_ROWS,
        walkforward.FEWEST_EMBARGO_BARS,
        promotion.SIGNIFICANCE,
    )


def _judged_window(rows: ForecastRows, bar: timedelta) -> tuple[datetime, datetime]:
    cuts = folds(rows.as_of, rows.horizon_bars, bar)
    return cuts[0].test_starts_at, to_datetime(rows.as_of[cuts[-1].test.stop - 1]) + rows.horizon_bars * bar


def _as_found(registry: ModelRegistry, version: ModelVersion, now: datetime) -> Champion:
    """The present champion as evidence is taken of it; one that cannot serve until the next training is no bar."""
    try:
        loaded = registry.load(version)
    except UnusableModelError as error:
        return Champion(version.version, None, None, unusable=str(error))
    unusable = loaded.expired(now)
    # Kept now, it would be refused within days, and nothing would serve until the next training.
    if unusable is None and loaded.expired(now + RETRAINED_EVERY) is not None:
        unusable = f"it learned until {loaded.trained_until:%Y-%m-%d} and expires before the next training"
    return Champion(
        version.version,
        loaded.fitted,
        loaded.trained_until,
        recipe_sha256=loaded.recipe_sha256,
        dataset_sha256=loaded.dataset_sha256,
        unusable=unusable,
    )


def _fit(judgement: Judgement[Recipe], bar: timedelta) -> TrainedModel:
    rows = newest(judgement, bar)
    return TrainedModel(
        fitted=judgement.recipe.fit(rows),
        calibration=judgement.evaluation.calibration,
        trained_until=to_datetime(rows.as_of[-1]) + rows.horizon_bars * bar,
        recipe_sha256=judgement.recipe.sha256(),
        dataset_sha256=judgement.dataset_sha256,
        code_version=code_version(),
    )


def _serving(judgement: Judgement[Recipe], champion: ModelVersion | None, challenger: ModelVersion) -> str | None:
    if judgement.decision.verdict == "promoted":
        return challenger.version
    return champion.version if champion and judgement.decision.verdict == "kept" else None
