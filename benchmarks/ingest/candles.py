"""Deterministic minutes of a market that never was: a random walk with 8 decimals, as columns and as wire text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from include.candles.batch import CandleBatch
from include.candles.timeframes import EPOCH

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UNIT = 10**8
_CLOSE_AFTER_MS = 59_999


def walk(count: int, first: datetime = FIRST, seed: int = 7) -> CandleBatch:
    """`count` contiguous minutes from `first` on."""
    random = np.random.default_rng(seed)
    close = 30_000 * UNIT + np.cumsum(random.integers(-5 * UNIT, 5 * UNIT, count))
    close = np.abs(close) + UNIT
    opened = np.concatenate(([30_000 * UNIT], close[:-1]))
    high = np.maximum(opened, close) + random.integers(0, 9 * UNIT, count)
    low = np.maximum(np.minimum(opened, close) - random.integers(0, 9 * UNIT, count), 1)
    base = random.integers(1, 90 * UNIT, count)
    quote = base // 1000 * (close // UNIT) * 1000
    taker_base, taker_quote = base // 2, quote // 2
    start = (first - EPOCH) // timedelta(milliseconds=1)
    times = start + 60_000 * np.arange(count)
    trades = random.integers(1, 9000, count)
    columns = [times, opened, high, low, close, base, quote, trades, taker_base, taker_quote]
    return CandleBatch(np.array(columns, np.int64))


def lines(batch: CandleBatch) -> list[str]:
    """Lines of the archive's CSV, without their ends."""
    written = []
    for at, opened, high, low, close, base, quote, trades, taker_base, taker_quote in batch.columns.T.tolist():
        prices = ",".join(f"{price // UNIT}.{price % UNIT:08}" for price in (opened, high, low, close, base))
        volumes = ",".join(f"{amount // UNIT}.{amount % UNIT:08}" for amount in (taker_base, taker_quote))
        written.append(f"{at},{prices},{at + _CLOSE_AFTER_MS},{quote // UNIT}.{quote % UNIT:08},{trades},{volumes},0")
    return written


def json_row(line: str) -> bytes:
    """A line of the archive as the row REST answers with: everything but times and count is a text."""
    fields = line.split(",")
    return (",".join(each if at in {0, 6, 8} else f'"{each}"' for at, each in enumerate(fields)).join("[]")).encode()
