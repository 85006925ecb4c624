"""One exchange with every source its candles can come from, each behind its own host's budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from crypto_market.hooks.gates import PriorityName, gate
from crypto_market.hooks.venues import BinanceArchiveHook, CoinbaseAdvancedHook, KrakenHook, MarketVenueHook

if TYPE_CHECKING:
    from include.collect.page_sources import PageSources
    from include.venues.gate import Gate
    from include.venues.model import MarketVenue


@contextmanager
def venue_client(venue: str, priority: PriorityName, warehouse_conn_id: str = "warehouse") -> Iterator[MarketVenue]:
    """The exchange's client."""
    with page_sources(venue, priority, warehouse_conn_id=warehouse_conn_id) as sources:
        yield sources.venue


@contextmanager
def page_sources(
    venue: str, priority: PriorityName, *, fold_trades: bool = False, warehouse_conn_id: str = "warehouse"
) -> Iterator[PageSources]:
    """The exchange's client and its other sources.

    fold_trades: whether history that only Kraken's trades reach may be folded from them.
    """
    from include.collect import page_sources as sources

    with ExitStack() as stack:

        def entered(source: str) -> Gate:
            return stack.enter_context(gate(source, priority, warehouse_conn_id))

        own = entered(venue)
        if venue == "binance":
            archive = BinanceArchiveHook().client(entered("binance_archive"))
            yield sources.binance(MarketVenueHook(venue).client(own), archive)
        elif venue == "kraken":
            hook = KrakenHook()
            yield sources.kraken(hook.transport(), own, hook.ohlcvt_folder(), fold_trades=fold_trades)
        elif venue == "coinbase":
            advanced = CoinbaseAdvancedHook().client(entered("coinbase_advanced"))
            yield sources.coinbase(MarketVenueHook(venue).transport(), own, advanced)
        else:
            yield sources.rest_only(MarketVenueHook(venue).client(own), venue)
