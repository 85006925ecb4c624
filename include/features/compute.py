"""Candles in, features out: pure, and a row depends only on what was known when its candle closed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from include.candles.timeframes import SECONDS
from include.features.blocks import BLOCK_BARS, WARM_UP_BARS, block_start
from include.features.clock_columns import Bars, Columns, clock_columns
from include.features.columns_indicators import indicator_columns as indicators
from include.features.fear_greed import DAY_SECONDS, known_fear_greed
from include.features.model import HISTORY_BARS, LONGEST_BRIDGED_HOLE
from include.features.registry import NAMES
from include.indicators.run import bands, recursive_indicators
from include.indicators.windows import Array

CANDLE_COLUMNS = ("bar", "high", "low", "close", "base_volume", "taker_buy_base_volume")
INDICATORS = tuple(feature.name for feature in indicators())
INDEX_COLUMNS = ("day", "value", "published_at")


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
    given = (_arrays(candles, CANDLE_COLUMNS), _arrays(index, INDEX_COLUMNS))
    return pd.DataFrame(feature_columns(*given, timeframe, first_bar))


def feature_columns(
    candles: Columns, index: Columns, timeframe: str, first_bar: int | None = None
) -> dict[str, npt.NDArray[Any]]:
    """The same from arrays of float64 by name to arrays by name: a frame costs more than one row's features."""
    bars = candles["bar"].astype(np.int64)
    if len(bars) == 0:
        return {"bar": bars, **dict.fromkeys(NAMES, np.empty(0))}
    if (np.diff(bars) <= 0).any():
        raise ValueError("candles have to be in order of time, each bar once")
    opened = bars * SECONDS[timeframe]
    columns = {
        **clock_columns(candles, bars, timeframe),
        **_row_columns(candles, opened),
        **indicator_columns(candles, bars, int(bars[0]) if first_bar is None else first_bar),
        **known_fear_greed(index, opened + SECONDS[timeframe]),
    }
    first = 0 if first_bar is None else int(np.searchsorted(bars, first_bar))
    return {"bar": bars[first:], **{name: columns[name][first:] for name in NAMES}}


def _arrays(frame: pd.DataFrame, names: Sequence[str]) -> Columns:
    return {name: frame[name].to_numpy(np.float64) for name in names}


def _row_columns(candles: Columns, opened: Bars) -> dict[str, Array]:
    """Columns that the row alone decides; opened: seconds since the epoch."""
    high, low, close = (candles[name] for name in ("high", "low", "close"))
    bought, traded = candles["taker_buy_base_volume"], candles["base_volume"]
    months = opened.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return {
        "range_percent": 100.0 * (high - low) / close,
        "taker_buy_share": np.divide(bought, traded, out=np.full_like(traded, np.nan), where=traded > 0),
        "hour_of_day": (opened // 3600 % 24).astype(np.float64),
        "day_of_week": ((opened // DAY_SECONDS + 3) % 7 + 1).astype(np.float64),  # the epoch was a Thursday
        "month": (months % 12 + 1).astype(np.float64),
    }


def _run_starts(bars: Bars) -> npt.NDArray[np.intp]:
    """For each bar the position of the first one of its unbroken run."""
    breaks = np.concatenate([[True], np.diff(bars) > LONGEST_BRIDGED_HOLE + 1])
    return np.maximum.accumulate(np.where(breaks, np.arange(len(bars)), 0))


def indicator_columns(candles: Columns, bars: Bars, first_bar: int) -> dict[str, Array]:
    """Indicators of consecutive bars; recursive ones block by block, NaN before first_bar's block."""
    high, low, close = (candles[name] for name in ("high", "low", "close"))
    starts = _run_starts(bars)
    columns = {name: np.full(len(bars), np.nan) for name in INDICATORS}
    for start, end in _runs(starts):
        for name, values in bands(close[start:end]).items():
            columns[name][start:end] = values
    for block in range(block_start(first_bar), int(bars[-1]) + 1, BLOCK_BARS):
        begin, first, end = np.searchsorted(bars, [block - WARM_UP_BARS, block, block + BLOCK_BARS])
        for start, until in _runs(starts[first:end]):
            run_start, run_end = max(int(starts[first + start]), int(begin)), int(first) + until
            kept = int(first) + start
            run = slice(run_start, run_end)
            for name, values in recursive_indicators(high[run], low[run], close[run]).items():
                columns[name][kept:run_end] = values[kept - run_start :]
    return {**columns, "history_bars": np.minimum(bars - bars[starts], HISTORY_BARS).astype(np.float64)}


def _runs(starts: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    """Where each run of equal starts begins and ends."""
    if len(starts) == 0:
        return []
    cuts = [0, *(np.flatnonzero(np.diff(starts)) + 1).tolist(), len(starts)]
    return list(pairwise(cuts))
