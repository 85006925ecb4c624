"""Binance spot, public market data (`/api/v3`): candles, 24 h tickers, server time, listings.

All prices and volumes arrive as strings and stay exact. The wire's window includes both ends; ours is half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import DecimalException
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from include.candles.model import Candle, RejectedRow
from include.candles.normalise import is_finished
from include.candles.timeframes import EPOCH, ceil, floor, step
from include.candles.validate import raw_text, split_valid
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
from include.venues.model import CandlePage, Listing, Observations, SymbolStatus, Ticker

T = TypeVar("T")

VENUE = "binance"
SOURCE = "binance-rest"
LIMITS = CAPABILITIES[VENUE]
USED_WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
INTERNAL_CODES = frozenset({-1000, -1001, -1006, -1007, -1008, -1016})
TOO_MANY_REQUESTS_CODE = -1003
INVALID_SYMBOL_CODE = -1121
MILLISECOND = timedelta(milliseconds=1)
# A window that ends this close to now is checked against the venue's clock: the worker's may be ahead.
CLOCK_DOUBT = timedelta(days=1)
# A live symbol updates its ticker every second; an older one is dead.
STALE_TICKER = timedelta(minutes=10)


class Binance:
    """Client of one base URL; `transport` decides between the real venue, its market-data mirror and a replay."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles whose open time lies in [start, end), page by page, oldest first; none is invented.

        Hours the venue does not have are simply absent. Nothing is asked where no candle of the window is closed
        at `now` (by our clock and the venue's). Raises a VenueError, UnknownSymbolError for a symbol it does not list.
        """
        _require_timeframe(timeframe)
        cursor = ceil(start, timeframe)
        if end > now - CLOCK_DOUBT and cursor < floor(now, timeframe):
            now = min(now, self.server_time())
        stop = min(end, floor(now, timeframe))
        while cursor < stop:
            page, newest = self._candle_page(venue_symbol, timeframe, cursor, stop, now)
            yield page
            # Only an empty answer, or the window's last candle, ends the window: gaps make pages span more time.
            if newest is None or newest + step(timeframe) >= stop:
                return
            cursor = newest + MILLISECOND

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
        return self._get("/api/v3/time", None, lambda answer: binance_rows.time_of(answer["serverTime"]))[0]

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the first candle the venue has ever had; NoDataError where there is none yet."""
        _require_timeframe(timeframe)
        params: Params = {"symbol": venue_symbol, "interval": timeframe, "startTime": 0, "limit": 1}
        times, response = self._get(
            "/api/v3/klines",
            params,
            lambda answer: [binance_rows.time_of(row[0]) for row in _rows(answer)],
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

    def _candle_page(
        self, venue_symbol: str, timeframe: str, start: datetime, stop: datetime, now: datetime
    ) -> tuple[CandlePage, datetime | None]:
        """One page, and the newest open time in it (None for an empty one)."""
        params: Params = {
            "symbol": venue_symbol,
            "interval": timeframe,
            "startTime": (start - EPOCH) // MILLISECOND,
            "endTime": (stop - EPOCH) // MILLISECOND - 1,
            "limit": LIMITS.page_size,
        }
        rows, response = self._get("/api/v3/klines", params, _rows, LIMITS.candles_weight)
        parsed: list[tuple[Candle, object]] = []
        rejected: list[RejectedRow] = []
        for row in rows:
            try:
                parsed.append((binance_rows.candle(row), row))
            except (TypeError, ValueError, DecimalException, OverflowError) as error:
                rejected.append(RejectedRow(f"row cannot be read: {error!r}", raw_text(row)))
        newest = max((candle.opened_at for candle, _ in parsed), default=None)
        if rows and (newest is None or newest < start):
            raise UnavailableError(VENUE, f"answer does not belong to its window: {response.url}: {raw_text(rows[0])}")
        closed = [pair for pair in parsed if is_finished(pair[0].opened_at, timeframe, now)]
        good, refused = split_valid(closed, timeframe, start, stop)
        # Full to its limit, a page speaks for what lies before its last row only.
        until = min(stop, newest + step(timeframe)) if newest and len(rows) >= LIMITS.page_size else stop
        page = CandlePage(
            good, rejected + refused, world(response), SOURCE, response.url, response.sha256, start, until
        )
        return page, newest

    def _get(
        self, path: str, params: Params | None, interpret: Callable[[Any], T], weight: float = 1
    ) -> tuple[T, Response]:
        """What `interpret` makes of the answer; an answer it cannot make anything of counts as an outage."""

        def read(response: Response) -> tuple[T, Response]:
            answer = read_json(VENUE, response, _refusal)
            try:
                return interpret(answer), response
            except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        answer, response = fetch(
            VENUE, self._transport, path, params, read, retry=self._retry, gate=self._gate, weight=weight
        )
        self._pause_when_heavy(response)
        return answer, response

    def _pause_when_heavy(self, response: Response) -> None:
        """Wait for the venue's next minute when this address has used most of its budget, whoever used it."""
        used = response.headers.get(USED_WEIGHT_HEADER, "")
        if used.isdecimal() and int(used) > LIMITS.pause_above * LIMITS.weight_per_minute:
            date = response.headers.get("Date")
            self._retry.sleep(60 - parsedate_to_datetime(date).second if date else 60)


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
