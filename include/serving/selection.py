"""What an answer's rows are: a statement of sql/serving, its values, and the key that it is ordered and paged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from include.serving.trust import Trust
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

# Types of a table's columns: PostgreSQL's object ids (pg_type.dat).
BOOL, INT, FLOAT, NUMERIC, TEXT, DATE, TIME, INTERVAL = 16, 20, 701, 1700, 25, 1082, 1184, 1186


class UnknownSubjectError(LookupError):
    """Something was asked for that this warehouse has never heard of; the message names what it has."""


class Snapshot(NamedTuple):
    """One look into the warehouse: a read-only transaction, the world's time (UTC) and which world it is."""

    connection: Connection
    now: datetime
    world: str | None

    def trust(self, complete_until: datetime | None, completeness_percent: float | None) -> Trust:
        """Trust as of this look, without a reason to abstain yet."""
        return Trust(self.now, self.world, complete_until, completeness_percent)


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows to answer with.

    file: of sql/serving, without its ending; it ends in `order by KEY limit %(limit)s` and takes the key of the row
    before as `after_<column>`, a text to be cast, NULL at the start. names: what its template is filled in with.
    values: bound parameters. key: columns of the result that name a row, in the order of its rows; () where all rows
    always come at once.
    """

    file: str
    values: Mapping[str, Any] = field(default_factory=dict)
    key: Sequence[str] = ()
    names: Mapping[str, object] = field(default_factory=dict)

    def parameters(self, limit: int | None, after: Sequence[Any] | None) -> dict[str, Any]:
        """The values, the row it goes on after, and how many rows at most; None for all."""
        given = [None if value is None else str(value) for value in after or [None] * len(self.key)]
        before = dict(zip((f"after_{name}" for name in self.key), given, strict=True))
        return {**self.values, **before, "limit": limit}

    def rows(self, connection: Connection, limit: int | None = None, after: Sequence[Any] | None = None) -> Rows:
        """The rows as Python values."""
        text = statement(f"serving/{self.file}.sql", **self.names)
        # Binary: the driver cannot read durations in the style that JSON needs.
        cursor = connection.execute(text, self.parameters(limit, after), binary=True)
        described = cursor.description or []
        return Rows(
            [column.name for column in described], [column.type_code for column in described], cursor.fetchall()
        )


class Rows(NamedTuple):
    """Values by row; types: PostgreSQL's object ids of the columns' types."""

    names: list[str]
    types: list[int]
    values: list[tuple[Any, ...]]

    def as_dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.values]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that were worked out in Python instead of selected.

    file: names the question, as a selection's does. columns: PostgreSQL's object id of the type, by name. data: rows in
    the order of their key. values, key: as a selection's.
    """

    file: str
    columns: Mapping[str, int]
    data: Sequence[tuple[Any, ...]]
    key: Sequence[str]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_rows(self) -> Rows:
        return Rows(list(self.columns), list(self.columns.values()), list(self.data))


class Answer(NamedTuple):
    """Rows and how far they can be trusted."""

    selection: Selection | Table
    trust: Trust
