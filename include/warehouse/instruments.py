"""Markets of the configuration as rows of market.instrument."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from include.config.markets import Market
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class Instrument(NamedTuple):
    """A row of market.instrument. `status` is the venue's own word, None before its listing was asked.

    listed_at, delisted_at: half-open span of open times (UTC) in which the venue makes candles.
    """

    instrument_id: int
    venue_symbol: str
    listed_at: datetime
    delisted_at: datetime | None = None
    status: str | None = None
    resolved_at: datetime | None = None
    is_trading: bool | None = None


def ensure_instrument(connection: Connection, market: Market) -> int:
    """The market's instrument_id; the row is made, or brought in line with the configuration, where needed."""
    return stored_instrument(connection, market).instrument_id


def stored_instrument(connection: Connection, market: Market) -> Instrument:
    """The market's row; made, or brought in line with the configuration, where the venue was not asked yet."""
    found = _select(connection, market)
    seeded = found and (found.venue_symbol, found.listed_at) == (market.venue_symbol, market.listed_at)
    if found is None or not (seeded or found.resolved_at):
        values = {
            "venue": market.venue,
            "symbol": market.symbol,
            "venue_symbol": market.venue_symbol,
            "listed_at": market.listed_at,
        }
        connection.execute(statement("upsert/upsert_instrument.sql"), values)
        found = _select(connection, market)
    if found is None:
        raise RuntimeError(f"{market.key} was not stored")
    return found


def store_listing(
    connection: Connection,
    instrument: Instrument,
    *,
    venue_symbol: str,
    status: str,
    is_trading: bool,
    listed_at: datetime,
    delisted_at: datetime | None,
    resolved_at: datetime,
) -> Instrument:
    """Keep what the venue's listing says. `delisted_at` counts for a market that does not trade."""
    values = {
        "instrument_id": instrument.instrument_id,
        "venue_symbol": venue_symbol,
        "status": status,
        "is_trading": is_trading,
        "listed_at": listed_at,
        "delisted_at": delisted_at,
        "resolved_at": resolved_at,
    }
    connection.execute(statement("upsert/resolve_instrument.sql"), values)
    kept = None if is_trading else delisted_at
    return Instrument(instrument.instrument_id, venue_symbol, listed_at, kept, status, resolved_at, is_trading)


def _select(connection: Connection, market: Market) -> Instrument | None:
    values = {"venue": market.venue, "symbol": market.symbol}
    row = connection.execute(statement("upsert/select_instrument.sql"), values).fetchone()
    return Instrument(*row) if row else None
