"""Kraken's tape: the trades that make a world's finest bars, and candles that are the sums of just those trades.

A bar's trades share its volume evenly and walk from its open over both extremes to its close. Prices, volume, count
and vwap of any timeframe follow from that, whichever way they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import STEP_MS, Bars
from include.replay.world import DAY_MS, Book

NS_PER_MS = 1_000_000
_NO_LIMIT = 10**9
_BARS_AT_ONCE = 64
_KEPT_DAYS = 5_000
_IDS_PER_BAR = 10**6


class Sums(NamedTuple):
    """Bars with at least one trade each, and beside each the exact sum of price times volume (in 1e-16)."""

    bars: Bars
    worth: NDArray[np.object_]


class TapeTrade(NamedTuple):
    """One trade. Time in nanoseconds since the epoch, price and volume in 1e-8 units; a buy takes an offer."""

    at_ns: int
    price: int
    volume: int
    is_buy: bool
    trade_id: int


class Tape:
    """The markets of `book`, which is to be without faults: how candles are shown does not change what was traded."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._hours_of_day = lru_cache(_KEPT_DAYS)(self._fold_day)

    def candles(self, symbol: str, timeframe: str, start_ms: int, end_ms: int) -> Sums:
        """Candles with start <= open < end, both open times of theirs; intervals without trades have none.

        Raises NotServedError for a timeframe shorter than the world's bars.
        """
        step_ms, finest = STEP_MS[timeframe], self._finest(symbol)
        if step_ms < STEP_MS["1h"] or finest == "1h":
            shortest = finest if step_ms >= STEP_MS[finest] else timeframe
            return _folded(self._bars(symbol, shortest, start_ms, end_ms), step_ms)
        days = [self._hours_of_day(symbol, day) for day in range(start_ms // DAY_MS, -(-end_ms // DAY_MS))]
        hours = Sums(np.concatenate([b.no_bars(), *(day.bars for day in days)]), _joined([day.worth for day in days]))
        opens = hours.bars[:, b.OPEN_TIME]
        within = (opens >= start_ms) & (opens < end_ms)
        return _folded(Sums(hours.bars[within], hours.worth[within]), step_ms)

    def last_close(self, symbol: str, before_ms: int) -> int | None:
        """Price of the last trade of the bars that are complete before a time; None where there is none."""
        finest = self._finest(symbol)
        bar = self._book.closed(symbol, finest, 0, before_ms - before_ms % STEP_MS[finest], 1, True)
        return int(bar[-1, b.CLOSE]) if len(bar) else None

    def first_open(self, symbol: str, timeframe: str, now_ms: int) -> int | None:
        """Open time (ms) of the first candle that has begun by now."""
        bar = self._book.closed(symbol, self._finest(symbol), 0, now_ms + 1, 1, False)
        return int(bar[0, b.OPEN_TIME]) // STEP_MS[timeframe] * STEP_MS[timeframe] if len(bar) else None

    def trades(self, symbol: str, after_ns: int, until_ns: int) -> Iterator[TapeTrade]:
        """Trades of the time (after, until], in their order."""
        finest = self._finest(symbol)
        step_ms = STEP_MS[finest]
        cursor, end = after_ns // NS_PER_MS // step_ms * step_ms, until_ns // NS_PER_MS + 1
        while cursor < end:
            bars = _complete(self._book.closed(symbol, finest, max(0, cursor), end, _BARS_AT_ONCE, False))
            for row in bars.tolist():
                for trade in _trades_of(row, step_ms, after_ns):
                    if trade.at_ns > until_ns:
                        return
                    yield trade
            if not len(bars):
                return
            cursor = int(bars[-1, b.OPEN_TIME]) + step_ms

    def _bars(self, symbol: str, timeframe: str, start_ms: int, end_ms: int) -> Sums:
        bars = _complete(self._book.closed(symbol, timeframe, start_ms, end_ms, _NO_LIMIT, False))
        return Sums(bars, _worth(bars))

    def _fold_day(self, symbol: str, day: int) -> Sums:
        """The hours of a day, each put together from its finest bars."""
        bars = self._bars(symbol, self._finest(symbol), day * DAY_MS, (day + 1) * DAY_MS)
        return _folded(bars, STEP_MS["1h"])

    def _finest(self, symbol: str) -> str:
        timeframe = "1h"
        while shorter := self._book.finer(symbol, timeframe):
            timeframe = shorter
        return timeframe


def _complete(bars: Bars) -> Bars:
    """The bars that have trades, each with as many as it takes to touch all of its prices."""
    bars = bars[bars[:, b.BASE] > 0].copy()
    opened, near, far, close = _walk(bars)
    corners = 1 + (opened != near) + (near != far) + (far != close)
    bars[:, b.TRADES] = np.maximum(bars[:, b.TRADES], corners)
    return bars


def _walk(bars: Bars) -> tuple[NDArray[np.int64], ...]:
    """Open, the extreme that is touched first, the other one, close."""
    rises = bars[:, b.CLOSE] >= bars[:, b.OPEN]
    near = np.where(rises, bars[:, b.LOW], bars[:, b.HIGH])
    far = np.where(rises, bars[:, b.HIGH], bars[:, b.LOW])
    return bars[:, b.OPEN], near, far, bars[:, b.CLOSE]


def _worth(bars: Bars) -> NDArray[np.object_]:
    """Sum of price times volume over the trades `_trades_of` gives, without going through them."""
    opened, near, far, close = (prices.astype(object) for prices in _walk(bars))
    count = bars[:, b.TRADES]
    each = bars[:, b.BASE] // count
    middle = np.maximum(count - 2, 0)
    first = np.where(bars[:, b.OPEN] == _walk(bars)[1], middle // 2, (middle + 1) // 2)
    volumes = (each * (count > 1), each * first, each * (middle - first))
    last = bars[:, b.BASE] - sum(volumes)
    worth: NDArray[np.object_] = sum(
        (price * volume.astype(object) for price, volume in zip((opened, near, far), volumes, strict=True)),
        close * last.astype(object),
    )
    return worth


def _trades_of(row: list[int], step_ms: int, after_ns: int) -> Iterator[TapeTrade]:
    """The trades of one bar that come after a time."""
    near, far = (b.LOW, b.HIGH) if row[b.CLOSE] >= row[b.OPEN] else (b.HIGH, b.LOW)
    count, opened_ns, step_ns = row[b.TRADES], row[b.OPEN_TIME] * NS_PER_MS, step_ms * NS_PER_MS
    each, middle = row[b.BASE] // count, max(count - 2, 0)
    first = middle // 2 if row[b.OPEN] == row[near] else (middle + 1) // 2
    for i in range(max(0, (after_ns - opened_ns) * count // step_ns), count):
        at_ns = opened_ns + i * step_ns // count
        if at_ns <= after_ns:
            continue
        column = b.CLOSE if i == count - 1 else b.OPEN if i == 0 else near if i <= first else far
        volume = row[b.BASE] - each * (count - 1) if i == count - 1 else each
        trade_id = row[b.OPEN_TIME] // step_ms * _IDS_PER_BAR + i
        yield TapeTrade(at_ns, row[column], volume, trade_id % 3 != 0, trade_id)


def _folded(sums: Sums, step_ms: int) -> Sums:
    if not len(sums.bars):
        return sums
    buckets = sums.bars[:, b.OPEN_TIME] // step_ms
    first = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    return Sums(b.fold(sums.bars, step_ms), np.add.reduceat(sums.worth, first))


def _joined(parts: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.concatenate([np.empty(0, dtype=object), *parts])
