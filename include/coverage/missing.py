"""Where a live run has to begin so that it heals what it missed, and what a resumed one may pass over."""

from __future__ import annotations

from datetime import datetime

from include.coverage.spans import Span, from_ranges, to_range
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def first_missing(
    connection: Connection, instrument_id: int, timeframe: str, since: datetime, until: datetime
) -> datetime | None:
    """The earliest open time (UTC) in [since, until), from the series' first candle on, with neither a candle nor a
    reason in the ledger; None for none.
    """
    values = {"instrument_id": instrument_id, "timeframe": timeframe, "since": since, "until": until}
    row = connection.execute(statement("coverage/first_missing.sql"), values).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def settled_by(connection: Connection, instrument_id: int, timeframe: str, source: str, window: Span) -> list[Span]:
    """Open times within the window that `source` answered before, each with a candle or a reason in the ledger."""
    values = {"instrument_id": instrument_id, "timeframe": timeframe, "source": source, "covers": to_range(window)}
    row = connection.execute(statement("coverage/select_settled_by.sql"), values).fetchone()
    return from_ranges(row[0] if row else [])
