"""Which models there are, who serves, on what evidence; and a person's word that another one shall."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from include.forecasting.ledger import decision_lock
from include.forecasting.registry import CHALLENGER, ModelRegistry, ModelVersion, UnusableModelError
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement

BASELINE = "naive"  # on the command line: no champion, the baseline serves


class RollbackError(RuntimeError):
    """It cannot be rolled back as asked; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version with the evidence of its training (ml.training_run); times are UTC."""

    version: str
    training_run_id: int
    trained_at: datetime
    learned_until: datetime
    recipe: str
    baseline: str
    skill: float
    p_value_adjusted: float
    tries: int
    test_rows: int
    interval_coverage: float | None
    interval_coverage_95: float | None
    dataset_sha256: str
    model_sha256: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision who serves; versions None: the baseline. decided_by: None where the rules of a training did."""

    decided_at: datetime
    decision: str
    champion_before: str | None
    champion_after: str | None
    decided_by: str | None
    reason: str


@dataclass(frozen=True)
class RegisteredModel:
    """One market's models of one kind. champion, challenger: versions of the registry's aliases.

    versions: newest first, those the warehouse knows the training of. history: decisions, newest first.
    """

    name: str
    market: str
    timeframe: str
    target: str
    horizon_bars: int
    champion: str | None
    challenger: str | None
    versions: list[Version] = field(default_factory=list)
    history: list[Decided] = field(default_factory=list)

    def version(self, number: str | None) -> Version | None:
        """The training of a version; None where the warehouse knows none."""
        return next((each for each in self.versions if each.version == number), None)


class Rollback(NamedTuple):
    """Who served before and who serves now; None: the baseline."""

    before: str | None
    after: str | None


def registered_models(connection: Connection, registry: ModelRegistry) -> list[RegisteredModel]:
    """Every model that was ever trained, with who serves by the registry's word.

    Raises mlflow.exceptions.MlflowException where the registry does not answer.
    """
    found = []
    for name, market, timeframe, target, horizon in connection.execute(statement("forecast/select_models.sql")):
        asked = {"registered_model": name}
        champion = registry.champion(name)
        challenger = next((each for each in registry.versions(name) if CHALLENGER in each.aliases), None)
        found.append(
            RegisteredModel(
                name=name,
                market=market,
                timeframe=timeframe,
                target=target,
                horizon_bars=horizon,
                champion=champion.version if champion else None,
                challenger=challenger.version if challenger else None,
                versions=[
                    Version(*row) for row in connection.execute(statement("forecast/select_model_versions.sql"), asked)
                ],
                history=_history(connection, name),
            )
        )
    return found


def roll_back(
    connection: Connection,
    registry: ModelRegistry,
    name: str,
    target: str,
    *,
    to: str | None,
    reason: str,
    who: str,
    now: datetime,
) -> Rollback:
    """Let another version of the registered model `name` serve, and write down who wanted it, when (UTC) and why.

    to: a version that was promoted once, BASELINE for none, or None for what served before. One that was never
    promoted, or cannot serve, is refused, and nothing is done where it serves already. Raises RollbackError, and
    mlflow.exceptions.MlflowException where the registry does not answer.
    """
    with connection.transaction():
        lock(connection, decision_lock(name))
        champion = registry.champion(name)
        before = champion.version if champion else None
        history = _history(connection, name)
        after = _before(history, before, name) if to is None else None if to == BASELINE else to
        if after == before:
            return Rollback(before, after)
        if after and after not in {each.champion_after for each in history if each.decision == "promoted"}:
            raise RollbackError(f"{name} version {after} was never promoted; only evidence promotes, in a training")
        chosen = _servable(registry, name, after, now) if after else None
        values = {
            "registered_model": name,
            "target": target,
            "decided_at": now,
            "reason": reason,
            "decided_by": who,
            "champion_before": before,
            "champion_after": after,
        }
        connection.execute(statement("forecast/insert_rollback.sql"), values)
        # Last: where this fails, the record above is rolled back with it.
        if chosen:
            registry.promote(chosen)
        else:
            registry.retire_champion(name)
    return Rollback(before, after)


def _history(connection: Connection, name: str) -> list[Decided]:
    rows = connection.execute(statement("forecast/select_decisions.sql"), {"registered_model": name})
    return [Decided(*row) for row in rows]


def _before(history: list[Decided], present: str | None, name: str) -> str | None:
    """Who served before the present one did; going back twice goes back further. history: newest first."""
    served: list[str | None] = [None]
    for each in reversed(history):
        if each.champion_after == served[-1]:
            continue
        if each.decision == "rolled_back" and each.champion_after in served:
            while served[-1] != each.champion_after:
                served.pop()
        else:
            served.append(each.champion_after)
    if served[-1] != present or len(served) < 2:
        who = f"version {present} of {name}" if present else f"the baseline of {name}"
        raise RollbackError(f"no decision says who served before {who}; name a version, or {BASELINE}")
    return served[-2]


def _servable(registry: ModelRegistry, name: str, version: str, now: datetime) -> ModelVersion:
    found = next((each for each in registry.versions(name) if each.version == version), None)
    if found is None:
        raise RollbackError(f"{name} has no version {version}")
    chosen = ModelVersion(name, version, found.run_id)
    try:
        expired = registry.load(chosen).expired(now)
    except UnusableModelError as error:
        raise RollbackError(f"it cannot serve: {error}") from error
    if expired:
        raise RollbackError(f"{name} version {version} cannot serve: {expired}")
    return chosen
