"""Carrying out a plan: each step is fetched by the caller's own function, judged, explained and noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from include.clock import Clock
from include.config.markets import Market
from include.coverage.equation import SeriesCoverage, series_coverage
from include.coverage.plan import Plan
from include.coverage.spans import Span, to_range
from include.coverage.step import AUDIT, SETTLE, Step
from include.venues.errors import NoDataError, RequestRejectedError, VenueError
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.text import storable

DONE, FAILED, SKIPPED = "done", "failed", "skipped"


class Outcome(Protocol):
    """What a fetch did: rows that were not there, and rows whose values were replaced."""

    @property
    def new(self) -> int: ...

    @property
    def changed(self) -> int: ...


# Asks for the candles of a market and timeframe that open in [start, end), stores and attests them.
Fetch = Callable[[Market, str, datetime, datetime, str], Outcome]


class RepairError(Exception):
    """Steps that failed, each with its own error; the others were done. explanations: of all steps, in words."""

    def __init__(self, errors: Sequence[Exception], explanations: Sequence[str]) -> None:
        super().__init__(errors, explanations)
        self.errors = list(errors)
        self.explanations = list(explanations)

    def __str__(self) -> str:
        plural = "step" if len(self.errors) == 1 else "steps"
        return f"{len(self.errors)} repair {plural} failed: " + "; ".join(map(str, self.errors))


def repair(
    connection: Connection,
    plan: Plan,
    fetch: Fetch,
    clock: Clock,
    say: Callable[[str], None] = lambda explanation: None,
) -> list[str]:
    """Do every step of the plan and note it in ops.repair_step; answers what was done and found, in words.

    fetch: see Fetch. say: told each explanation as it comes, for a log. A venue that is down is not asked again by this
    plan; other venues' steps go on. Raises RepairError at the end with every error that a step met.
    """
    explanations: list[str] = []
    errors: list[Exception] = []
    down: dict[str, VenueError] = {}
    for step in plan.steps:
        venue = step.market.venue
        if venue in down:
            explanation = f"{step}; skipped, because {down[venue]}"
            _note(connection, step, SKIPPED, explanation, clock)
        else:
            try:
                explanation = _do(connection, step, fetch, clock)
            except Exception as error:  # whatever it is, it is raised in the end; other venues must not wait for it
                errors.append(error)
                if isinstance(error, VenueError) and not isinstance(error, RequestRejectedError | NoDataError):
                    down[venue] = error
                explanation = f"{step}; failed: {error}"
                _note(connection, step, FAILED, explanation, clock)
        explanations.append(explanation)
        say(explanation)
    for put_off, why in plan.deferred:
        explanations.append(f"{put_off}; put off: {why}")
        say(explanations[-1])
    if errors:
        raise RepairError(errors, explanations)
    return explanations


def _do(connection: Connection, step: Step, fetch: Fetch, clock: Clock) -> str:
    outcome = fetch(step.market, step.timeframe, step.start, step.end, step.purpose)
    after = _within(connection, step, clock.now())
    explanation = f"{step}; {outcome.new} new, {outcome.changed} changed"
    if step.purpose in (SETTLE, AUDIT) and outcome.changed:
        explanation += ": the venue revised what it had said"
    explanation += "; complete now" if after.equation.is_complete else "".join(f"; unknown {u}" for u in after.unknown)
    _note(connection, step, DONE, explanation, clock, outcome.new, outcome.changed)
    return explanation


def _within(connection: Connection, step: Step, now: datetime) -> SeriesCoverage:
    """The equation of the step's own window."""
    market = step.market
    return series_coverage(
        connection,
        step.instrument_id,
        market.venue,
        market.symbol,
        step.timeframe,
        now,
        start=step.start,
        end=step.end,
    )


def _note(
    connection: Connection, step: Step, outcome: str, explanation: str, clock: Clock, new: int = 0, changed: int = 0
) -> None:
    values = {
        "instrument_id": step.instrument_id,
        "timeframe": step.timeframe,
        "purpose": step.purpose,
        "reason": step.reason,
        "covers": to_range(Span(step.start, step.end)),
        "requests": step.requests if outcome != SKIPPED else 0,
        "outcome": outcome,
        "rows_new": new,
        "rows_changed": changed,
        "explanation": storable(explanation),
        "recorded_at": clock.now(),
    }
    connection.execute(statement("coverage/insert_repair_step.sql"), values)
