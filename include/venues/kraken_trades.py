"""Kraken's candles of any age, added up from its public trades in constant memory.

For history beyond OHLC's 720 candles: one request brings a thousand trades, an hour of a busy market. A candle equals
the one OHLC gave while it was recent; an interval without trades has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from include.candles.timeframes import EPOCH, ceil, floor
from include.candles.validate import split_valid
from include.venues import kraken_rows
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import NoDataError, UnavailableError
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Params, Response, Retry, Transport, world
from include.venues.kraken_api import KrakenApi, answered_at, require_timeframe
from include.venues.kraken_errors import VENUE
from include.venues.kraken_fold import Decimals, Fold
from include.venues.model import CandlePage

SOURCE = "kraken-trades"
LIMITS = CAPABILITIES[VENUE]
MOST_TRADES = 1000
ANSWERS_PER_PAGE = 10
# Answers may come out of a cache that is 2 seconds old: what is younger than this may still lack trades.
SETTLE = timedelta(seconds=10)


class Evidence(NamedTuple):
    """One answer a page is made of."""

    request: str
    sha256: str


class KrakenTrades:
    """Client of one base URL, as `Kraken` is."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._api = KrakenApi(transport, retry, gate)

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the candle that holds the pair's first trade; NoDataError where there is none by `now`."""
        require_timeframe(timeframe)
        first = first_trade_at(self._api, venue_symbol)
        if first is None or first > now:
            raise NoDataError(VENUE, f"no trade of {venue_symbol} at all")
        return floor(first, timeframe)

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles that open in [start, end), some answers' worth at a time, oldest first.

        Each page is complete, so that a caller may begin again where any of them ends. Its hash is the SHA-256 of its
        answers' hashes (hex, one a line, in their order), its `request` the first of them. An interval with a trade
        that cannot be read has no candle, and the trade is refused. Raises a VenueError, UnavailableError also where
        trades do not come in the order of time.
        """
        require_timeframe(timeframe)
        cursor, stop = ceil(start, timeframe), min(ceil(end, timeframe), floor(now - SETTLE, timeframe))
        if cursor >= stop:
            return
        fold = Fold(timeframe, cursor, self._decimals(venue_symbol))
        # Exclusive, so that a trade in the first instant of the window is answered too.
        since = (cursor - EPOCH) // timedelta(microseconds=1) * 1000 - 1
        evidence: list[Evidence] = []
        first_of_open = 0  # which of them the interval began in that is not complete yet
        while cursor < stop:
            (rows, last), response = _trades(self._api, venue_symbol, since, MOST_TRADES)
            stop = min(stop, floor(answered_at(response, now) - SETTLE, timeframe))
            evidence.append(Evidence(response.url, response.sha256))
            opened_at = fold.opened_at
            fresh = fold.add(rows)
            if fold.opened_at != opened_at:
                first_of_open = len(evidence) - 1
            if rows and (last < since or (last == since and fresh)):
                raise UnavailableError(VENUE, f"its cursor {last} does not lead on: {response.url}")
            is_over = not rows or last == since or fold.opened_at >= stop
            until = stop if is_over else fold.opened_at
            if cursor < until and (is_over or len(evidence) >= ANSWERS_PER_PAGE):
                yield _page(fold, timeframe, cursor, until, evidence, world(response))
                cursor, evidence, first_of_open = until, evidence[first_of_open:], 0
            since = last

    def _decimals(self, venue_symbol: str) -> Decimals:
        """How OHLC prints the pair's figures."""
        params = {"pair": venue_symbol}
        pair, _ = self._api.ask("AssetPairs", params, kraken_rows.only_pair, LIMITS.listing_weight)
        return Decimals(pair.price_decimals, pair.volume_decimals)


def first_trade_at(api: KrakenApi, venue_symbol: str) -> datetime | None:
    """Time of the pair's first trade ever, None where there is none yet."""
    (rows, _), _ = _trades(api, venue_symbol, 0, 1)
    return EPOCH + timedelta(microseconds=kraken_rows.nanoseconds_of(rows[0]) // 1000) if rows else None


def _trades(api: KrakenApi, venue_symbol: str, since: int, count: int) -> tuple[tuple[list[Any], int], Response]:
    """Trades after `since` (nanoseconds), oldest first, and the cursor that leads on from there."""
    params: Params = {"pair": venue_symbol, "since": since, "count": count}
    return api.ask("Trades", params, kraken_rows.trades, LIMITS.candles_weight)


def _page(
    fold: Fold, timeframe: str, start: datetime, until: datetime, evidence: list[Evidence], world_name: str
) -> CandlePage:
    candles, refused = fold.take(until)
    good, invalid = split_valid(
        ((candle, f"candle of {candle.trade_count} trades") for candle in candles), timeframe, start, until
    )
    digest = hashlib.sha256("\n".join(answer.sha256 for answer in evidence).encode()).hexdigest()
    return CandlePage(good, refused + invalid, world_name, SOURCE, evidence[0].request, digest, start, until)
