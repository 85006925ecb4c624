"""Where a live run has to begin so that it heals what it missed."""

from __future__ import annotations

from datetime import datetime

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
