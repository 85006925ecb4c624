"""What a world offers, and what can be asked of any world: a page of klines, a price, 24 hours' figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np

from include.replay import bars as b
from include.replay.bars import Bars, Precision

DAY_MS = b.STEP_MS["1d"]
HOUR_MS = b.STEP_MS["1h"]


class Span(NamedTuple):
    """Time a market's data cover, half-open, in epoch milliseconds."""

    first_open_ms: int
    end_ms: int


ALWAYS = Span(0, 2**62)


@dataclass(frozen=True, slots=True)
class ReplayMarket:
    """One spot market of the replayed venue.

    spans: when the world has data of it, ascending; empty where it has them at all times. At any other time the venue
    does not list it.
    """

    symbol: str
    base: str
    quote: str
    precision: Precision
    spans: tuple[Span, ...] = ()

    def span_at(self, at_ms: int) -> Span | None:
        """The market's data as of `at_ms`, None where it has none then."""
        if not self.spans:
            return ALWAYS
        return next((span for span in self.spans if span.first_open_ms <= at_ms <= span.end_ms), None)


class SentimentDay(NamedTuple):
    """One day of the Fear & Greed index; `opened_ms` is its midnight."""

    opened_ms: int
    value: int
    classification: str


class CoinDay(NamedTuple):
    """CoinGecko's figures in USD at one midnight."""

    at_ms: int
    price: float
    market_cap: float
    volume_24h: float


class Book(Protocol):
    """One venue's markets in a world. It knows its whole future; who asks must not ask beyond the world's now."""

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        """By symbol: for Binance its own name (`BTCUSDT`), for every other venue ours (`BTC/USD`).

        A twin is handed a CurrentBook, whose markets are those the venue lists at the world's now.
        """
        ...

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        """Final candles with start <= open < end: the first `limit` of them, or the last ones if `newest`.

        Raises NotServedError where the world has no such timeframe.
        """
        ...

    def finer(self, symbol: str, timeframe: str) -> str | None:
        """The next shorter timeframe a forming candle is put together from, if there is one."""
        ...


class World(Book, Protocol):
    """Market data from genesis on. As a Book it is Binance's."""

    @property
    def name(self) -> str:
        """`recorded` or `synthetic`."""
        ...

    @property
    def identity(self) -> str:
        """Tells this world's history from any other's."""
        ...

    @property
    def ends_at(self) -> datetime | None: ...

    def book(self, venue: str) -> Book:
        """The venue's markets (`kraken`, `coinbase`); without any where this world has no data of it."""
        ...

    def sentiment(self, until_ms: int) -> list[SentimentDay]:
        """Fear & Greed of the days that open at or before `until_ms`, ascending."""
        ...

    def coin_days(self, coin: str) -> list[CoinDay]:
        """CoinGecko's own recorded daily values, ascending; empty where there are none."""
        ...


def whole(book: Book) -> Book:
    """The book without the faults that may lie over its candles: what prices and candles in progress are made of."""
    unspoilt: Book = getattr(book, "whole", book)
    return unspoilt


def forming(world: Book, symbol: str, timeframe: str, at_ms: int) -> Bars:
    """The candle that contains `at_ms`, as it stood then (no row inside a hole of the data)."""
    world = whole(world)
    step = b.STEP_MS[timeframe]
    opened = at_ms - at_ms % step
    shorter = world.finer(symbol, timeframe)
    if shorter:
        short_step = b.STEP_MS[shorter]
        parts = world.closed(symbol, shorter, opened, opened + step, step // short_step, False)
        if len(parts):
            done = parts[parts[:, b.OPEN_TIME] + short_step <= at_ms]
            return b.fold(np.concatenate([done, forming(world, symbol, shorter, at_ms)]), step)
    final = world.closed(symbol, timeframe, opened, opened + step, 1, False)
    if not len(final):
        return final
    return b.unfinished(final, at_ms - opened, step, world.markets[symbol].precision)


def klines(
    world: Book, symbol: str, timeframe: str, start_ms: int | None, last_ms: int | None, limit: int, now_ms: int
) -> Bars:
    """One page as the venue selects it.

    start_ms and last_ms are both inclusive and compared with the open time. With a start: the oldest `limit`
    candles from there; without: the newest ones. The candle in progress at `now_ms` is the last of all.
    """
    step = b.STEP_MS[timeframe]
    current = now_ms - now_ms % step
    end_ms = current + 1 if last_ms is None else min(last_ms, current) + 1
    newest = start_ms is None
    page = world.closed(symbol, timeframe, start_ms or 0, min(end_ms, current), limit, newest)
    if end_ms > current and (newest or (start_ms or 0) <= current) and (newest or len(page) < limit):
        page = np.concatenate([page, forming(world, symbol, timeframe, now_ms)])[-limit:]
    return page


def last_price(world: Book, symbol: str, at_ms: int) -> int | None:
    """Price of the last trade at `at_ms` in 1e-8 units; None before the first trade."""
    bar = forming(world, symbol, "1h", at_ms)
    if not len(bar):
        bar = whole(world).closed(symbol, "1h", 0, at_ms - at_ms % HOUR_MS, 1, True)
    return int(bar[-1, b.CLOSE]) if len(bar) else None


def rolling_day(world: Book, symbol: str, at_ms: int) -> Bars:
    """The last 24 hours up to `at_ms` as one row; no row where nothing was traded in them."""
    world = whole(world)
    start = at_ms - DAY_MS
    first_hour = start - start % HOUR_MS
    this_hour = at_ms - at_ms % HOUR_MS
    hours = world.closed(symbol, "1h", first_hour, this_hour, 25, False)
    if len(hours) and hours[0, b.OPEN_TIME] == first_hour and start > first_hour:
        hours = np.concatenate([_rest(hours[:1], forming(world, symbol, "1h", start)), hours[1:]])
    hours = np.concatenate([hours, forming(world, symbol, "1h", at_ms)])
    if not len(hours):
        return hours
    hours = hours.copy()
    hours[:, b.OPEN_TIME] = 0  # one bucket
    day = b.fold(hours, DAY_MS)
    day[0, b.OPEN_TIME], day[0, b.CLOSE_TIME] = start, at_ms
    return day


def _rest(whole: Bars, begun: Bars) -> Bars:
    """What was still to come of a candle that had `begun`."""
    rest = whole.copy()
    sums = [b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE]
    rest[:, sums] -= begun[:, sums]
    price = begun[0, b.CLOSE]
    rest[0, b.OPEN] = price
    if begun[0, b.HIGH] == whole[0, b.HIGH]:
        rest[0, b.HIGH] = max(price, whole[0, b.CLOSE])
    if begun[0, b.LOW] == whole[0, b.LOW]:
        rest[0, b.LOW] = min(price, whole[0, b.CLOSE])
    return rest
