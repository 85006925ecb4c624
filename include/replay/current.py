"""A venue's book as of the world's clock."""

from __future__ import annotations

from collections.abc import Mapping

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.clock import ReplayClock
from include.replay.world import Book, ReplayMarket


class CurrentBook:
    """The markets a venue lists at the clock's now, each with the span of data that reaches it.

    What lies in another span is of no use then: the hole between them is the recording's, not the venue's.
    """

    def __init__(self, book: Book, clock: ReplayClock) -> None:
        self._book = book
        self._clock = clock

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        now_ms = self._clock.now_ms()
        return {symbol: market for symbol, market in self._book.markets.items() if market.span_at(now_ms)}

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        span = self._book.markets[symbol].span_at(self._clock.now_ms())
        if span is None:
            return b.no_bars()
        # The bucket the span begins in is its first candle, as a listing's first day is a short one.
        first = span.first_open_ms - span.first_open_ms % b.STEP_MS[timeframe]
        return self._book.closed(symbol, timeframe, max(start_ms, first), min(end_ms, span.end_ms), limit, newest)

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return self._book.finer(symbol, timeframe)
