"""Rolling windows whose value depends on the window alone, to the last bit.

Each window is summed afresh, oldest bar first, in the same order wherever it lies in the array and whatever surrounds
it. (pandas' rolling sums carry rounding from everything before the window, so a tail and a full history differ.)
Arrays are float64, one element per bar, NaN where a value is missing; a window's result stands at its last bar.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def window_sum(values: Array, bars: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Sum and number of the values present among the last `bars` ones; the array is preceded by nothing."""
    present = ~np.isnan(values)
    length = len(values)
    padded = np.concatenate([np.zeros(bars - 1), np.where(present, values, 0.0)])
    total = np.zeros(length)
    for offset in range(bars):
        total += padded[offset : offset + length]
    seen = np.concatenate([[0], np.cumsum(present)])
    first = np.maximum(np.arange(1, length + 1) - bars, 0)
    return total, seen[1:] - seen[first]


def window_mean(values: Array, bars: int, at_least: int) -> Array:
    """Mean of the values present in the window; NaN where fewer than `at_least` are."""
    total, count = window_sum(values, bars)
    return np.where(count >= at_least, total / np.maximum(count, 1), np.nan)


def window_deviation(values: Array, mean: Array, bars: int) -> Array:
    """Population standard deviation of whole windows, given their means; NaN where a value is missing."""
    length = len(values)
    padded = np.concatenate([np.full(bars - 1, np.nan), values])
    total = np.zeros(length)
    for offset in range(bars):
        deviation = padded[offset : offset + length] - mean
        total += deviation * deviation
    result: Array = np.sqrt(total / bars)
    return result


def lagged(values: Array, bars: int) -> Array:
    """The value `bars` bars earlier; NaN where there is none."""
    length = len(values)
    return np.concatenate([np.full(min(bars, length), np.nan), values[: max(0, length - bars)]])
