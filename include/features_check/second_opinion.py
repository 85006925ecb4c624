"""Indicators from other hands than the stored ones: the single classes of `ta`, which shares no code with TA-Lib.

`ta` is used within what it does well: an unbroken run of consecutive bars on a RangeIndex, and never its `fillna`.
Where its beginning shows (it seeds its recursions differently, and leaves zeros in warm-up) there is NaN, as where a
value is not defined or hangs on rounding alone.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from ta.momentum import RSIIndicator, StochRSIIndicator
from ta.trend import MACD, ADXIndicator, EMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands

from include.features.model import (
    ADX_WINDOW,
    ATR_WINDOW,
    BOLLINGER_DEVIATIONS,
    BOLLINGER_WINDOW,
    MACD_FAST,
    MACD_SIGNAL,
    MACD_SLOW,
    RSI_WINDOW,
    STOCHASTIC_SMOOTHING,
)

# Columns without the quote's unit: at rest they are a quotient of what rounding has left.
RATIOS = (
    *("rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d", "adx_14", "di_plus_14", "di_minus_14"),
    *("bollinger_width", "bollinger_percent_b"),
)

Array = npt.NDArray[np.float64]
Prices: TypeAlias = "pd.Series[float]"

# From here on both libraries' recursions agree to 1e-9: they have forgotten how they began.
SETTLED_BARS = 400

# After so many bars at rest a mean of Wilder's holds only what its window has left behind, and shrinks with each bar
# until a library's own zero ends it: TA-Lib's is 1e-14, whatever the price.
REST_BARS = 14

# A ratio of ranges smaller than these says more of rounding than of the market.
LEAST_RSI_RANGE = 0.01  # points of rsi_14
LEAST_BAND = 1e-4  # of the price


def second_opinion(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Indicators of one unbroken run by column name, NaN where there is no opinion. Prices oldest first."""
    if len(close) <= SETTLED_BARS:
        return {}
    highs, lows, closes = pd.Series(high), pd.Series(low), pd.Series(close)
    macd = MACD(closes, window_slow=MACD_SLOW, window_fast=MACD_FAST, window_sign=MACD_SIGNAL)
    with np.errstate(all="ignore"):  # a market without any range divides zero by zero
        columns = {
            "ema_12": EMAIndicator(closes, MACD_FAST).ema_indicator(),
            "ema_26": EMAIndicator(closes, MACD_SLOW).ema_indicator(),
            "macd": macd.macd(),
            "macd_signal": macd.macd_signal(),
            "macd_histogram": macd.macd_diff(),
            "atr_14": AverageTrueRange(highs, lows, closes, ATR_WINDOW).average_true_range(),
            **_directional(highs, lows, closes),
            **_momentum(closes),
            **_bands(closes),
        }
    settled = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    for values in settled.values():
        values[:SETTLED_BARS] = np.nan
    return settled


def _directional(highs: Prices, lows: Prices, closes: Prices) -> dict[str, Prices]:
    indicator = ADXIndicator(highs, lows, closes, ADX_WINDOW)
    plus, minus = indicator.adx_pos(), indicator.adx_neg()
    directed = (plus + minus > 0).cumsum()  # `ta` says 0 of a market without any direction so far
    has_moved = _has_moved(highs, lows, closes)
    has_kept_moving = has_moved.rolling(SETTLED_BARS, min_periods=1).min() == 1.0  # ADX remembers a rest for so long
    return {
        "adx_14": indicator.adx().where((directed > SETTLED_BARS - 2 * ADX_WINDOW) & has_kept_moving),
        "di_plus_14": plus.where((directed > 0) & (has_moved == 1.0)),
        "di_minus_14": minus.where((directed > 0) & (has_moved == 1.0)),
    }


def _has_moved(*prices: Prices) -> Prices:
    """1 where any of the prices differs from the one before within the last REST_BARS bars, else 0."""
    moves = np.logical_or.reduce([each.diff().ne(0.0) for each in prices])  # the first difference is none, and counts
    return pd.Series(moves.astype(np.float64)).rolling(REST_BARS, min_periods=1).max()


def _momentum(closes: Prices) -> dict[str, Prices]:
    moves = closes.diff().ne(0.0).cumsum() - 1  # the first bar's difference is none, and counts
    rsi = RSIIndicator(closes, RSI_WINDOW).rsi().where(moves > 0)  # `ta` says 100 of a price at rest
    rsi = rsi.where(_has_moved(closes) == 1.0)
    window = rsi.rolling(RSI_WINDOW)  # nothing where a rest is in it
    is_wide = window.max() - window.min() > LEAST_RSI_RANGE
    stochastic = StochRSIIndicator(closes, RSI_WINDOW, STOCHASTIC_SMOOTHING, STOCHASTIC_SMOOTHING)
    columns = {
        "stoch_rsi": (stochastic.stochrsi(), 1),
        "stoch_rsi_k": (stochastic.stochrsi_k(), STOCHASTIC_SMOOTHING),
        "stoch_rsi_d": (stochastic.stochrsi_d(), 2 * STOCHASTIC_SMOOTHING - 1),
    }
    return {"rsi_14": rsi} | {
        name: values.where(is_wide.astype(float).rolling(reach).min() == 1.0)
        for name, (values, reach) in columns.items()
    }


def _bands(closes: Prices) -> dict[str, Prices]:
    bands = BollingerBands(closes, BOLLINGER_WINDOW, BOLLINGER_DEVIATIONS)
    middle, upper, lower = bands.bollinger_mavg(), bands.bollinger_hband(), bands.bollinger_lband()
    is_wide = upper - lower > LEAST_BAND * middle
    return {
        "bollinger_middle": middle,
        "bollinger_upper": upper,
        "bollinger_lower": lower,
        "bollinger_width": bands.bollinger_wband().where(is_wide),
        "bollinger_percent_b": bands.bollinger_pband().where(is_wide),
    }
