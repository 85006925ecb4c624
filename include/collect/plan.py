"""Which markets a window can hold anything of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include.config.markets import VENUES, market_by_key


class BeforeListingError(ValueError):
    """The window ends before any of the markets was listed."""


def markets_by_venue(keys: Sequence[str], start: datetime, end: datetime) -> dict[str, list[str]]:
    """`markets_to_collect` by venue, with an empty list for each venue that has none. Raises as it does."""
    markets = [market_by_key(key) for key in markets_to_collect(keys, start, end)]
    return {venue: [market.key for market in markets if market.venue == venue] for venue in VENUES}


def markets_to_collect(keys: Sequence[str], start: datetime, end: datetime) -> list[str]:
    """Those of the markets that were listed before the window's end.

    Raises UnknownMarketError for a market that is not configured, BeforeListingError where none was listed yet.
    """
    markets = [market_by_key(key) for key in keys]
    listed = [market.key for market in markets if market.listed_at < end]
    if not listed:
        dates = ", ".join(f"{m.key} since {m.listed_at:%Y-%m-%d %H:%M}" for m in markets)
        raise BeforeListingError(f"nothing to collect from {start:%Y-%m-%d} to {end:%Y-%m-%d}: {dates} (UTC)")
    return listed
