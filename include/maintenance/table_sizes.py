"""The largest tables and their dead rows; autovacuum's work is watched here, not done."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from include.warehouse.connection import Connection
from include.warehouse.sql import statement

LARGEST = 10


class TableSize(NamedTuple):
    """A table with its indexes. vacuumed_at: the last vacuum (UTC), None for none since the statistics began."""

    table: str
    bytes: int
    live_rows: int
    dead_rows: int
    vacuumed_at: datetime | None

    def __str__(self) -> str:
        vacuumed = f"{self.vacuumed_at:%Y-%m-%d %H:%M}" if self.vacuumed_at else "not yet"
        rows = f"{self.live_rows:,} rows, {self.dead_rows:,} dead"
        return f"{self.table}: {self.bytes:,} bytes, {rows}, vacuumed {vacuumed}"


def table_sizes(connection: Connection) -> list[TableSize]:
    """The LARGEST tables, largest first."""
    return [TableSize(*row) for row in connection.execute(statement("maintenance/table_sizes.sql"), {"most": LARGEST})]
