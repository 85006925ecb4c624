"""The facts of the databases as a page of metrics: asked when somebody looks, and never holding them up for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import psycopg
from psycopg.conninfo import make_conninfo

from include.metrics.fact_queries import COLLECTED, FAILED_QUERIES, GUARD, QUERIES, UP, FactQuery
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
class Answers:
    """What a database has answered so far. unanswered: how many queries it has not. error: why not; empty without."""

    unanswered: int
    facts: Facts = field(default_factory=dict)
    error: str = ""

    @property
    def is_up(self) -> bool:
        """Whether it let us in and answered anything: the query that asks no table."""
        return COLLECTED[0].metrics[0] in self.facts


@dataclass(slots=True)
class _Database:
    """answers: of the round that is under way or was the last. error: of the last that was finished."""

    dsn: str
    answers: Answers
    error: str = "not asked yet"
    began: float | None = None
    round: threading.Thread | None = None


class FactsCollector:
    """Facts of databases by name (`warehouse`, `airflow`), each at its libpq connection string.

    monotonic: seconds for ages. say: takes a line when a database begins or ceases to answer everything. A database
    that does not answer has `crypto_facts_up` 0; one that answers in part shows that part, never what it once did, and
    how many queries are left in `crypto_facts_failed_queries`.
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
        self._databases = {name: _Database(dsn, _nothing(name)) for name, dsn in dsns.items()}
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
            database.answers = _nothing(name)
            database.round = threading.Thread(
                target=self._ask, args=(name, database), name=f"facts-{name}", daemon=True
            )
            database.round.start()
            started.append(database.round)
        for each in started:
            each.join(max(0.0, now + self._patience - self._monotonic()))

    def _ask(self, name: str, database: _Database) -> None:
        try:
            _fill(database.answers, database.dsn, name)
        except Exception as failed:  # whatever it is: what came before must not stand for what is
            database.answers = _nothing(name, error=_line(failed))
        error = database.answers.error
        if bool(error) != bool(database.error) or database.error == "not asked yet":
            self._say(f"facts of {name}: {error or 'all there'}")
        database.error = error

    def _lines(self) -> Iterator[str]:
        shown: Facts = {}
        for name, database in self._databases.items():
            answers = database.answers
            for metric, rows in dict(answers.facts).items():  # a copy: it may be late and still come in
                shown.setdefault(metric, []).extend(rows)
            label = (("database", name),)
            shown.setdefault(UP, []).append((label, float(answers.is_up)))
            shown.setdefault(FAILED_QUERIES, []).append((label, float(answers.unanswered)))
        for metric, rows in sorted(shown.items(), key=lambda item: item[0].name):
            yield from head(metric.prometheus_name, "gauge", metric.help)
            for labels, value in rows:
                yield sample(metric.prometheus_name, labels, value)


def read_facts(dsn: str, database: str) -> Answers:
    """All facts of a database that it answers. Opens and closes its own connection."""
    answers = _nothing(database)
    _fill(answers, dsn, database)
    return answers


def _nothing(database: str, error: str = "") -> Answers:
    return Answers(len(_queries(database)), error=error)


def _fill(answers: Answers, dsn: str, database: str) -> None:
    errors: list[str] = []
    try:
        with psycopg.connect(make_conninfo(dsn, **CONNECTION), autocommit=True) as connection:
            for query in _queries(database):
                try:
                    answers.facts |= _read(connection, query)
                    answers.unanswered -= 1
                except psycopg.Error as failed:
                    if connection.broken:
                        raise
                    errors.append(f"{query.file}: {_line(failed)}")
    except psycopg.Error as failed:
        errors.append(_line(failed))
    answers.error = "; ".join(errors)


def _read(connection: psycopg.Connection, query: FactQuery) -> Facts:
    """The facts of a query. What the database does not know (null) is left out."""
    facts: Facts = {}
    cursor = connection.execute(_sql(query.file))
    labels, values = query.label_columns, query.value_columns
    names = [column.name for column in cursor.description or ()]
    for row in cursor:
        given = dict(zip(names, row, strict=True))
        key = tuple(sorted((label.removeprefix(GUARD), str(given[label])) for label in labels))
        for metric, column in zip(query.metrics, values, strict=True):
            if given[column] is not None:
                facts.setdefault(metric, []).append((key, float(given[column])))
    return facts


def _queries(database: str) -> list[FactQuery]:
    """That it answers at all comes first: what hangs after that is not its absence."""
    return [query for query in (*COLLECTED, *QUERIES) if query.database == database]


@cache
def _sql(file: str) -> str:
    return statement(f"facts/{file}.sql")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
