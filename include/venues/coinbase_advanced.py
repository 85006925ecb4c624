"""Coinbase Advanced Trade, public market data (`/api/v3/brokerage/market`): candles, and the clock.

Without `/market` the same paths ask for a key. It has more timeframes than Exchange, the same candles, and a host and
a budget of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from include.candles.timeframes import step
from include.venues.answers import read_json
from include.venues.capabilities import CAPABILITIES
from include.venues.coinbase_rows import UNREADABLE, Rows, advanced_candle, iso_time, read_rows, seconds_of
from include.venues.errors import (
    AuthenticationError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Params, Response, Retry, Transport, fetch

T = TypeVar("T")

VENUE = "coinbase_advanced"
SOURCE = "coinbase-advanced"
LIMITS = CAPABILITIES[VENUE]
GRANULARITIES = {
    "1m": "ONE_MINUTE",
    "5m": "FIVE_MINUTE",
    "15m": "FIFTEEN_MINUTE",
    "30m": "THIRTY_MINUTE",
    "1h": "ONE_HOUR",
    "2h": "TWO_HOUR",
    "4h": "FOUR_HOUR",
    "6h": "SIX_HOUR",
    "1d": "ONE_DAY",
}


class CoinbaseAdvanced:
    """Client of one base URL, e.g. `https://api.coinbase.com`; a part of `include.venues.coinbase.Coinbase`."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate

    def rows(self, venue_symbol: str, timeframe: str, start: datetime, stop: datetime) -> Rows:
        """Candles of the aligned window [start, stop), of at most LIMITS.page_size, and what else is in the answer.

        Newest first. Raises a VenueError.
        """
        # Whether the end counts in is not documented: one candle more is asked for, and left out by who reads it.
        params: Params = {
            "start": str(seconds_of(start)),
            "end": str(seconds_of(stop)),
            "granularity": GRANULARITIES[timeframe],
        }
        path = f"/api/v3/brokerage/market/products/{quote(venue_symbol, safe='')}/candles"
        rows, response = self._get(path, params, _candles)
        read, rejected = read_rows(rows, advanced_candle)
        return Rows(read, rejected, stop + step(timeframe), SOURCE, response)

    def server_time(self) -> datetime:
        """The venue's clock."""
        return self._get("/api/v3/brokerage/time", None, lambda answer: iso_time(answer["iso"]))[0]

    def _get(self, path: str, params: Params | None, interpret: Callable[[Any], T]) -> tuple[T, Response]:
        """What `interpret` makes of the answer; an answer it cannot make anything of counts as an outage."""

        def read(response: Response) -> tuple[T, Response]:
            answer = read_json(VENUE, response, _refusal)
            try:
                return interpret(answer), response
            except UNREADABLE as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        return fetch(VENUE, self._transport, path, params, read, retry=self._retry, gate=self._gate)


def _candles(answer: Any) -> list[Any]:
    rows = answer["candles"]
    if not isinstance(rows, list):
        raise TypeError(f"a list of candles was expected, not {type(rows).__name__}")
    return rows


def _refusal(response: Response, body: Any) -> VenueError:
    """The error of a 4xx answer `{"error": "NOT_FOUND", "error_details": …, "message": …}`."""
    fields = body if isinstance(body, dict) else {}
    message = f"{fields.get('error_details') or fields.get('message') or body} (HTTP {response.status}, {response.url})"
    if response.status == 404 and fields.get("error") == "NOT_FOUND":
        return UnknownSymbolError(VENUE, message)
    if response.status in (401, 403):
        return AuthenticationError(VENUE, message)
    return RequestRejectedError(VENUE, message)
