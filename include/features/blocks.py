"""Which bars a feature row is computed from, as a function of the row's time alone.

A recursive indicator (RSI, MACD, ADX, ...) remembers for ever, so its last bits depend on where the computation began.
Here every row belongs to a block of bars anchored at the Unix epoch and is computed from the bars of its block before
it and of the `WARM_UP_BARS` before the block: the hourly run, a backfill and a full recompute begin at the same bar
and agree to the bit, and a corrected candle has a finite reach. 768 bars are far more than the indicators' memory
(they agree with an unlimited history to 1e-12 after some 450 bars), so no seam shows between blocks.

Bars are counted from the epoch: bar number = open time / length of the timeframe.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from include.candles.timeframes import EPOCH, ceil, step
from include.features.registry import FEATURES

BLOCK_BARS = 480
WARM_UP_BARS = 768
MEMORY_BARS = 720  # after so many bars every indicator has forgotten what came before


class BarRange(NamedTuple):
    """Bars [start, end), numbered from the epoch."""

    start: int
    end: int


def bar_number(opened_at: datetime, timeframe: str) -> int:
    """Number of the first bar that opens at or after a time."""
    return (ceil(opened_at, timeframe) - EPOCH) // step(timeframe)


def opening(bar: int, timeframe: str) -> datetime:
    """Open time (UTC) of a bar."""
    return EPOCH + bar * step(timeframe)


def longest_window(timeframe: str) -> int:
    """Bars in the longest window of any column."""
    return max(feature.window_bars(timeframe) for feature in FEATURES)


def lookback_bars(timeframe: str) -> int:
    """How many bars before a block its rows are computed from."""
    return max(WARM_UP_BARS, longest_window(timeframe))


def memory(timeframe: str) -> timedelta:
    """How long a closed candle can still enter features that are computed anew; before that it must stay at hand."""
    return whole_memory_bars(timeframe) * step(timeframe)


def whole_memory_bars(timeframe: str) -> int:
    """After so many bars a row's slice of bars is whole, wherever the row lies in its block."""
    return lookback_bars(timeframe) + BLOCK_BARS


def block_start(bar: int) -> int:
    """First bar of the block a bar belongs to."""
    return bar - bar % BLOCK_BARS


def reach(changed: BarRange, timeframe: str) -> BarRange:
    """Rows that may differ once the candles of `changed` do."""
    last = changed.end - 1
    last_block_fed = block_start(last + WARM_UP_BARS)
    return BarRange(changed.start, max(last_block_fed + BLOCK_BARS, last + longest_window(timeframe)))


def merge(ranges: list[BarRange]) -> list[BarRange]:
    """The same bars in as few ranges as possible, ascending; empty ranges vanish."""
    merged: list[BarRange] = []
    for each in sorted(ranges):
        if each.start >= each.end:
            continue
        if merged and each.start <= merged[-1].end:
            merged[-1] = BarRange(merged[-1].start, max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged


def pieces(rows: BarRange, blocks: int) -> list[BarRange]:
    """A range cut at block boundaries into pieces of at most so many blocks, to bound memory."""
    cuts = range(block_start(rows.start), rows.end, blocks * BLOCK_BARS)
    return [BarRange(max(cut, rows.start), min(cut + blocks * BLOCK_BARS, rows.end)) for cut in cuts]
