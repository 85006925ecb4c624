"""Spot snapshots of a venue into market.ticker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from include.venues.model import Ticker
from include.warehouse.connection import Connection
from include.warehouse.snapshots import upsert_snapshots
from include.warehouse.staging import UpsertCounts

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
    return upsert_snapshots(
        connection, "market.ticker", COLUMNS, rows, source=source, world=world, recorded_at=recorded_at
    )
