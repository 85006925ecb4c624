"""Trades added up to candles, exactly and with one candle in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

from include.candles.model import Candle, RejectedRow
from include.candles.timeframes import EPOCH, step
from include.candles.validate import raw_text
from include.venues import kraken_rows
from include.venues.errors import UnavailableError
from include.venues.kraken_api import UNREADABLE
from include.venues.kraken_errors import VENUE
from include.venues.kraken_rows import Trade

# Wide enough that no sum of products of valid figures is ever rounded.
EXACT = Context(prec=250)


class Decimals(NamedTuple):
    """How many decimals OHLC prints prices and volumes of a pair with."""

    price: int
    volume: int


class Interval:
    """The candle that trades of one interval make, in the order they are added.

    open and close are the first and the last price, in the order of trades; trade_count counts all of them.
    """

    def __init__(self, opened_at: datetime, trade: Trade) -> None:
        self._opened_at = opened_at
        self._open = self._high = self._low = self._close = trade.price
        self._volume = trade.volume
        self._worth = EXACT.multiply(trade.price, trade.volume)
        self._count = 1

    def add(self, trade: Trade) -> None:
        """One more trade, after all that were added."""
        price = trade.price
        self._close = price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._volume = EXACT.add(self._volume, trade.volume)
        self._worth = EXACT.fma(price, trade.volume, self._worth)
        self._count += 1

    def candle(self, decimals: Decimals) -> Candle:
        """As OHLC would give it: prices and volume with its decimals, vwap rounded to those of prices.

        quote_volume stays None although the trades would tell: OHLC has none, and a candle is the same wherever it
        comes from. vwap is None where the volumes are all 0.
        """
        vwap = EXACT.divide(self._worth, self._volume) if self._volume else None
        return Candle(
            opened_at=self._opened_at,
            open=printed(self._open, decimals.price),
            high=printed(self._high, decimals.price),
            low=printed(self._low, decimals.price),
            close=printed(self._close, decimals.price),
            base_volume=printed(self._volume, decimals.volume),
            trade_count=self._count,
            vwap=None if vwap is None else rounded(vwap, decimals.price),
        )


class Fold:
    """Trades of one market that come answer after answer, and the candles they make from `start` (aligned) on."""

    def __init__(self, timeframe: str, start: datetime, decimals: Decimals) -> None:
        self._step = step(timeframe)
        self._step_nanoseconds = self._step // timedelta(microseconds=1) * 1000
        self._decimals = decimals
        self._first = self._newest = (start - EPOCH) // self._step
        self._open: Interval | None = None
        self._finished: list[Candle] = []
        self._refused: dict[datetime, list[RejectedRow]] = {}
        self._last_rows: list[Any] = []

    @property
    def opened_at(self) -> datetime:
        """Open time of the interval the newest trade lies in, `start` before the first: all before it is complete."""
        return self._time(self._newest)

    def add(self, rows: list[Any]) -> int:
        """Rows of the next answer; how many of them lie in the window and do not repeat the answer before.

        Raises UnavailableError for a row without a readable time, for one of an interval that is complete, and for
        two that share their id.
        """
        fresh = [entry for entry in map(self._entry, self._unseen(rows)) if entry[0] >= self._first]
        self._last_rows = rows
        # Inside an interval ids tell the order; trades without one (0) stay as they came.
        fresh.sort(key=lambda entry: (entry[0], entry[1].trade_id or 0 if isinstance(entry[1], Trade) else 0))
        for number, content in fresh:
            if number < self._newest:
                raise UnavailableError(
                    VENUE, f"a trade of {self._time(number)} comes after {self.opened_at}: {content}"
                )
            if number > self._newest:
                self._close()
                self._newest = number
            if isinstance(content, RejectedRow):
                self._refused.setdefault(self.opened_at, []).append(content)
            elif self._open is None:
                self._open = Interval(self.opened_at, content)
            else:
                self._open.add(content)
        return len(fresh)

    def take(self, until: datetime) -> tuple[list[Candle], list[RejectedRow]]:
        """Candles that open before `until`, and the trades for which an interval has none; not given again."""
        if self.opened_at < until:
            self._close()
        taken = [candle for candle in self._finished if candle.opened_at < until]
        refused = [row for opened_at, rows in self._refused.items() if opened_at < until for row in rows]
        spoilt = {row.opened_at for row in refused}
        self._finished = self._finished[len(taken) :]
        self._refused = {opened_at: rows for opened_at, rows in self._refused.items() if opened_at >= until}
        return [candle for candle in taken if candle.opened_at not in spoilt], refused

    def _close(self) -> None:
        if self._open:
            self._finished.append(self._open.candle(self._decimals))
            self._open = None

    def _unseen(self, rows: list[Any]) -> list[Any]:
        """The rows without those that the answer before ended with, and each id once."""
        last = self._last_rows
        repeated = next((n for n in range(min(len(last), len(rows)), 0, -1) if last[-n:] == rows[:n]), 0)
        seen = {row[6]: row for row in last if _has_id(row)}
        unseen: list[Any] = []
        for row in rows[repeated:]:
            if _has_id(row) and row[6] in seen:
                if seen[row[6]] != row:
                    raise UnavailableError(VENUE, f"trades share an id: {seen[row[6]]} and {row}")
                continue
            if _has_id(row):
                seen[row[6]] = row
            unseen.append(row)
        return unseen

    def _entry(self, row: Any) -> tuple[int, Trade | RejectedRow]:
        """The number of the row's interval since the epoch, and the trade or why it is none."""
        try:
            number = kraken_rows.nanoseconds_of(row) // self._step_nanoseconds
            opened_at = self._time(number)
        except UNREADABLE as error:
            raise UnavailableError(VENUE, f"time of trade {raw_text(row)} cannot be read: {error!r}") from error
        try:
            return number, kraken_rows.trade(row)
        except UNREADABLE as error:
            return number, RejectedRow(f"trade cannot be read: {error!r}", raw_text(row), opened_at)

    def _time(self, number: int) -> datetime:
        return EPOCH + number * self._step


def _has_id(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 7 and isinstance(row[6], int)


def printed(value: Decimal, decimals: int) -> Decimal:
    """The same value with `decimals` decimals, or with as many more as it needs."""
    cut = rounded(value, decimals)
    return cut if cut == value else EXACT.normalize(value)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """The value with exactly `decimals` decimals."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN, EXACT)
