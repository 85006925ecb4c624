"""Coinbase Exchange, public market data: candles, ticker, 24 h statistics, products, and the clock.

The wire's window includes both ends; rows come newest first, some of them from before the window. An answer of a
wrong shape counts as an outage.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from include.candles.timeframes import SECONDS, step
from include.venues.answers import read_json
from include.venues.coinbase_rows import UNREADABLE, Rows, exchange_candle, iso_time, listing, read_rows
from include.venues.errors import (
    AuthenticationError,
    NoDataError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Params, Response, Retry, Transport, fetch
from include.venues.model import Listing

T = TypeVar("T")

VENUE = "coinbase"
SOURCE = "coinbase-rest"
TIMEFRAMES = ("1m", "5m", "15m", "1h", "6h", "1d")
END_TOO_OLD = "End is too old"


class _TooLongAgoError(RequestRejectedError):
    """The venue's way to say that it has nothing as old as the window."""


class CoinbaseExchange:
    """Client of one base URL, e.g. `https://api.exchange.coinbase.com`; a part of `include.venues.coinbase.Coinbase`.

    Every method raises a VenueError.
    """

    def __init__(self, transport: Transport, retry: Retry, gate: Gate = NO_GATE) -> None:
        self._transport = transport
        self._retry = retry
        self._gate = gate

    def rows(self, venue_symbol: str, timeframe: str, start: datetime, stop: datetime) -> Rows:
        """Candles of the aligned window [start, stop), of a page at most, and whatever else is in the answer.

        None where the venue says that the window is too long ago.
        """
        first, last = start, stop - step(timeframe)
        if first == last:
            first -= step(timeframe)  # the venue's start must lie before its end; what comes too much is left out
        params: Params = {"granularity": SECONDS[timeframe], "start": _iso(first), "end": _iso(last)}
        rows, response = self._get(f"/products/{quote(venue_symbol, safe='')}/candles", params, _list)
        read, rejected = read_rows(rows, exchange_candle)
        return Rows(read, rejected, stop, SOURCE, response)

    def server_time(self) -> datetime:
        """The venue's clock."""
        return self._get("/time", None, lambda answer: iso_time(answer["iso"]))[0]

    def listing(self, symbol: str) -> Listing:
        """The market `BASE/QUOTE` as it is listed now; UnknownSymbolError where it is not."""

        def find(answer: Any) -> tuple[int, Listing | None]:
            named = [entry for entry in _list(answer) if (entry["base_currency"], entry["quote_currency"]) == wanted]
            return len(answer), listing(named[0]) if named else None

        wanted = tuple(symbol.split("/"))
        (products, found), response = self._get("/products", None, find)
        if not products:
            raise NoDataError(VENUE, f"no product at all in {response.url}")
        if found is None:
            raise UnknownSymbolError(VENUE, f"{symbol} is not among the {products} products of {response.url}")
        return found

    def ticker(self, venue_symbol: str) -> tuple[dict[str, Any], dict[str, Any], Response]:
        """The answers of /ticker and /stats as they came, and the former's circumstances."""
        path = f"/products/{quote(venue_symbol, safe='')}"
        last, response = self._get(f"{path}/ticker", None, _object)
        return last, self._get(f"{path}/stats", None, _object)[0], response

    def _get(self, path: str, params: Params | None, interpret: Callable[[Any], T]) -> tuple[T, Response]:
        def read(response: Response) -> tuple[T, Response]:
            try:
                answer = read_json(VENUE, response, _refusal)
            except _TooLongAgoError:
                answer = []
            try:
                return interpret(answer), response
            except UNREADABLE as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        return fetch(VENUE, self._transport, path, params, read, retry=self._retry, gate=self._gate)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise TypeError(f"a list was expected, not {type(answer).__name__}")
    return answer


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise TypeError(f"an object was expected, not {type(answer).__name__}")
    return answer


def _refusal(response: Response, body: Any) -> VenueError:
    """The error of a 4xx answer `{"message": "NotFound"}`."""
    message = f"{_message(body) or body} (HTTP {response.status}, {response.url})"
    if response.status == 404 and _message(body) == "NotFound":
        return UnknownSymbolError(VENUE, message)
    if response.status == 400 and _message(body) == END_TOO_OLD:
        return _TooLongAgoError(VENUE, message)
    if response.status in (401, 403):
        return AuthenticationError(VENUE, message)
    return RequestRejectedError(VENUE, message)


def _message(body: Any) -> Any:
    return body.get("message") if isinstance(body, dict) else None
