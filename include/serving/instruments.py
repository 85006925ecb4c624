"""Which markets there are."""

from __future__ import annotations

from include.serving.selection import Snapshot, UnknownSubjectError
from include.warehouse.sql import statement


def instrument_of(look: Snapshot, venue: str, symbol: str) -> int:
    """instrument_id of a market. Raises UnknownSubjectError, naming the markets there are."""
    found = look.connection.execute(statement("serving/instrument_ids.sql")).fetchall()
    known = {(row[0], row[1]): int(row[2]) for row in found}
    if (venue, symbol) not in known:
        named = ", ".join(f"{each} {name}" for each, name in known) or "none yet"
        raise UnknownSubjectError(f"there is no market {symbol} at {venue}; known: {named}")
    return known[venue, symbol]
