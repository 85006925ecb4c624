"""COPY into a temporary table: the first half of every bulk upsert."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from psycopg import sql

from include.warehouse.connection import Connection
from include.warehouse.sql import statement

Row = TypeVar("Row", bound=tuple[object, ...])


class UpsertCounts(NamedTuple):
    """What an upsert did with the rows it was given (duplicates merged first)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def plus(self, other: UpsertCounts) -> UpsertCounts:
        """Both together, for a caller that upserts page by page."""
        return UpsertCounts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


class ContradictingRowsError(ValueError):
    """One batch holds two different rows of the same key; which is right cannot be known here."""


def merge_duplicates(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> list[Row]:
    """Rows with equal duplicates merged, ordered by key. Raises ContradictingRowsError for unequal ones."""
    by_key: dict[Hashable, Row] = {}
    for row in rows:
        first = by_key.setdefault(key(row), row)
        if first != row:
            raise ContradictingRowsError(f"two different rows for {key(row)}: {first} and {row}")
    return [by_key[each] for each in sorted(by_key)]  # type: ignore[type-var]


def stage(
    connection: Connection, staging: str, target: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Fill the temporary table `staging` with `rows`; its `columns` take their types from the table `target`.

    Needs an open transaction: the rows are gone when it ends.
    """
    make_staging(connection, staging, target, columns)
    with connection.cursor() as cursor, cursor.copy(_copy_in(staging, columns)) as copy:
        for row in rows:
            copy.write_row(row)


def make_staging(connection: Connection, staging: str, target: str, columns: Sequence[str]) -> None:
    """An empty temporary table whose `columns` have their types from the table `target`."""
    connection.execute(statement("upsert/create_staging.sql", staging=staging, target=target, columns=list(columns)))


def copy_binary(connection: Connection, table: str, columns: Sequence[str], pieces: Iterable[bytes]) -> None:
    """COPY a stream of PostgreSQL's binary format into `columns` of `table` (`schema.name`, or a temporary table)."""
    copy_in = _copy_in(table, columns) + sql.SQL(" with (format binary)")
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for piece in pieces:
            copy.write(piece)


def _copy_in(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
