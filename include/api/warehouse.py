"""The API's way into the warehouse: few connections of a role that can only read, each question in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import perf_counter
from typing import Any

from psycopg import Cursor, IsolationLevel
from psycopg_pool import ConnectionPool

from include.clock import Clock
from include.serving.selection import Snapshot
from include.warehouse.connection import Connection

STATEMENT_SECONDS = 5  # an answer that takes longer is refused: nobody may hold a connection for long
CONNECTIONS = 4
WAIT_SECONDS = 5.0  # for a connection
_SETTINGS = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "intervalstyle": "iso_8601",
}
_OPTIONS = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())


class TimedConnection(Connection):
    """Adds up how long its statements took, from the asking to the last row."""

    seconds = 0.0

    def execute(self, *arguments: Any, **options: Any) -> Cursor[Any]:
        asked_at = perf_counter()
        try:
            return super().execute(*arguments, **options)
        finally:
            self.seconds += perf_counter() - asked_at


class Warehouse:
    """Opened at the first question: a page of Airflow's must come up where the warehouse does not.

    dsn, clock: called once, then. Connections that broke are made anew by the pool.
    """

    def __init__(self, dsn: Callable[[], str], clock: Callable[[], Clock]) -> None:
        self._dsn, self._make_clock = dsn, clock
        self._pool: ConnectionPool[TimedConnection] | None = None
        self._clock: Clock | None = None
        self._opening = Lock()

    @contextmanager
    def look(self) -> Iterator[Snapshot]:
        """One snapshot of everything that is read within the block.

        Raises psycopg_pool.PoolTimeout where no connection is free or the warehouse is away, OSError where the world's
        clock does not answer, psycopg.errors.QueryCanceled where a statement takes too long.
        """
        pool, clock = self._opened()
        with pool.connection(timeout=WAIT_SECONDS) as connection, connection.transaction():
            connection.seconds = 0.0
            row = connection.execute("select w.world from ops.world as w").fetchone()
            yield Snapshot(connection, clock.now(), row[0] if row else None)

    def close(self) -> None:
        """End the pool's connections; the next question opens others."""
        with self._opening:
            if self._pool is not None:
                self._pool.close()
            self._pool = None

    def _opened(self) -> tuple[ConnectionPool[TimedConnection], Clock]:
        with self._opening:
            if self._clock is None:
                self._clock = self._make_clock()
            if self._pool is None:
                self._pool = ConnectionPool(
                    self._dsn(),
                    connection_class=TimedConnection,
                    kwargs={"application_name": "crypto-market-api", "options": _OPTIONS},
                    min_size=0,
                    max_size=CONNECTIONS,
                    max_idle=60,
                    configure=_configure,
                    check=ConnectionPool.check_connection,
                    open=True,
                )
            return self._pool, self._clock


def _configure(connection: Connection) -> None:
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
