"""Coinbase: candles, tickers and listings from Exchange, and from Advanced Trade what Exchange does not have or give.

An interval without trades has no candle, so that a window without candles is legal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from include.candles.model import RejectedRow
from include.candles.normalise import is_finished
from include.candles.timeframes import ceil, floor, step
from include.candles.validate import raw_text, split_valid
from include.venues import coinbase_rows
from include.venues.capabilities import CAPABILITIES
from include.venues.coinbase_advanced import CoinbaseAdvanced
from include.venues.coinbase_exchange import TIMEFRAMES, VENUE, CoinbaseExchange
from include.venues.coinbase_rows import UNREADABLE, Rows
from include.venues.errors import CircuitOpenError, NoDataError, UnavailableError, VenueError
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Retry, Transport, world
from include.venues.in_flight import in_order
from include.venues.model import CandlePage, Listing, Observations, Ticker

T = TypeVar("T")
P = ParamSpec("P")

_log = logging.getLogger(__name__)

LIMITS = CAPABILITIES[VENUE]
FIRST_DAY = datetime(2015, 7, 20, tzinfo=UTC)  # no market has older candles
# A window that ends this close to now is checked against the venue's clock: the worker's may be ahead.
CLOCK_DOUBT = timedelta(days=1)
# A candle that has just closed may be absent for a moment: only after this does its absence mean "no trades".
SETTLING = timedelta(minutes=1)
# A live market trades every few seconds; an older ticker is dead.
STALE_TICKER = timedelta(minutes=10)


class CandleSource(Protocol):
    """One of the venue's two interfaces."""

    def rows(self, venue_symbol: str, timeframe: str, start: datetime, stop: datetime) -> Rows: ...

    def server_time(self) -> datetime: ...


class Coinbase:
    """Client of Exchange over `transport`, with `advanced` for what Exchange does not give.

    Without `advanced` there are no 30m, 2h and 4h candles, and nothing to fall back to while Exchange is down.
    """

    def __init__(
        self,
        transport: Transport,
        retry: Retry | None = None,
        gate: Gate = NO_GATE,
        advanced: CoinbaseAdvanced | None = None,
    ) -> None:
        self._exchange = CoinbaseExchange(transport, retry or Retry(), gate)
        self._advanced = advanced

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles whose open time lies in [start, end), page by page, oldest first; none is invented.

        Pages are asked for side by side. One without candles is a stretch without trades. Nothing is asked where no
        candle of the window is closed at `now` (by our clock and the venue's). Raises a VenueError,
        UnknownSymbolError for a symbol the venue does not list.
        """
        sources = self._sources(timeframe)
        first = ceil(start, timeframe)
        if end > now - CLOCK_DOUBT and first < floor(now, timeframe):
            now = min(now, sources.ask(_server_time))
        stop = min(ceil(end, timeframe), floor(now, timeframe))

        def page(window: tuple[datetime, datetime]) -> CandlePage:
            return sources.ask(_page, venue_symbol, timeframe, *window, now)

        for answer in in_order(page, _windows(timeframe, first, stop), LIMITS.concurrency):
            if answer.start < answer.end or answer.rejected:
                yield answer

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the first candle the venue has ever had; NoDataError where there is none yet.

        Finds its day first, a page of days at a time, then looks into that day.
        """
        start, last = FIRST_DAY, now
        for unit in dict.fromkeys(("1d", timeframe)):
            sources = self._sources(unit)
            windows = _windows(unit, start, floor(last, unit) + step(unit))
            opened = (sources.ask(_first_open, venue_symbol, unit, *window) for window in windows)
            found = next(filter(None, opened), None)
            if found is None:
                raise NoDataError(VENUE, f"no {unit} candle of {venue_symbol} at all from {start} to {last}")
            start, last = found, min(now, found + step(unit))
        return start

    def listing(self, symbol: str) -> Listing:
        """The market `BASE/QUOTE` as it is listed now; UnknownSymbolError where it is not."""
        return self._exchange.listing(symbol)

    def tickers(self, venue_symbols: Sequence[str], now: datetime) -> Observations[Ticker]:
        """Last trade, best prices and rolling 24 h of the symbols, observed at the last trade.

        Dead ones are refused: no trade, or 10 minutes old at `now`. Raises UnknownSymbolError when any of the symbols
        is not listed, NoDataError when none has a live ticker.
        """
        tickers: list[Ticker] = []
        rejected: list[RejectedRow] = []
        worlds: list[str] = []
        urls: list[str] = []
        names = list(dict.fromkeys(venue_symbols))
        for name, answer in zip(names, in_order(self._exchange.ticker, names, LIMITS.concurrency), strict=True):
            last, day, response = answer
            worlds.append(world(response))
            urls.append(response.url)
            raw = raw_text({"symbol": name, "ticker": last, "stats": day})
            try:
                ticker = coinbase_rows.ticker(name, last, day)
            except UNREADABLE as error:
                rejected.append(RejectedRow(f"ticker cannot be read: {error!r}", raw))
                continue
            if not ticker.base_volume_24h or ticker.last <= 0:
                rejected.append(RejectedRow("ticker without trades", raw))
            elif ticker.observed_at < now - STALE_TICKER:
                rejected.append(RejectedRow("ticker is stale", raw))
            else:
                tickers.append(ticker)
        if not tickers:
            raise NoDataError(VENUE, f"no live ticker among {len(urls)} answers: {' '.join(urls)}")
        return Observations(tickers, worlds[0], " ".join(urls), rejected)

    def _sources(self, timeframe: str) -> _FirstThatAnswers:
        if timeframe not in LIMITS.timeframes:
            raise ValueError(f"{VENUE} has no timeframe {timeframe!r}; it has {', '.join(LIMITS.timeframes)}")
        if timeframe in TIMEFRAMES:
            return _FirstThatAnswers(self._exchange, self._advanced)
        if self._advanced is None:
            raise ValueError(f"{VENUE} has {timeframe} from Advanced Trade alone, which this client was not given")
        return _FirstThatAnswers(self._advanced)


class _FirstThatAnswers:
    """The sources of one call: once the first is down, the rest of the call asks the second, if there is one."""

    def __init__(self, first: CandleSource, second: CandleSource | None = None) -> None:
        self._first = first
        self._second = second
        self._outage: UnavailableError | CircuitOpenError | None = None

    def ask(self, question: Callable[Concatenate[CandleSource, P], T], /, *details: P.args, **more: P.kwargs) -> T:
        """Answer to the question; the first source's outage is raised where the second has no answer either."""
        if self._outage is None or self._second is None:
            try:
                return question(self._first, *details, **more)
            except (UnavailableError, CircuitOpenError) as error:  # the first outages open the circuit for those after
                if self._second is None:
                    raise
                _log.warning("asking Advanced Trade instead: %s", error)
                self._outage = error
        try:
            return question(self._second, *details, **more)
        except VenueError as error:
            raise self._outage from error


def _windows(timeframe: str, start: datetime, stop: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, stop) in pages, both aligned; none where it is empty."""
    while start < stop:
        end = min(start + LIMITS.page_size * step(timeframe), stop)
        yield start, end
        start = end


def _server_time(source: CandleSource) -> datetime:
    return source.server_time()


def _first_open(
    source: CandleSource, venue_symbol: str, timeframe: str, start: datetime, stop: datetime
) -> datetime | None:
    """Open time of the oldest candle in [start, stop), finished or not."""
    rows = _belonging(source.rows(venue_symbol, timeframe, start, stop))
    return min((candle.opened_at for candle, _ in rows.read if start <= candle.opened_at < stop), default=None)


def _page(
    source: CandleSource, venue_symbol: str, timeframe: str, start: datetime, stop: datetime, now: datetime
) -> CandlePage:
    rows = _belonging(source.rows(venue_symbol, timeframe, start, stop))
    # Rows before the window are the venue's habit, those between its end and `until` were asked for to be safe.
    own = [
        (candle, raw)
        for candle, raw in rows.read
        if (start <= candle.opened_at < stop or candle.opened_at >= rows.until)
        and is_finished(candle.opened_at, timeframe, now)
    ]
    good, refused = split_valid(own, timeframe, start, stop)
    refused = rows.rejected + refused
    seen = [candle.opened_at for candle in good] + [row.opened_at for row in refused if row.opened_at]
    covered = max(
        (floor(opened, timeframe) + step(timeframe) for opened in seen if start <= opened < stop), default=start
    )
    # What is missing at the end of the window, and closed only just now, may still come.
    end = max(covered, min(stop, floor(now - SETTLING, timeframe)))
    return CandlePage(
        good, refused, world(rows.response), rows.source, rows.response.url, rows.response.sha256, start, end
    )


def _belonging(rows: Rows) -> Rows:
    """The rows, if they can be an answer to what was asked; UnavailableError where all lie after it."""
    opened = [candle.opened_at for candle, _ in rows.read]
    if opened and min(opened) >= rows.until:
        detail = raw_text(rows.read[-1][1])
        raise UnavailableError(VENUE, f"answer does not belong to its window: {rows.response.url}: {detail}")
    return rows
