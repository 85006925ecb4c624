"""Technical indicators of one unbroken run of bars, through the single classes of `ta`.

The result at a bar depends on that bar and the earlier ones of the run, never on later ones or on the run's length.
Warm-up is NaN (`ta` leaves zeros there). Where `ta` refuses a short run, there is nothing but warm-up.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from ta.momentum import RSIIndicator, StochRSIIndicator
from ta.trend import MACD, ADXIndicator, EMAIndicator
from ta.volatility import AverageTrueRange

from include.features.registry import (
    ADX_WINDOW,
    ATR_WINDOW,
    BOLLINGER_DEVIATIONS,
    BOLLINGER_WINDOW,
    FEATURES,
    MACD_FAST,
    MACD_SIGNAL,
    MACD_SLOW,
    RSI_WINDOW,
    STOCHASTIC_SMOOTHING,
)
from include.indicators.windows import Array, window_deviation, window_mean, window_sum

WARM_UP = {feature.name: feature.warm_up for feature in FEATURES}


def run_indicators(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Every indicator that is defined on consecutive bars, by column name. Prices of the run, oldest first."""
    highs, lows, closes = pd.Series(high), pd.Series(low), pd.Series(close)
    macd = MACD(closes, window_slow=MACD_SLOW, window_fast=MACD_FAST, window_sign=MACD_SIGNAL)
    columns = {
        "ema_12": _values(EMAIndicator(closes, MACD_FAST).ema_indicator()),
        "ema_26": _values(EMAIndicator(closes, MACD_SLOW).ema_indicator()),
        "macd": _values(macd.macd()),
        "macd_signal": _values(macd.macd_signal()),
        "macd_histogram": _values(macd.macd_diff()),
        **_momentum(closes),
        **_bollinger(close),
        **_directional(highs, lows, closes),
        "atr_14": _true_range(highs, lows, closes),
    }
    for name, values in columns.items():
        values[: WARM_UP[name]] = np.nan
    return columns


def _values(series: pd.Series[float]) -> Array:
    return np.array(series, dtype=np.float64)


def _momentum(closes: pd.Series[float]) -> dict[str, Array]:
    rsi = _values(RSIIndicator(closes, RSI_WINDOW).rsi())
    # `ta` answers 100 for a price that has never moved; there is no strength to speak of.
    moved = np.cumsum(closes.diff().fillna(0.0).to_numpy() != 0.0) > 0
    rsi[~moved] = np.nan
    rsi[: WARM_UP["rsi_14"]] = np.nan
    stochastic = _values(StochRSIIndicator(closes, RSI_WINDOW, 1, 1).stochrsi())
    _, known = window_sum(rsi, RSI_WINDOW)
    stochastic[known < RSI_WINDOW] = np.nan
    k = window_mean(stochastic, STOCHASTIC_SMOOTHING, at_least=STOCHASTIC_SMOOTHING)
    d = window_mean(k, STOCHASTIC_SMOOTHING, at_least=STOCHASTIC_SMOOTHING)
    return {"rsi_14": rsi, "stoch_rsi": stochastic, "stoch_rsi_k": k, "stoch_rsi_d": d}


def _bollinger(close: Array) -> dict[str, Array]:
    middle = window_mean(close, BOLLINGER_WINDOW, at_least=BOLLINGER_WINDOW)
    half = BOLLINGER_DEVIATIONS * window_deviation(close, middle, BOLLINGER_WINDOW)
    upper, lower = middle + half, middle - half
    width = upper - lower
    return {
        "bollinger_middle": middle,
        "bollinger_upper": upper,
        "bollinger_lower": lower,
        "bollinger_width": 100.0 * width / middle,
        "bollinger_percent_b": np.divide(close - lower, width, out=np.full_like(close, np.nan), where=width > 0),
    }


def _directional(highs: pd.Series[float], lows: pd.Series[float], closes: pd.Series[float]) -> dict[str, Array]:
    nothing = np.full(len(closes), np.nan)
    columns = {"adx_14": nothing, "di_plus_14": nothing.copy(), "di_minus_14": nothing.copy()}
    if len(closes) > WARM_UP["di_plus_14"]:
        indicator = ADXIndicator(highs, lows, closes, ADX_WINDOW)
        columns["di_plus_14"] = _values(indicator.adx_pos())
        columns["di_minus_14"] = _values(indicator.adx_neg())
        if len(closes) > WARM_UP["adx_14"]:
            columns["adx_14"] = _values(indicator.adx())
    return columns


def _true_range(highs: pd.Series[float], lows: pd.Series[float], closes: pd.Series[float]) -> Array:
    if len(closes) <= WARM_UP["atr_14"]:
        return np.full(len(closes), np.nan)
    return _values(AverageTrueRange(highs, lows, closes, ATR_WINDOW).average_true_range())
