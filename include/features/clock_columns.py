"""Columns over windows of the clock, on the whole grid of bars from the first to the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from include.features.model import (
    FIBONACCI_HOURS,
    FIBONACCI_RATIOS,
    MEAN_DAYS,
    hours_to_bars,
    minimum_observed,
)
from include.indicators.extremes import window_highest, window_lowest
from include.indicators.windows import Array, lagged, window_mean, window_sum

Bars = npt.NDArray[np.int64]
Columns = Mapping[str, Array]


def clock_columns(candles: Columns, bars: Bars, timeframe: str) -> dict[str, Array]:
    """Returns, volatility, means and levels, one value per candle; a bar without a candle counts as missing."""
    place = bars - bars[0]
    length = int(place[-1]) + 1

    def on_grid(column: str) -> Array:
        grid = np.full(length, np.nan)
        grid[place] = candles[column]
        return grid

    close = on_grid("close")
    grids = {
        **_returns(close, timeframe),
        **_means(close, on_grid("base_volume"), timeframe),
        **_levels(on_grid("high"), on_grid("low"), timeframe),
    }
    return {name: grid[place] for name, grid in grids.items()}


def _returns(close: Array, timeframe: str) -> dict[str, Array]:
    def over(hours: int) -> Array:
        return np.log(close / lagged(close, hours_to_bars(hours, timeframe)))

    def volatility(hours: int) -> Array:
        bars = hours_to_bars(hours, timeframe)
        return np.sqrt(window_mean(one_bar * one_bar, bars, minimum_observed(bars)) * bars)

    previous = lagged(close, 1)
    one_bar = np.log(close / previous)
    return {
        "change_percent": 100.0 * (close / previous - 1.0),
        "log_return": one_bar,
        "log_return_24h": over(24),
        "log_return_7d": over(168),
        "realised_volatility_24h": volatility(24),
        "realised_volatility_7d": volatility(168),
    }


def _means(close: Array, volume: Array, timeframe: str) -> dict[str, Array]:
    columns = {}
    for days in MEAN_DAYS:
        bars = hours_to_bars(24 * days, timeframe)
        columns[f"sma_{days}"] = window_mean(close, bars, minimum_observed(bars))
        columns[f"volume_avg_{days}d"] = window_mean(volume, bars, minimum_observed(bars))
    month = hours_to_bars(24 * 30, timeframe)
    _, observed = window_sum(close, month)
    return {**columns, "missing_bars_30d": (month - observed).astype(np.float64)}


def _levels(high: Array, low: Array, timeframe: str) -> dict[str, Array]:
    def trailing(extreme: Callable[[Array, int, int], Array], prices: Array) -> Array:
        return extreme(prices, bars, minimum_observed(bars))

    bars = hours_to_bars(FIBONACCI_HOURS, timeframe)
    highest, lowest = trailing(window_highest, high), trailing(window_lowest, low)
    span = highest - lowest
    levels = {f"fibonacci_{name}": highest - ratio * span for name, ratio in FIBONACCI_RATIOS.items()}
    return {"high_7d": highest, "low_7d": lowest, **levels}
