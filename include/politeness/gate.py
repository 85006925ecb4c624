"""A host's budget and circuit as one process with one priority sees them: a Gate of include.venues over PostgreSQL."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Self

import psycopg

from include.clock import Clock
from include.metrics import emit
from include.politeness import store
from include.politeness.limits import buckets_of, most_used_weight
from include.politeness.priority import Priority
from include.politeness.session import open_session
from include.politeness.verdict import SUCCEED, Verdict, judge
from include.venues.capabilities import Limit
from include.venues.errors import CircuitOpenError, RateLimitedError, VenueError
from include.venues.response import Response
from include.warehouse.connection import Connection

# What a task sits out in its slot; a longer wait is the scheduler's.
PATIENCE_SECONDS = 10.0
# Where tokens come many a second, a short nap lets some gather, and the next requests pass without asking twice.
SHORTEST_NAP_SECONDS = 0.02

_log = logging.getLogger(__name__)


class BudgetUnavailableError(RuntimeError):
    """The database that keeps the budget does not answer, so nothing may be sent: not knowing is no permission."""


class HostGate:
    """Lets requests to one source through within its budget; the connection is its own, opened at the first request.

    connect: opens a connection (see `open_session`); a data transaction's would give tokens back when it rolls back.
    limits: the budget, where it is not that of capabilities.py; the rows in the database follow.
    pause_above: weight by the host's own count, after which everybody waits for its next minute.
    sleep, clock: for tests. Threads share it and enter one after the other, as tokens come anyway.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        source: str,
        priority: Priority,
        limits: Sequence[Limit] | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        pause_above: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock | None = None,
    ) -> None:
        self.source = source
        self.priority = priority
        self.buckets = buckets_of(source, limits)
        self._connect = connect
        self._patience = patience_seconds
        self._most_used_weight = most_used_weight(source, self.buckets) if pause_above is None else pause_above
        self._sleep = sleep
        self._clock = clock
        self._connection: Connection | None = None
        self._entering = threading.Lock()
        self._reporting = threading.Lock()
        self._unreported: list[Verdict] = []
        self._is_troubled = False
        self._uncounted_weight = 0.0
        self.waited_seconds = 0.0  # slept in all, until requests were let through

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; the gate may be used again."""
        with self._entering:
            self._drop_connection()

    def enter(self, weight: float) -> None:
        """Return when a request of this weight (1 or more) may be sent.

        Raises CircuitOpenError at once where the circuit is open, RateLimitedError where the wait is longer than the
        patience, both with the seconds to wait; BudgetUnavailableError where the database does not answer.
        """
        if not weight >= 1:
            raise ValueError(f"no source charges {weight} for a request")
        with self._entering:
            try:
                waited = self._enter(weight)
            except psycopg.errors.LockNotAvailable as error:
                self._drop_connection()
                self._refuse("queue")
                raise RateLimitedError(
                    self.source, f"other {self.priority.value} requests go first", self._patience
                ) from error
            except psycopg.Error as error:
                self._drop_connection()
                self._refuse("database")
                raise BudgetUnavailableError(f"the request budget of {self.source} cannot be read: {error}") from error
            except RateLimitedError:
                raise
            except BaseException:
                self._drop_connection()  # whatever it waits for, another may have it
                raise
            self._count(weight, waited)

    def leave(self, weight: float, response: Response | None, error: VenueError | None) -> None:
        """Put what came of the request on the host's record, for everybody.

        A database that is away must not hide the answer: the record then goes before the next request.
        """
        verdicts = judge(self.source, response, error, self._most_used_weight)
        if not self._is_troubled:
            verdicts = [verdict for verdict in verdicts if verdict is not SUCCEED]
        if not verdicts:
            return
        with self._reporting:
            self._unreported += verdicts
            try:
                with self._connect() as connection:  # the gate's own may be waiting for its turn
                    self._report(connection)
            except psycopg.Error as cause:
                _log.warning("what %s answered is put on record with the next request: %s", self.source, cause)

    def _enter(self, weight: float) -> float:
        """Seconds slept until the request was let through."""
        waited = 0.0
        has_turn = False
        while True:
            grant, has_turn = self._take(weight, has_turn)
            if grant.outcome == "granted":
                self._is_troubled = grant.is_troubled
                return waited
            if grant.outcome == "queue":
                began = time.monotonic()
                store.wait_for_turn(self._session(), self.source, self.priority)
                waited += time.monotonic() - began
                has_turn = True
                continue
            if grant.outcome == "open":
                self._refuse("circuit")
                raise CircuitOpenError(self.source, f"circuit is open: {grant.reason}", math.ceil(grant.wait_seconds))
            nap = max(grant.wait_seconds, SHORTEST_NAP_SECONDS)
            if waited + nap > self._patience:
                if has_turn:
                    store.give_up_turn(self._session(), self.source, self.priority)
                self._refuse("blocked" if grant.outcome == "blocked" else "budget")
                raise RateLimitedError(self.source, self._why(grant), math.ceil(grant.wait_seconds))
            self._sleep(nap)
            waited += nap

    def _take(self, weight: float, has_turn: bool) -> tuple[store.Grant, bool]:
        """One question to the database, and whether it is our turn now. A connection that broke is replaced once."""
        at = self._now()
        try:
            grant = store.take(self._session(), self.source, weight, self.priority, has_turn, at)
        except psycopg.OperationalError as error:
            is_lost = self._connection is not None and self._connection.closed
            if isinstance(error, psycopg.errors.LockNotAvailable) or not is_lost:
                raise
            self._drop_connection()  # and with it the turn
            grant = store.take(self._session(), self.source, weight, self.priority, False, at)
        return grant, grant.outcome == "wait"

    def _why(self, grant: store.Grant) -> str:
        if grant.outcome == "blocked":
            return f"nobody may send for {grant.wait_seconds:.0f} s ({grant.reason})"
        limits = ", ".join(f"{each.units:g} in {each.seconds} s" for each in self.buckets)
        return f"our own budget is used up ({limits}); {grant.reason or 'tokens come back'}"

    def _session(self) -> Connection:
        if self._connection is None:
            connection = self._connect()
            try:
                store.configure(connection, self.source, self.buckets, self._now())
                with self._reporting:
                    self._report(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        elif self._unreported:
            with self._reporting:
                self._report(self._connection)
        return self._connection

    def _report(self, connection: Connection) -> None:
        while self._unreported:
            verdict = self._unreported[0]
            store.record(connection, self.source, verdict, self._now())
            del self._unreported[0]
            self._is_troubled = verdict is not SUCCEED
            if verdict is not SUCCEED:
                emit.count("crypto.circuit.troubles", 1, venue=self.source, reason=verdict.reason)

    def _now(self) -> datetime | None:
        return self._clock.now() if self._clock else None

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refuse(self, reason: str) -> None:
        emit.count("crypto.budget.refusals", 1, venue=self.source, priority=self.priority.value, reason=reason)

    def _count(self, weight: float, waited: float) -> None:
        labels = {"venue": self.source, "priority": self.priority.value}
        emit.count("crypto.budget.requests", 1, **labels)
        self._uncounted_weight += weight
        whole = int(self._uncounted_weight)
        self._uncounted_weight -= whole
        emit.count("crypto.budget.weight", whole, **labels)
        self.waited_seconds += waited
        emit.timing("crypto.budget.waited_seconds", waited, **labels)


def gate_for(
    source: str,
    priority: Priority | str,
    dsn: str,
    limits: Sequence[Limit] | None = None,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> HostGate:
    """The gate of a source at the warehouse `dsn` (as its writer); nothing is connected until the first request.

    priority: live, repair or backfill; ValueError for another.
    limits: of this deployment (see `read_limits`), where they are not those of capabilities.py.
    """
    connect = partial(open_session, dsn, patience_seconds)
    return HostGate(connect, source, Priority(priority), limits, patience_seconds=patience_seconds)
