"""Many candles at once, as columns of whole numbers: exact, quick to check, and iterable as the candles they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import overload

import numpy as np
from numpy.typing import NDArray

from include.candles.model import Candle
from include.candles.timeframes import EPOCH, step

PLACES = 8  # every price and volume is a whole number of 10^-8
# Rows of `CandleBatch.columns`; opened_at in milliseconds since the epoch (UTC), trade_count as it is.
COLUMNS = (
    "opened_at", "open", "high", "low", "close", "base_volume", "quote_volume", "trade_count",
    "taker_buy_base_volume", "taker_buy_quote_volume",
)  # fmt: skip
_OPENED_AT, _OPEN, _HIGH, _LOW, _CLOSE, _BASE, _QUOTE, _COUNT, _TAKER_BASE, _TAKER_QUOTE = range(len(COLUMNS))
_MILLISECOND = timedelta(milliseconds=1)


class CandleBatch(Sequence[Candle]):
    """Candles without vwap whose figures all have 8 decimals; equal to any sequence of the same candles.

    `columns`: int64, one row per entry of COLUMNS, one column per candle, in the order they came.
    """

    __slots__ = ("columns",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, columns: NDArray[np.int64]) -> None:
        if columns.ndim != 2 or columns.shape[0] != len(COLUMNS) or columns.dtype != np.int64:
            raise ValueError(f"{len(COLUMNS)} rows of int64 were expected, not {columns.dtype} {columns.shape}")
        self.columns = columns

    @property
    def opened_ms(self) -> NDArray[np.int64]:
        """Open times in milliseconds since the epoch (UTC)."""
        opened: NDArray[np.int64] = self.columns[_OPENED_AT]
        return opened

    @property
    def is_ascending(self) -> bool:
        """Whether each candle opens after the one before it."""
        opened = self.opened_ms
        return bool((opened[1:] > opened[:-1]).all())

    def ranges(self, timeframe: str) -> tuple[list[datetime], list[datetime]]:
        """Starts and ends of the contiguous half-open ranges that the (ascending) candles fill."""
        opened, length = self.opened_ms, step(timeframe)
        breaks = np.flatnonzero(np.diff(opened) != length // _MILLISECOND)
        firsts = opened[np.concatenate(([0], breaks + 1))]
        lasts = opened[np.concatenate((breaks, [len(self) - 1]))]
        return [_time(each) for each in firsts.tolist()], [_time(each) + length for each in lasts.tolist()]

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: slice) -> CandleBatch: ...
    def __getitem__(self, index: int | slice) -> Candle | CandleBatch:
        if isinstance(index, slice):
            return CandleBatch(self.columns[:, index])
        return _candle(self.columns[:, index].tolist())

    def __iter__(self) -> Iterator[Candle]:
        return map(_candle, self.columns.T.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CandleBatch):
            return bool(np.array_equal(self.columns, other.columns))
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(map(Candle.__eq__, self, other))

    def __repr__(self) -> str:
        return f"CandleBatch({list(self)!r})"


def concat(parts: Sequence[Sequence[Candle]]) -> Sequence[Candle]:
    """All candles of the parts in their order; a batch where every part that holds any is one."""
    filled = [part for part in parts if len(part)]
    batches = [part for part in filled if isinstance(part, CandleBatch)]
    if batches and len(batches) == len(filled):
        return CandleBatch(np.concatenate([batch.columns for batch in batches], axis=1))
    return [candle for part in filled for candle in part]


def closed(batch: CandleBatch, timeframe: str, now: datetime) -> CandleBatch:
    """The candles that are closed at `now`."""
    last_open = (now - EPOCH - step(timeframe)) // _MILLISECOND
    is_closed = batch.opened_ms <= last_open
    return batch if is_closed.all() else CandleBatch(batch.columns[:, is_closed])


def is_sound(batch: CandleBatch, timeframe: str, start: datetime, end: datetime) -> bool:
    """Whether `split_valid` would pass on every candle of the batch, just as and where it is."""
    if not len(batch):
        return True
    opened, open_, high, low, close, base, quote, count, taker_base, taker_quote = batch.columns
    length = step(timeframe) // _MILLISECOND
    # Neither bound need be a whole millisecond: the first open time at or after it decides.
    first, stop = (-((EPOCH - bound) // _MILLISECOND) for bound in (start, end))
    return bool(
        opened[0] >= first
        and opened[-1] < stop
        and batch.is_ascending
        and not (opened % length).any()
        and (low > 0).all()
        and (low <= np.minimum(open_, close)).all()
        and (high >= np.maximum(open_, close)).all()
        and min(base.min(), quote.min(), count.min(), taker_base.min(), taker_quote.min()) >= 0
        and (taker_base <= base).all()
        and (taker_quote <= quote).all()
    )


def _time(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _candle(row: list[int]) -> Candle:
    def exact(scaled: int) -> Decimal:
        return Decimal(scaled).scaleb(-PLACES)

    return Candle(
        opened_at=_time(row[_OPENED_AT]),
        open=exact(row[_OPEN]),
        high=exact(row[_HIGH]),
        low=exact(row[_LOW]),
        close=exact(row[_CLOSE]),
        base_volume=exact(row[_BASE]),
        quote_volume=exact(row[_QUOTE]),
        trade_count=row[_COUNT],
        taker_buy_base_volume=exact(row[_TAKER_BASE]),
        taker_buy_quote_volume=exact(row[_TAKER_QUOTE]),
    )
