"""Which markets there are."""

from __future__ import annotations

from include.serving.selection import Answer, Selection, Snapshot, UnknownSubjectError
from include.serving.trust import Reason
from include.warehouse.sql import statement


def instruments(look: Snapshot) -> Answer:
    """Every market, by venue and symbol. The answer abstains where there is none at all."""
    none = Reason("nothing_known", "there is no market yet: nothing has been collected")
    trust = look.trust(None, None).because(None if _markets(look) else none)
    return Answer(Selection("instruments", key=("venue", "symbol")), trust)


def instrument_of(look: Snapshot, venue: str, symbol: str) -> int:
    """instrument_id of a market. Raises UnknownSubjectError, naming the markets there are."""
    known = _markets(look)
    if (venue, symbol) not in known:
        named = ", ".join(f"{each} {name}" for each, name in known) or "none yet"
        raise UnknownSubjectError(f"there is no market {symbol} at {venue}; known: {named}")
    return known[venue, symbol]


def _markets(look: Snapshot) -> dict[tuple[str, str], int]:
    """instrument_id by venue and symbol, in their order."""
    found = look.connection.execute(statement("serving/instrument_ids.sql")).fetchall()
    return {(venue, symbol): int(instrument_id) for venue, symbol, instrument_id in found}
