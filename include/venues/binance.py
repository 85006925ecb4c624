"""Binance spot, public market data (`/api/v3`): candles, 24 h tickers, server time, listings.

All prices and volumes arrive as strings and stay exact. The wire's window includes both ends; ours is half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import DecimalException
from typing import Any, TypeVar

from include.candles.klines import Klines, klines_of, parse_kline_json, time_of
from include.candles.model import RejectedRow
from include.candles.timeframes import EPOCH, ceil, floor, step
from include.candles.validate import raw_text
from include.venues import binance_rows
from include.venues.answers import read_json
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import (
    AuthenticationError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Params, Response, Retry, Transport, fetch, world
from include.venues.in_flight import in_order
from include.venues.model import CandlePage, Listing, Observations, SymbolStatus, Ticker

T = TypeVar("T")

VENUE = "binance"
SOURCE = "binance-rest"
LIMITS = CAPABILITIES[VENUE]
INTERNAL_CODES = frozenset({-1000, -1001, -1006, -1007, -1008, -1016})
TOO_MANY_REQUESTS_CODE = -1003
INVALID_SYMBOL_CODE = -1121
MILLISECOND = timedelta(milliseconds=1)
# A window that ends this close to now is checked against the venue's clock: the worker's may be ahead.
CLOCK_DOUBT = timedelta(days=1)
# A live symbol updates its ticker every second; an older one is dead.
STALE_TICKER = timedelta(minutes=10)
EXCERPT_BYTES = 200


class Binance:
    """Client of one base URL; `transport` decides between the real venue, its market-data mirror and a replay.

    concurrency: most requests for candles in flight at once.
    """

    def __init__(
        self,
        transport: Transport,
        retry: Retry | None = None,
        gate: Gate = NO_GATE,
        concurrency: int = LIMITS.concurrency,
    ) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate
        self._concurrency = concurrency

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles whose open time lies in [start, end), page by page, oldest first; none is invented.

        Several pages are asked for at once; leaving early asks for no more. Hours the venue does not have are simply
        absent. Nothing is asked where no candle of the window is closed at `now` (by our clock and the venue's).
        Raises a VenueError, UnknownSymbolError for a symbol it does not list.
        """
        _require_timeframe(timeframe)
        first = ceil(start, timeframe)
        if end > now - CLOCK_DOUBT and first < floor(now, timeframe):
            now = min(now, self.server_time())
        stop = min(ceil(end, timeframe), floor(now, timeframe))
        # No more open times than a page holds rows: none is cut by the limit, and each can be asked for on its own.
        span = LIMITS.page_size * step(timeframe)
        if stop - first <= span:
            yield from self._pages(venue_symbol, timeframe, first, stop, now)
            return

        def ask(begin: datetime) -> list[CandlePage]:
            return list(self._pages(venue_symbol, timeframe, begin, min(begin + span, stop), now))

        begins = (first + number * span for number in range(-((first - stop) // span)))
        for pages in in_order(ask, begins, self._concurrency):
            yield from pages

    def tickers(self, venue_symbols: Sequence[str], now: datetime | None = None) -> Observations[Ticker]:
        """Rolling 24 h tickers of the symbols. Dead ones are refused: no trade, or 10 minutes old at `now`.

        Raises UnknownSymbolError when any of the symbols is not listed, NoDataError when none has a live ticker.
        """
        names = ",".join(f'"{name}"' for name in dict.fromkeys(venue_symbols))
        rows, response = self._get("/api/v3/ticker/24hr", {"symbols": f"[{names}]"}, _rows, LIMITS.tickers_weight)
        tickers: list[Ticker] = []
        rejected: list[RejectedRow] = []
        for row in rows:
            try:
                ticker = binance_rows.ticker(row)
            except (KeyError, TypeError, ValueError, DecimalException) as error:
                rejected.append(RejectedRow(f"ticker cannot be read: {error!r}", raw_text(row)))
                continue
            if not ticker.trade_count_24h or ticker.last <= 0:
                rejected.append(RejectedRow("ticker without trades", raw_text(row)))
            elif now is not None and ticker.observed_at < now - STALE_TICKER:
                rejected.append(RejectedRow("ticker is stale", raw_text(row)))
            else:
                tickers.append(ticker)
        if not tickers:
            raise NoDataError(VENUE, f"no live ticker among {len(rows)} rows of {response.url}")
        return Observations(tickers, world(response), response.url, rejected)

    def server_time(self) -> datetime:
        """The venue's clock."""
        return self._get("/api/v3/time", None, lambda answer: time_of(answer["serverTime"]))[0]

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the first candle the venue has ever had; NoDataError where there is none yet."""
        _require_timeframe(timeframe)
        params: Params = {"symbol": venue_symbol, "interval": timeframe, "startTime": 0, "limit": 1}
        times, response = self._get(
            "/api/v3/klines",
            params,
            lambda answer: [time_of(row[0]) for row in _rows(answer)],
            LIMITS.candles_weight,
        )
        if not times:
            raise NoDataError(VENUE, f"no candle at all in {response.url}")
        return times[0]

    def listing(self, symbol: str) -> Listing:
        """The market `BASE/QUOTE` as it is listed now; UnknownSymbolError where it is not."""
        found = self.symbol_status(symbol.replace("/", ""))
        if f"{found.base}/{found.quote}" != symbol:
            raise UnknownSymbolError(VENUE, f"{found.symbol} is {found.base}/{found.quote}, not {symbol}")
        return Listing(symbol, found.symbol, found.status, found.is_trading)

    def symbol_status(self, venue_symbol: str) -> SymbolStatus:
        """How the symbol is listed now; UnknownSymbolError where it is not."""
        params: Params = {"symbol": venue_symbol}
        return self._get("/api/v3/exchangeInfo", params, binance_rows.symbol_status, LIMITS.listing_weight)[0]

    def _pages(
        self, venue_symbol: str, timeframe: str, start: datetime, stop: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """The window's one page; more where rows beyond its last may be left: a lower limit, or a hole at the end."""
        asked_from = start
        while start < stop:
            params: Params = {
                "symbol": venue_symbol,
                "interval": timeframe,
                "startTime": (asked_from - EPOCH) // MILLISECOND,
                "endTime": (stop - EPOCH) // MILLISECOND - 1,
                "limit": LIMITS.page_size,
            }
            klines, response = self._ask("/api/v3/klines", params, _klines, LIMITS.candles_weight)
            newest = klines.newest()
            if newest and newest < asked_from:
                excerpt = response.body[:EXCERPT_BYTES]
                raise UnavailableError(VENUE, f"answer does not belong to its window: {response.url}: {excerpt!r}")
            # A page without a row (whose time can be read) is the venue's word for all the rest.
            until = min(stop, floor(newest, timeframe) + step(timeframe)) if newest else stop
            good, rejected = klines.valid(timeframe, start, stop, now)
            yield CandlePage(good, rejected, world(response), SOURCE, response.url, response.sha256, start, until)
            if newest is None:
                return
            start, asked_from = until, newest + MILLISECOND

    def _get(
        self, path: str, params: Params | None, interpret: Callable[[Any], T], weight: float = 1
    ) -> tuple[T, Response]:
        """What `interpret` makes of the answer's JSON."""
        return self._ask(path, params, lambda response: interpret(read_json(VENUE, response, _refusal)), weight)

    def _ask(
        self, path: str, params: Params | None, read: Callable[[Response], T], weight: float
    ) -> tuple[T, Response]:
        """What `read` makes of the answer; an answer it cannot make anything of counts as an outage."""

        def understood(response: Response) -> tuple[T, Response]:
            try:
                return read(response), response
            except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        return fetch(
            VENUE, self._transport, path, params, understood, retry=self._retry, gate=self._gate, weight=weight
        )


def _klines(response: Response) -> Klines:
    usual = parse_kline_json(response.body) if response.status < 300 else None
    return usual or klines_of(_rows(read_json(VENUE, response, _refusal)))


def _rows(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise TypeError(f"a list was expected, not {type(answer).__name__}")
    return answer


def _refusal(response: Response, body: Any) -> VenueError:
    """The error of a 4xx answer by the venue's own code; its messages vary."""
    fields = body if isinstance(body, dict) else {}
    code = fields.get("code")
    message = f"{fields.get('msg', body)} (code {code}, HTTP {response.status}, {response.url})"
    if code in INTERNAL_CODES:
        return UnavailableError(VENUE, message)
    if code == TOO_MANY_REQUESTS_CODE:
        return RateLimitedError(VENUE, message)
    if code == INVALID_SYMBOL_CODE:
        return UnknownSymbolError(VENUE, message, code)
    if response.status in (401, 403):
        return AuthenticationError(VENUE, message)
    return RequestRejectedError(VENUE, message, code if isinstance(code, int) else None)


def _require_timeframe(timeframe: str) -> None:
    if timeframe not in LIMITS.timeframes:
        raise ValueError(f"{VENUE} has no timeframe {timeframe!r}; it has {', '.join(LIMITS.timeframes)}")
