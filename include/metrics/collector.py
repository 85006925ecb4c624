"""The facts of the databases as a page of metrics: asked when somebody looks, and never holding them up for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import psycopg
from psycopg.conninfo import make_conninfo

from include.metrics.fact_queries import COLLECTED, GUARD, QUERIES, UP, FactQuery
from include.metrics.metric import Metric
from include.metrics.receiver.exposition import head, sample
from include.warehouse.sql import statement

REFRESH_SECONDS = 10.0
# What a database may cost whoever asks for the page; one that is slower goes on being asked behind the scenes.
PATIENCE_SECONDS = 2.0
CONNECTION: dict[str, str | int] = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,  # milliseconds until a peer that vanished is given up
    "application_name": "facts",
    "options": "-c statement_timeout=3000 -c lock_timeout=500 -c default_transaction_read_only=on",
}

Labels = tuple[tuple[str, str], ...]
Facts = dict[Metric, list[tuple[Labels, float]]]


@dataclass(slots=True)
class _Database:
    """facts: what the last finished round brought. error: why it did not bring all; empty where it did."""

    dsn: str
    facts: Facts = field(default_factory=dict)
    error: str = "not asked yet"
    began: float | None = None
    round: threading.Thread | None = None


class FactsCollector:
    """Facts of databases by name (`warehouse`, `airflow`), each at its libpq connection string.

    monotonic: seconds for ages. say: takes a line when a database begins or ceases to answer. A database that does not
    answer, or not everything, has `crypto_facts_up` 0 and shows what it did answer this time, never what it once did.
    """

    def __init__(
        self,
        dsns: Mapping[str, str],
        monotonic: Callable[[], float],
        say: Callable[[str], None],
        *,
        refresh_seconds: float = REFRESH_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._databases = {name: _Database(dsn) for name, dsn in dsns.items()}
        self._monotonic = monotonic
        self._say = say
        self._refresh = refresh_seconds
        self._patience = patience_seconds
        self._lock = threading.Lock()

    def page(self) -> str:
        """The facts in Prometheus' text format, not older than the time of refreshing; empty without databases."""
        with self._lock:
            self._bring_up_to_date()
            return "".join(f"{line}\n" for line in self._lines())

    def _bring_up_to_date(self) -> None:
        now = self._monotonic()
        started = []
        for name, database in self._databases.items():
            is_fresh = database.began is not None and now - database.began < self._refresh
            is_at_work = database.round is not None and database.round.is_alive()
            if is_fresh or is_at_work:
                continue
            database.began = now
            database.round = threading.Thread(
                target=self._ask, args=(name, database), name=f"facts-{name}", daemon=True
            )
            database.round.start()
            started.append(database.round)
        for each in started:
            each.join(max(0.0, now + self._patience - self._monotonic()))

    def _ask(self, name: str, database: _Database) -> None:
        facts, error = read_facts(database.dsn, name)
        if bool(error) != bool(database.error) or database.error == "not asked yet":
            self._say(f"facts of {name}: {error or 'all there'}")
        database.facts, database.error = facts, error

    def _lines(self) -> Iterator[str]:
        shown: Facts = {}
        for name, database in self._databases.items():
            is_late = database.round is not None and database.round.is_alive()
            for metric, rows in ({} if is_late else database.facts).items():
                shown.setdefault(metric, []).extend(rows)
            is_up = not is_late and not database.error
            shown.setdefault(UP, []).append(((("database", name),), float(is_up)))
        for metric, rows in sorted(shown.items(), key=lambda item: item[0].name):
            yield from head(metric.prometheus_name, "gauge", metric.help)
            for labels, value in rows:
                yield sample(metric.prometheus_name, labels, value)


def read_facts(dsn: str, database: str) -> tuple[Facts, str]:
    """All facts of a database, and why some are not there; empty where all are. Opens and closes its own connection."""
    facts: Facts = {}
    errors: list[str] = []
    try:
        with psycopg.connect(make_conninfo(dsn, **CONNECTION), autocommit=True) as connection:
            for query in _queries(database):
                try:
                    _read(connection, query, facts)
                except psycopg.Error as failed:
                    if connection.broken:
                        raise
                    errors.append(f"{query.file}: {_line(failed)}")
    except psycopg.Error as failed:
        errors.append(_line(failed))
    return facts, "; ".join(errors)


def _read(connection: psycopg.Connection, query: FactQuery, facts: Facts) -> None:
    cursor = connection.execute(_sql(query.file))
    labels, values = query.label_columns, query.value_columns
    names = [column.name for column in cursor.description or ()]
    for row in cursor:
        given = dict(zip(names, row, strict=True))
        key = tuple(sorted((label.removeprefix(GUARD), str(given[label])) for label in labels))
        for metric, column in zip(query.metrics, values, strict=True):
            facts.setdefault(metric, []).append((key, float(given[column])))


def _queries(database: str) -> list[FactQuery]:
    return [query for query in (*QUERIES, *COLLECTED) if query.database == database]


@cache
def _sql(file: str) -> str:
    return statement(f"facts/{file}.sql")


def _line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
