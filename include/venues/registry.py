"""The exchanges candles and tickers come from: our name of each, and where its client is. One line per venue."""

from __future__ import annotations

import importlib
from typing import cast

from include.venues.gate import NO_GATE, Gate
from include.venues.http import Retry, Transport
from include.venues.model import MarketVenue

# venue -> module and class of its client; imported when first asked for
MARKET_VENUES: dict[str, tuple[str, str]] = {
    "binance": ("include.venues.binance", "Binance"),
    "kraken": ("include.venues.kraken", "Kraken"),
    "coinbase": ("include.venues.coinbase", "Coinbase"),
}


class UnknownVenueError(ValueError):
    """A venue was named that has no client."""


def market_venue(venue: str, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> MarketVenue:
    """The client of an exchange over `transport`. Raises UnknownVenueError naming those there are."""
    if venue not in MARKET_VENUES:
        raise UnknownVenueError(f"no client for venue {venue!r}; known: {', '.join(MARKET_VENUES)}")
    module, name = MARKET_VENUES[venue]
    return cast(MarketVenue, getattr(importlib.import_module(module), name)(transport, retry, gate))
