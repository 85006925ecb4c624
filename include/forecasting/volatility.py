"""Realised volatility of a market's past and of the hours ahead, from closes alone.

Every figure is in units of the standard deviation of a day's log return: the root of a day's sum of squared hourly log
returns (Andersen, Bollerslev, Diebold and Labys, 2003), or of the mean of several days' sums. Windows are of the clock
and have an end: a value does not depend on where the loaded history begins, once that is LOOKBACK_BARS before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from include.forecasting.losses import VOLATILITY_FLOOR
from include.forecasting.significance import FloatArray

if TYPE_CHECKING:
    import pandas as pd

DAY_BARS = 24  # forecasts are made on hourly candles

# The HAR model's memory: a day, a week and a month (Corsi, 2009).
WINDOWS: dict[str, int] = {"day": DAY_BARS, "week": 7 * DAY_BARS, "month": 30 * DAY_BARS}
# RiskMetrics' decay for daily data (J.P. Morgan, 1996), on days that end at the same hour.
EWMA_DECAY = 0.94
EWMA_DAYS = 90
FEWEST_EWMA_DAYS = 30
FEWEST_SHARE = 0.8
# A market that stood still for a day, e.g. in an outage, would rule every fit of logarithms.
SMALLEST_SHARE = 0.01

COLUMNS: tuple[str, ...] = (*WINDOWS, "ewma")
LOOKBACK_BARS = (EWMA_DAYS + 1) * DAY_BARS


def hourly_grid(bars: npt.NDArray[np.int64], closes: FloatArray) -> FloatArray:
    """Closes of every bar from the first to the last; NaN where there is no candle. bars: rising bar numbers."""
    grid = np.full(int(bars[-1] - bars[0]) + 1, np.nan)
    grid[bars - bars[0]] = closes
    return grid


def past_volatility(bars: npt.NDArray[np.int64], closes: FloatArray) -> pd.DataFrame:
    """The columns COLUMNS as known at each bar's close, one row per bar given.

    bars: number of each hourly candle since the epoch, rising; closes: theirs. NaN where less than FEWEST_SHARE of a
    window's returns (FEWEST_EWMA_DAYS of the EWMA's days) are known.
    """
    import pandas as pd

    if not len(bars):
        return pd.DataFrame({name: np.empty(0) for name in COLUMNS})
    squared = _squared_returns(hourly_grid(bars, closes))
    columns = {name: np.sqrt(DAY_BARS * _trailing_mean(squared, width)) for name, width in WINDOWS.items()}
    columns["ewma"] = _ewma(np.square(columns["day"]))
    return pd.DataFrame({name: values[bars - bars[0]] for name, values in columns.items()})


def log_volatility(values: FloatArray, usual: FloatArray | float) -> FloatArray:
    """Logarithms of volatilities, of which none counts as less than SMALLEST_SHARE of `usual`; NaN stays."""
    return np.asarray(np.log(np.maximum(values, np.maximum(SMALLEST_SHARE * usual, VOLATILITY_FLOOR))))


def usual_volatility(outcome: FloatArray) -> float:
    """Root of the mean variance of volatilities, 0 without any."""
    return float(np.sqrt(np.square(outcome).mean())) if len(outcome) else 0.0


def level(log_errors: FloatArray) -> float:
    """The factor under which forecasts have the least QLIKE: mean actual over mean forecast variance becomes 1.

    log_errors: logarithms of actual over forecast volatility.
    """
    return float(np.sqrt(np.mean(np.exp(2.0 * log_errors))))


def future_volatility(bars: npt.NDArray[np.int64], closes: FloatArray, horizon: int) -> FloatArray:
    """Realised volatility of the `horizon` bars after each bar; NaN unless every one of them is known."""
    if not len(bars):
        return np.empty(0)
    squared = _squared_returns(hourly_grid(bars, closes))
    sums = np.full(len(squared), np.nan)
    if len(squared) > horizon:
        sums[:-horizon] = np.lib.stride_tricks.sliding_window_view(squared[1:], horizon).sum(axis=1)
    return np.asarray(np.sqrt(sums)[bars - bars[0]])


def _squared_returns(closes: FloatArray) -> FloatArray:
    return np.asarray(np.square(np.diff(np.log(closes), prepend=np.nan)))


def _trailing_mean(values: FloatArray, width: int) -> FloatArray:
    """Mean of the known values of the `width` bars that end with each bar."""
    padded = np.concatenate([np.full(width - 1, np.nan), values])
    known = np.isfinite(padded)
    count = np.lib.stride_tricks.sliding_window_view(known, width).sum(axis=1)
    total = np.lib.stride_tricks.sliding_window_view(np.where(known, padded, 0.0), width).sum(axis=1)
    return np.where(count >= FEWEST_SHARE * width, total / np.maximum(count, 1), np.nan)


def _ewma(daily: FloatArray) -> FloatArray:
    """Weighted mean of the variances of the days that end at each bar, a day before it, and so on."""
    weighted, weights, days = (np.zeros(len(daily)) for _ in range(3))
    for ago in range(EWMA_DAYS):
        shift = ago * DAY_BARS
        if shift >= len(daily):
            break
        past = daily[: len(daily) - shift]
        known = np.isfinite(past)
        weight = EWMA_DECAY**ago
        weighted[shift:] += np.where(known, weight * past, 0.0)
        weights[shift:] += np.where(known, weight, 0.0)
        days[shift:] += known
    return np.sqrt(np.where(days >= FEWEST_EWMA_DAYS, weighted / np.where(weights > 0, weights, 1.0), np.nan))
