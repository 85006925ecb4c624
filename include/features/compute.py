"""Candles in, features out: pure, and a row depends only on what was known when its candle closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from include.candles.timeframes import SECONDS
from include.features.blocks import BLOCK_BARS, WARM_UP_BARS, block_start
from include.features.fear_greed import DAY_SECONDS, known_fear_greed
from include.features.registry import (
    HISTORY_BARS,
    LONGEST_BRIDGED_HOLE,
    MEAN_DAYS,
    NAMES,
    hours_to_bars,
    minimum_observed,
)
from include.indicators.run import run_indicators
from include.indicators.windows import Array, lagged, window_mean, window_sum

CANDLE_COLUMNS = ("bar", "open", "high", "low", "close", "base_volume", "taker_buy_base_volume")
INDEX_COLUMNS = ("day", "value", "published_at")
Bars = npt.NDArray[np.int64]


def compute_features(
    candles: pd.DataFrame, index: pd.DataFrame, timeframe: str, first_bar: int | None = None
) -> pd.DataFrame:
    """One row of features per candle: `bar` and every column of the registry as float64, NaN where not defined.

    candles: `CANDLE_COLUMNS`, bar = open time / length of the timeframe since the epoch, ascending and unique.
    index: Fear & Greed, `INDEX_COLUMNS`: day in days, published_at in seconds since the epoch, one row a day.

    first_bar: rows before it are left out; then `candles` has to hold what there is from `lookback_bars(timeframe)`
    before the block of that bar (include/features/blocks.py). Without it `candles` is the whole history.
    Raises ValueError where candles are not in order.
    """
    bars = candles["bar"].to_numpy(np.int64)
    if len(bars) == 0:
        return pd.DataFrame({"bar": bars, **{name: np.empty(0) for name in NAMES}})
    if (np.diff(bars) <= 0).any():
        raise ValueError("candles have to be in order of time, each bar once")
    opened = bars * SECONDS[timeframe]
    columns = {
        **_clock_columns(candles, bars, timeframe),
        **_indicator_columns(candles, bars, int(bars[0]) if first_bar is None else first_bar),
        **known_fear_greed(index, opened + SECONDS[timeframe]),
        "hour_of_day": (opened // 3600 % 24).astype(np.float64),
        "day_of_week": ((opened // DAY_SECONDS + 3) % 7 + 1).astype(np.float64),  # the epoch was a Thursday
    }
    frame = pd.DataFrame({"bar": bars, **{name: columns[name] for name in NAMES}})
    return frame if first_bar is None else frame.loc[bars >= first_bar].reset_index(drop=True)


def _clock_columns(candles: pd.DataFrame, bars: Bars, timeframe: str) -> dict[str, Array]:
    """Columns over windows of the clock, on the whole grid of bars from the first to the last."""
    place = bars - bars[0]
    length = int(place[-1]) + 1

    def on_grid(values: Array) -> Array:
        grid = np.full(length, np.nan)
        grid[place] = values
        return grid

    def mean_over(values: Array, hours: int) -> Array:
        window = hours_to_bars(hours, timeframe)
        return window_mean(values, window, at_least=minimum_observed(window))

    def log_return(hours: int) -> Array:
        return np.log(close / lagged(close, hours_to_bars(hours, timeframe)))

    def volatility(hours: int) -> Array:
        return np.sqrt(mean_over(one_bar * one_bar, hours) * hours_to_bars(hours, timeframe))

    close, volume = on_grid(candles["close"].to_numpy()), on_grid(candles["base_volume"].to_numpy())
    previous = lagged(close, 1)
    one_bar = np.log(close / previous)
    month = hours_to_bars(24 * 30, timeframe)
    _, observed = window_sum(close, month)
    grids = {
        "change_percent": 100.0 * (close / previous - 1.0),
        "log_return": one_bar,
        "log_return_24h": log_return(24),
        "log_return_7d": log_return(168),
        "realised_volatility_24h": volatility(24),
        "realised_volatility_7d": volatility(168),
        **{f"sma_{days}d": mean_over(close, 24 * days) for days in MEAN_DAYS},
        **{f"volume_mean_{days}d": mean_over(volume, 24 * days) for days in MEAN_DAYS},
        "missing_bars_30d": (month - observed).astype(np.float64),
    }
    high, low, at_close = (candles[name].to_numpy() for name in ("high", "low", "close"))
    bought, traded = candles["taker_buy_base_volume"].to_numpy(), candles["base_volume"].to_numpy()
    return {
        **{name: grid[place] for name, grid in grids.items()},
        "range_percent": 100.0 * (high - low) / at_close,
        "taker_buy_share": np.divide(bought, traded, out=np.full_like(traded, np.nan), where=traded > 0),
        "history_bars": np.minimum(bars - bars[_run_starts(bars)], HISTORY_BARS).astype(np.float64),
    }


def _run_starts(bars: Bars) -> npt.NDArray[np.intp]:
    """For each bar the position of the first one of its unbroken run."""
    breaks = np.concatenate([[True], np.diff(bars) > LONGEST_BRIDGED_HOLE + 1])
    return np.maximum.accumulate(np.where(breaks, np.arange(len(bars)), 0))


def _indicator_columns(candles: pd.DataFrame, bars: Bars, first_bar: int) -> dict[str, Array]:
    """Indicators of consecutive bars, each block from its own anchored slice of bars; NaN before first_bar's block."""
    high, low, close = (candles[name].to_numpy(np.float64) for name in ("high", "low", "close"))
    columns = {name: np.full(len(bars), np.nan) for name in run_indicators(high[:0], low[:0], close[:0])}
    for start in range(block_start(first_bar), int(bars[-1]) + 1, BLOCK_BARS):
        begin, first, end = np.searchsorted(bars, [start - WARM_UP_BARS, start, start + BLOCK_BARS])
        if first == end:
            continue
        starts = begin + _run_starts(bars[begin:end])
        for run_start in np.unique(starts[first - begin :]):
            run_end = begin + int(np.searchsorted(starts, run_start, side="right"))
            values = run_indicators(high[run_start:run_end], low[run_start:run_end], close[run_start:run_end])
            kept = max(int(first), int(run_start))
            for name, column in values.items():
                columns[name][kept:run_end] = column[kept - run_start :]
    return columns
