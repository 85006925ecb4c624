"""Candles as rows of an integer matrix, in the column order of Binance's klines.

Prices and volumes are counted in 1e-8 units, so that sums are exact and text is printed without floats; times are
epoch milliseconds. A year of hours is 0.8 MB, and a page is a slice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bars = NDArray[np.int64]

OPEN_TIME, OPEN, HIGH, LOW, CLOSE, BASE, CLOSE_TIME, QUOTE, TRADES, TAKER_BASE, TAKER_QUOTE = range(11)
WIDTH = 11
UNIT = 10**8
STEP_MS: dict[str, int] = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}
# From here on neighbouring doubles lie further apart than 1e-8.
_EXACT_LIMIT = 2.0**26


class Precision(NamedTuple):
    """Smallest price step and smallest amount of a market, in 1e-8 units."""

    tick: int
    lot: int


def no_bars() -> Bars:
    return np.empty((0, WIDTH), dtype=np.int64)


def fixed_point(values: NDArray[np.float64]) -> Bars:
    """Floats that were parsed from 8-decimal text, back in 1e-8 units.

    Exact below 6.7e7; above, the shortest decimal that reads back as the same float.
    """
    whole = np.floor(values)
    result = whole.astype(np.int64) * UNIT + np.rint((values - whole) * UNIT).astype(np.int64)
    for i in np.flatnonzero(values >= _EXACT_LIMIT):
        result[i] = round(Decimal(repr(float(values[i]))).scaleb(8))
    return result


def decimal_text(units: int) -> str:
    """1e-8 units as the venue prints them: `-0.05000000`."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), UNIT)
    return f"{sign}{whole}.{fraction:08d}"


def kline_rows(bars: Bars) -> list[tuple[object, ...]]:
    """Rows as `/api/v3/klines` gives them: times and counts as integers, the rest as text."""
    columns: list[list[object]] = []
    for index in range(WIDTH):
        numbers: list[int] = bars[:, index].tolist()
        is_count = index in (OPEN_TIME, CLOSE_TIME, TRADES)
        columns.append([*numbers] if is_count else [f"{n // UNIT}.{n % UNIT:08d}" for n in numbers])
    columns.append(["0"] * len(bars))
    return list(zip(*columns, strict=True))


def fold(bars: Bars, step_ms: int) -> Bars:
    """Ascending bars summed up to a longer timeframe; a bucket without any bar stays absent."""
    if not len(bars):
        return bars
    buckets = bars[:, OPEN_TIME] // step_ms
    first = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    last = np.r_[first[1:], len(bars)] - 1
    folded = np.add.reduceat(bars, first, axis=0)
    folded[:, OPEN_TIME] = buckets[first] * step_ms
    folded[:, CLOSE_TIME] = folded[:, OPEN_TIME] + step_ms - 1
    folded[:, OPEN] = bars[first, OPEN]
    folded[:, CLOSE] = bars[last, CLOSE]
    folded[:, HIGH] = np.maximum.reduceat(bars[:, HIGH], first)
    folded[:, LOW] = np.minimum.reduceat(bars[:, LOW], first)
    return folded


def unfinished(bar: Bars, elapsed_ms: int, step_ms: int, precision: Precision) -> Bars:
    """What the final `bar` (one row) looked like `elapsed_ms` after its open.

    The price walks in three even legs from open over both extremes to close, the nearer one first by the candle's
    direction; volumes grow evenly. Never decreasing, never outside of the final candle.
    """
    row: list[int] = bar[0].tolist()
    nearer, farther = (LOW, HIGH) if row[CLOSE] >= row[OPEN] else (HIGH, LOW)
    corners = [row[OPEN], row[nearer], row[farther], row[CLOSE]]
    leg, into = divmod(3 * elapsed_ms, step_ms)
    here, there = corners[leg], corners[leg + 1]
    price = (here + (there - here) * into // step_ms) // precision.tick * precision.tick
    price = min(max(price, min(here, there)), max(here, there))
    seen = [*corners[: leg + 1], price]
    for column in (BASE, QUOTE, TRADES, TAKER_BASE, TAKER_QUOTE):
        row[column] = row[column] * elapsed_ms // step_ms
    for column in (BASE, TAKER_BASE):
        row[column] -= row[column] % precision.lot
    row[CLOSE_TIME] = row[OPEN_TIME] + step_ms - 1
    row[HIGH], row[LOW], row[CLOSE] = max(seen), min(seen), price
    return np.array([row], dtype=np.int64)
