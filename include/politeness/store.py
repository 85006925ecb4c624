"""What is kept of a host in PostgreSQL: its buckets, its circuit, and how much it was asked.

Every call here ends its own transaction; `at` is for tests, and None in production: the database's clock counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from include.politeness.bucket import Bucket
from include.politeness.priority import Priority
from include.politeness.verdict import Verdict
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

# How long a half-open circuit waits for its one request; longer than a client waits for an answer.
PROBE_SECONDS = 120.0


class Grant(NamedTuple):
    """Answer of ops.take_tokens, whose comment says what each `outcome` means."""

    outcome: str
    wait_seconds: float
    reason: str | None
    is_troubled: bool
    is_probe: bool


class Usage(NamedTuple):
    """Requests let through to a host, and their weight in the host's units."""

    requests: int
    weight: float


@cache
def _sql(name: str) -> str:
    return statement(f"politeness/{name}.sql")


def configure(connection: Connection, source: str, buckets: Sequence[Bucket], at: datetime | None = None) -> None:
    """Let a host's buckets be these, as of now.

    Who configured last decides for every process: buckets are the host's, not a caller's.
    """
    with connection.transaction():
        connection.execute("insert into ops.circuit (source) values (%s) on conflict do nothing", (source,))
        # The lock that taking tokens holds as well.
        connection.execute("select from ops.circuit where source = %s for update", (source,))
        connection.execute(
            _sql("configure"),
            {
                "source": source,
                "at": at,
                "windows": [each.seconds for each in buckets],
                "units": [each.units for each in buckets],
                "capacities": [each.capacity for each in buckets],
                "refills": [each.refill_per_second for each in buckets],
            },
        )


def take(
    connection: Connection,
    source: str,
    weight: float,
    priority: Priority,
    has_turn: bool = False,
    at: datetime | None = None,
) -> Grant:
    """Take one request's weight, or learn why not."""
    values = {
        "source": source,
        "weight": float(weight),
        "priority": priority.value,
        "reserve": priority.reserve,
        "has_turn": has_turn,
        "probe_seconds": PROBE_SECONDS,
        "at": at,
    }
    (row,) = connection.execute(_sql("take"), values).fetchall()
    return Grant(*row)


def wait_for_turn(connection: Connection, source: str, priority: Priority) -> None:
    """Queue behind the equals that came first. Raises psycopg.errors.LockNotAvailable after the session's time-out."""
    connection.execute("select pg_advisory_lock(ops.turn_key(%s, %s))", (source, priority.value))


def give_up_turn(connection: Connection, source: str, priority: Priority) -> None:
    """Let the next of the same priority have its turn."""
    connection.execute("select pg_advisory_unlock(ops.turn_key(%s, %s))", (source, priority.value))


def record(connection: Connection, source: str, verdict: Verdict, at: datetime | None = None) -> None:
    """Put a verdict on the host's record."""
    values = {
        "source": source,
        "reason": verdict.reason,
        "told": verdict.told,
        "least": verdict.patience.least,
        "first": verdict.patience.first,
        "longest": verdict.patience.longest,
        "threshold": verdict.patience.threshold,
        "error": verdict.error,
        "at": at,
    }
    connection.execute(_sql(verdict.action), values)


def reset_circuit(connection: Connection, source: str) -> bool:
    """Close a host's circuit and lift its block, by hand; False where the host is not known."""
    return connection.execute(_sql("reset"), {"source": source}).fetchone() is not None


def used_since(connection: Connection, source: str, since: datetime | None = None) -> Usage:
    """What a host was asked since the UTC hour of `since`; since this month began (UTC) where it is None.

    `since` is real time, by the database's clock, in a replayed world too.
    """
    values = {"source": source, "since": since}
    (row,) = connection.execute(_sql("used_since"), values).fetchall()
    return Usage(*row)


def host_states(connection: Connection) -> list[dict[str, Any]]:
    """Rows of ops.host_state: budget and circuit of each host, one per limit."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select * from ops.host_state order by source, window_seconds")
        return cursor.fetchall()
