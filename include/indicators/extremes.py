"""Highest and lowest value of a trailing window that may have holes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import talib

from include.indicators.windows import Array


def window_highest(values: Array, bars: int, at_least: int) -> Array:
    """Highest of the values present in the window; NaN where fewer than `at_least` are."""
    return _extreme(talib.MAX, values, -np.inf, bars, at_least)


def window_lowest(values: Array, bars: int, at_least: int) -> Array:
    """Lowest of the values present in the window; NaN where fewer than `at_least` are."""
    return _extreme(talib.MIN, values, np.inf, bars, at_least)


def _extreme(function: Callable[[Array, int], Array], values: Array, absent: float, bars: int, at_least: int) -> Array:
    present = ~np.isnan(values)
    padded = np.concatenate([np.full(bars, absent), np.where(present, values, absent)])
    extreme = function(padded, bars)[bars:] if bars > 1 else padded[bars:]
    seen = np.concatenate([np.zeros(bars, np.int64), np.cumsum(present)])
    return np.where(seen[bars:] - seen[:-bars] >= at_least, extreme, np.nan)
