"""Kraken spot, public market data: the last 720 candles, tickers, listings. Older candles: `kraken_trades`,
`kraken_ohlcvt`.

A candle stands for trades: where Kraken fills an interval without any with the previous close, there is none, just as
in its files of history and in what its trades add up to. All three sources give the same candles that way, and an
outage does not look like a market at rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from include.candles.model import Candle, RejectedRow
from include.candles.timeframes import EPOCH, SECONDS, ceil, floor, is_aligned, step
from include.candles.validate import raw_text, split_valid
from include.venues import kraken_rows
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import NoDataError, OutOfReachError, UnknownSymbolError
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Response, Retry, Transport, world
from include.venues.kraken_api import UNREADABLE, KrakenApi, answered_at, require_timeframe
from include.venues.kraken_errors import VENUE
from include.venues.kraken_trades import first_trade_at
from include.venues.model import CandlePage, Listing, Observations, Ticker

SOURCE = "kraken-rest"
LIMITS = CAPABILITIES[VENUE]
# Statuses in which orders can still match; any other, known or new, makes no candles.
TRADING = frozenset({"online", "limit_only", "reduce_only"})
# A row with its open time, None where that cannot be read.
Row = tuple[datetime | None, Any]
# Longer lists of pairs are refused by the proxy in front of Kraken.
MOST_TICKERS = 30
# Kraken's own cache keeps an answer for seconds; an older one comes out of a cache that is stuck.
STALE_TICKER = timedelta(minutes=10)


class Kraken:
    """Client of one base URL; `transport` decides between the real venue and a replay."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._api = KrakenApi(transport, retry, gate)
        self._markets: dict[str, list[tuple[str, Any]]] = {}

    def listing(self, symbol: str) -> Listing:
        """The market `BASE/QUOTE` as it is listed now; UnknownSymbolError where it is not.

        All pairs are asked for once in this client's life: a name need not be what its parts suggest.
        """
        if not self._markets:
            self._markets, response = self._api.ask("AssetPairs", None, kraken_rows.spot_markets, LIMITS.listing_weight)
            if not self._markets:  # or every market would seem to have ended
                raise NoDataError(VENUE, f"no pair at all in {response.url}")
        found = self._markets.get(symbol, [])
        if len(found) != 1:
            names = ", ".join(name for name, _ in found) or "no pair"
            raise UnknownSymbolError(VENUE, f"{symbol} is not listed as one pair: AssetPairs has {names}")
        name, entry = found[0]
        status = str(entry.get("status"))
        return Listing(symbol, name, status, status in TRADING)

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the oldest candle OHLC answers now, filled ones included; NoDataError where there is none."""
        require_timeframe(timeframe)
        rows, newest, response = self._ohlc(venue_symbol, timeframe, None)
        oldest = _oldest(rows, timeframe)
        if oldest is None or oldest > newest:
            raise NoDataError(VENUE, f"no committed candle in {response.url}")
        return oldest

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles whose open time lies in [start, end), as one page: Kraken answers no more than the last 720.

        The candle in progress ends every answer and is dropped. Nothing is asked where no candle of the window is
        closed at `now`. What can be had is given first; then OutOfReachError where the window begins before the
        oldest row answered (and the market is older), NoDataError where Kraken has not committed all of it yet.
        """
        require_timeframe(timeframe)
        cursor, stop = ceil(start, timeframe), min(ceil(end, timeframe), floor(now, timeframe))
        if cursor >= stop:
            return
        rows, newest, response = self._ohlc(venue_symbol, timeframe, cursor)
        now = answered_at(response, now)
        until = min(stop, floor(newest + step(timeframe), timeframe), floor(now, timeframe))
        oldest = _oldest(rows, timeframe) or until
        begin = cursor if oldest <= cursor else self._begin(venue_symbol, timeframe, cursor, oldest)
        if begin < until:
            yield _page(rows, timeframe, begin, until, response)
        if begin > cursor:
            raise OutOfReachError(VENUE, f"nothing from {cursor} to {min(begin, stop)} in {response.url}")
        if until < stop:
            raise NoDataError(VENUE, f"candles from {until} to {stop} are not committed yet: {response.url}")

    def tickers(self, venue_symbols: Sequence[str], now: datetime) -> Observations[Ticker]:
        """Tickers of the pairs, observed when the venue answered (HTTP Date, never after `now`).

        One without trades in 24 hours is refused, and one that was answered 10 minutes before `now`. Kraken tells
        neither the price of a day ago nor a quote volume.
        Raises UnknownSymbolError when any of the pairs is not listed, NoDataError when none has a live ticker.
        """
        names = list(dict.fromkeys(venue_symbols))
        tickers: list[Ticker] = []
        rejected: list[RejectedRow] = []
        asked: list[str] = []
        worlds: set[str] = set()
        for chunk in (names[first : first + MOST_TICKERS] for first in range(0, len(names), MOST_TICKERS)):
            entries, response = self._api.ask(
                "Ticker", {"pair": ",".join(chunk)}, kraken_rows.entries, LIMITS.tickers_weight
            )
            observed_at = answered_at(response, now)
            for name in chunk:
                read = _ticker(name, entries.get(name), observed_at, now)
                if isinstance(read, RejectedRow):
                    rejected.append(read)
                else:
                    tickers.append(read)
            asked.append(response.url)
            worlds.add(world(response))
        if not tickers or len(worlds) != 1:
            raise NoDataError(VENUE, f"no live ticker of one world in {' '.join(asked)}")
        return Observations(tickers, worlds.pop(), " ".join(asked), rejected)

    def _ohlc(
        self, venue_symbol: str, timeframe: str, opens_from: datetime | None
    ) -> tuple[list[Row], datetime, Response]:
        """Rows that open at `opens_from` or later, each with its open time, and the newest committed open time."""
        params: dict[str, str | int] = {"pair": venue_symbol, "interval": SECONDS[timeframe] // 60}
        if opens_from is not None:
            # In seconds, and exclusive: milliseconds would be taken for a far future and ignored.
            params["since"] = max(0, (opens_from - step(timeframe) - EPOCH) // timedelta(seconds=1))
        (rows, newest), response = self._api.ask("OHLC", params, kraken_rows.ohlc, LIMITS.candles_weight)
        return [(_opened_at(row), row) for row in rows], newest, response

    def _begin(self, venue_symbol: str, timeframe: str, cursor: datetime, oldest: datetime) -> datetime:
        """From which open time on an answer speaks that was asked from `cursor` and begins only at `oldest`.

        How many rows there are says nothing: answers of 707 to 721 were seen. Either Kraken still has an older row,
        and what is missing is a hole; or the market was not traded before; or that is all Kraken keeps.
        """
        rows, _, _ = self._ohlc(venue_symbol, timeframe, None)
        if (_oldest(rows, timeframe) or oldest) <= cursor:
            return cursor
        first_trade = first_trade_at(self._api, venue_symbol)
        return cursor if first_trade is not None and floor(first_trade, timeframe) >= oldest else oldest


def _page(rows: Sequence[Row], timeframe: str, begin: datetime, until: datetime, response: Response) -> CandlePage:
    """What the rows say of [begin, until), all of it closed and committed; refused are those that cannot be right."""
    parsed: list[tuple[Candle, object]] = []
    rejected: list[RejectedRow] = []
    silent: set[datetime] = set()
    for opened, row in rows:
        if opened and not begin <= opened < until:
            continue
        try:
            candle = kraken_rows.candle(row)
        except UNREADABLE as error:
            rejected.append(RejectedRow(f"row cannot be read: {error!r}", raw_text(row), opened))
            continue
        if candle:
            parsed.append((candle, row))
        elif opened:
            silent.add(opened)
    good, refused = split_valid(parsed, timeframe, begin, until)
    contradicted = [candle for candle in good if candle.opened_at in silent]
    rejected += [RejectedRow("a row without trades contradicts it", str(c), c.opened_at) for c in contradicted]
    good = [candle for candle in good if candle.opened_at not in silent]
    return CandlePage(good, rejected + refused, world(response), SOURCE, response.url, response.sha256, begin, until)


def _oldest(rows: Sequence[Row], timeframe: str) -> datetime | None:
    return min((opened for opened, _ in rows if opened and is_aligned(opened, timeframe)), default=None)


def _opened_at(row: Any) -> datetime | None:
    try:
        return kraken_rows.time_of(row[0])
    except UNREADABLE:
        return None


def _ticker(name: str, entry: Any, observed_at: datetime, now: datetime) -> Ticker | RejectedRow:
    """The ticker of an entry, or why it is none that lives."""
    if entry is None:
        return RejectedRow(f"{name} was not answered", raw_text(entry))
    try:
        ticker = kraken_rows.ticker(name, entry, observed_at)
    except UNREADABLE as error:
        return RejectedRow(f"ticker of {name} cannot be read: {error!r}", raw_text(entry))
    if not ticker.trade_count_24h or ticker.last <= 0:
        return RejectedRow("ticker without trades", raw_text(entry))
    if observed_at < now - STALE_TICKER:
        return RejectedRow("ticker is stale", raw_text(entry))
    return ticker
