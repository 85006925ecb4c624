"""Spot snapshots of a venue into market.ticker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from include.venues.model import Ticker
from include.warehouse.connection import Connection, lock
from include.warehouse.snapshots import upsert_snapshots
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts

TABLE = "market.ticker"  # partitioned by month of observed_at
COLUMNS = ("instrument_id", *Ticker._fields[1:])


def upsert_tickers(
    connection: Connection,
    tickers: Iterable[Ticker],
    instrument_ids: Mapping[str, int],
    *,
    source: str,
    world: str,
    recorded_at: datetime,
) -> UpsertCounts:
    """Write tickers in one transaction; a repeat writes nothing, a figure not supplied erases none.

    instrument_ids: by the symbol the tickers carry (the venue's own name). recorded_at: our knowledge time (UTC).
    Raises KeyError for a symbol without an id, ContradictingRowsError, WorldMismatchError, and CheckViolation of
    psycopg for an insane figure; nothing is written then.
    """
    rows = [(instrument_ids[ticker.symbol], *ticker[1:]) for ticker in tickers]
    with connection.transaction():
        if rows:
            lock(connection, TABLE)
            add_months(connection, {row[1].astimezone(UTC).date().replace(day=1) for row in rows})
        return upsert_snapshots(connection, TABLE, COLUMNS, rows, source=source, world=world, recorded_at=recorded_at)


def add_months(connection: Connection, months: Iterable[date]) -> None:
    """See to it that the table has a partition for each month (its first day, UTC)."""
    connection.execute(statement("upsert/add_ticker_months.sql"), {"months": list(months)})
