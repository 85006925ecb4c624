"""Markets of the configuration as rows of market.instrument."""

from __future__ import annotations

from include.config.markets import Market
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def ensure_instrument(connection: Connection, market: Market) -> int:
    """The market's instrument_id; the row is made, or brought in line with the configuration, where needed."""
    values = {
        "venue": market.venue,
        "symbol": market.symbol,
        "venue_symbol": market.venue_symbol,
        "listed_at": market.listed_at,
    }
    row = connection.execute(statement("upsert/select_instrument.sql"), values).fetchone()
    if row is None:
        row = connection.execute(statement("upsert/upsert_instrument.sql"), values).fetchone()
    if row is None:
        raise RuntimeError(f"{market.key} was not stored")
    return int(row[0])
