"""Markets of the configuration as rows of market.instrument."""

from __future__ import annotations

from typing import NamedTuple

from include.config.markets import Market
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class Instrument(NamedTuple):
    """One row of market.instrument, as a consumer of several markets needs it."""

    instrument_id: int
    venue: str
    symbol: str


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


def instruments(connection: Connection) -> list[Instrument]:
    """Every instrument the warehouse knows, by id."""
    rows = connection.execute("select instrument_id, venue, symbol from market.instrument order by instrument_id")
    return [Instrument(*row) for row in rows]
