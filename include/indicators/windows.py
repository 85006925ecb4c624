"""Rolling windows whose value depends on the window alone, to the last bit.

pandas' rolling sums carry rounding from everything before the window, so a tail and a full history differ. Here sums
run over three int64 limbs in fixed point, which add and subtract exactly: not even the last bit of a window's sum
depends on what lies before it, and a window costs the same however long it is.
Arrays are float64, one element per bar, NaN where a value is missing; a window's result stands at its last bar.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_LIMB_BITS = 46
_LIMB, _UNIT = 2.0**_LIMB_BITS, 2.0**10  # the upper limb counts 1024s, so that the lower one reaches down to 2^-82
LARGEST_VALUE = _LIMB * _UNIT
LONGEST_WINDOW = 1 << (62 - _LIMB_BITS)  # a sum of so many limbs fits into 63 bits


def window_sum(values: Array, bars: int) -> tuple[Array, Counts]:
    """Sum and number of the values present among the last `bars` ones; the array is preceded by nothing.

    Exact but for digits of a value below 2^-82, and rounded at the end alone.
    Raises ValueError for a window of more than LONGEST_WINDOW bars and for a magnitude of LARGEST_VALUE or more.
    """
    if bars > LONGEST_WINDOW:
        raise ValueError(f"a window of {bars} bars; {LONGEST_WINDOW} are the most that are summed exactly")
    present = ~np.isnan(values)
    rest = np.where(present, values, 0.0)
    if len(rest) and np.abs(rest).max() >= LARGEST_VALUE:
        raise ValueError(f"{np.abs(rest).max()} is too large for an exact sum; below {LARGEST_VALUE} it can be had")
    rest = rest / _UNIT  # by a power of two, like all that follows: exact
    sums = []
    for _ in range(3):
        limb = np.floor(rest)
        sums.append(_trailing(limb.astype(np.int64), bars))
        rest = (rest - limb) * _LIMB
    upper, middle, lower = sums
    return (upper + (middle + lower / _LIMB) / _LIMB) * _UNIT, _trailing(present.astype(np.int64), bars)


def window_mean(values: Array, bars: int, at_least: int) -> Array:
    """Mean of the values present in the window; NaN where fewer than `at_least` are. Errors: as window_sum."""
    total, count = window_sum(values, bars)
    return np.where(count >= at_least, total / np.maximum(count, 1), np.nan)


def short_mean(values: Array, bars: int) -> Array:
    """Mean of whole windows of a few bars, each summed afresh, oldest bar first; NaN where a value is missing."""
    padded = _padded(values, bars)
    total = np.zeros(len(values))
    for offset in range(bars):
        total += padded[offset : offset + len(values)]
    return total / bars


def short_deviation(values: Array, mean: Array, bars: int) -> Array:
    """Population standard deviation of the same windows, given their means."""
    padded = _padded(values, bars)
    total = np.zeros(len(values))
    for offset in range(bars):
        deviation = padded[offset : offset + len(values)] - mean
        total += deviation * deviation
    result: Array = np.sqrt(total / bars)
    return result


def lagged(values: Array, bars: int) -> Array:
    """The value `bars` bars earlier; NaN where there is none."""
    length = len(values)
    return np.concatenate([np.full(min(bars, length), np.nan), values[: max(0, length - bars)]])


def _padded(values: Array, bars: int) -> Array:
    return np.concatenate([np.full(bars - 1, np.nan), values])


def _trailing(values: Counts, bars: int) -> Counts:
    """Sums of the last `bars` integers. The running sum may wrap around: differences stay right."""
    running = np.cumsum(values)
    sums = running.copy()
    sums[bars:] -= running[:-bars]
    return sums
