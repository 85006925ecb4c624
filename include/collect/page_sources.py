"""One exchange and every source its candles can come from; pages of a planned stretch, with what to fall back to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.collect.archive_pages import SourcedPage, archive_pages
from include.collect.sources import (
    BINANCE_ARCHIVE,
    KRAKEN_OHLCVT,
    KRAKEN_TRADES,
    OUT_OF_REACH,
    Segment,
    SourceSettings,
    rest_of,
)
from include.coverage.spans import Span, subtract, union
from include.venues.binance_archive import BinanceArchive
from include.venues.coinbase import Coinbase
from include.venues.coinbase_advanced import CoinbaseAdvanced
from include.venues.errors import OutOfReachError
from include.venues.gate import Gate
from include.venues.http import Transport
from include.venues.kraken import Kraken
from include.venues.kraken_ohlcvt import KrakenOhlcvt
from include.venues.kraken_trades import KrakenTrades
from include.venues.model import CandlePage, MarketVenue

_log = logging.getLogger(__name__)

# venue_symbol, timeframe, start, end, now -> pages, oldest first
Pages = Callable[[str, str, datetime, datetime, datetime], Iterator[CandlePage]]


@dataclass(frozen=True, slots=True)
class PageSources:
    """`venue` is the exchange's client, `by_name` what else its candles come from, by `CandlePage.source`."""

    venue: MarketVenue
    name: str
    by_name: Mapping[str, Pages] = field(default_factory=dict)
    archive: BinanceArchive | None = None

    @property
    def settings(self) -> SourceSettings:
        """What a plan may count on."""
        return SourceSettings(KRAKEN_OHLCVT in self.by_name, KRAKEN_TRADES in self.by_name)

    def pages(self, segment: Segment, venue_symbol: str, timeframe: str, now: datetime) -> Iterator[SourcedPage]:
        """Pages of a segment, oldest first; what its source does not reach is taken from its fallbacks.

        Raises a VenueError, OutOfReachError where no fallback is left either.
        """
        if segment.source == BINANCE_ARCHIVE and self.archive:
            yield from archive_pages(self.archive, self.venue, segment, now)
            return
        answered: list[Span] = []
        try:
            for page in self._source(segment.source)(venue_symbol, timeframe, segment.start, segment.end, now):
                answered.append(Span(page.start, page.end))
                yield SourcedPage(page)
        except OutOfReachError as error:
            usable = [source for source in segment.fallbacks if source != OUT_OF_REACH]
            if not usable:
                raise
            # What it did answer stays its own: a coarser source must not overwrite it.
            for start, end in subtract([Span(segment.start, segment.end)], union(answered)):
                _log.warning("%s is asked from %s to %s: %s", usable[0], start, end, error)
                rest = segment._replace(source=usable[0], start=start, end=end, fallbacks=segment.fallbacks[1:])
                yield from self.pages(rest, venue_symbol, timeframe, now)

    def _source(self, name: str) -> Pages:
        return self.venue.candles if name == rest_of(self.name) else self.by_name[name]


def binance(client: MarketVenue, archive: BinanceArchive) -> PageSources:
    """REST, and the published files for whole months."""
    return PageSources(client, "binance", archive=archive)


def kraken(transport: Transport, gate: Gate, folder: Any | None = None, *, fold_trades: bool = False) -> PageSources:
    """REST, the downloaded OHLCVT files where `folder` (a pathlib.Path or alike) holds them, trades where allowed."""
    others: dict[str, Pages] = {}
    if folder is not None:
        others[KRAKEN_OHLCVT] = KrakenOhlcvt(folder).candles
    if fold_trades:
        others[KRAKEN_TRADES] = KrakenTrades(transport, gate=gate).candles
    return PageSources(Kraken(transport, gate=gate), "kraken", others)


def coinbase(transport: Transport, gate: Gate, advanced: CoinbaseAdvanced) -> PageSources:
    """Exchange, with Advanced Trade for what it lacks or while it is down."""
    return PageSources(Coinbase(transport, gate=gate, advanced=advanced), "coinbase")


def rest_only(client: MarketVenue, venue: str) -> PageSources:
    """A venue whose own interface is all there is."""
    return PageSources(client, venue)
