"""Technical indicators of one unbroken run of bars; recursions by TA-Lib, with the published seeds.

The result at a bar depends on that bar and the earlier ones of the run, never on later ones or on the run's length.
A recursion remembers the whole run, so its last bits depend on where the run begins; a band depends on its window
alone. Warm-up is NaN. Which library computes what, and why: docs/adr/0018-talib-and-exact-windows.md.
"""

from __future__ import annotations

import numpy as np
import talib

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
from include.indicators.windows import Array, short_deviation, short_mean, window_mean

# In a calm RSI moves by its rounding alone; its place in such a range would be noise.
LEAST_RSI_RANGE = 1e-9


def run_indicators(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Every indicator that is defined on consecutive bars, by column name. Prices of the run, oldest first."""
    return {**recursive_indicators(high, low, close), **bands(close)}


def recursive_indicators(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Those of them that remember the whole run."""
    return {
        **_means(close),
        **_momentum(close),
        **_directional(high, low, close),
        "atr_14": talib.ATR(high, low, close, ATR_WINDOW),
    }


def bands(close: Array) -> dict[str, Array]:
    """Bollinger's bands of a run's closes; a value depends on its window of 20 alone."""
    middle = window_mean(close, BOLLINGER_WINDOW, at_least=BOLLINGER_WINDOW)  # exact: 20 equal closes have no width
    half = BOLLINGER_DEVIATIONS * short_deviation(close, middle, BOLLINGER_WINDOW)
    upper, lower = middle + half, middle - half
    width = upper - lower
    return {
        "bollinger_middle": middle,
        "bollinger_upper": upper,
        "bollinger_lower": lower,
        "bollinger_width": 100.0 * width / middle,
        "bollinger_percent_b": _ratio(close - lower, width),
    }


def _means(close: Array) -> dict[str, Array]:
    fast, slow = talib.EMA(close, MACD_FAST), talib.EMA(close, MACD_SLOW)
    macd = fast - slow
    signal = talib.EMA(macd, MACD_SIGNAL)
    return {"ema_12": fast, "ema_26": slow, "macd": macd, "macd_signal": signal, "macd_histogram": macd - signal}


def _momentum(close: Array) -> dict[str, Array]:
    rsi = talib.RSI(close, RSI_WINDOW)
    rsi[~_has_moved(close)] = np.nan  # there is no strength to speak of; TA-Lib answers 0
    highest, lowest = talib.MAX(rsi, RSI_WINDOW), talib.MIN(rsi, RSI_WINDOW)
    span = highest - lowest
    stochastic = _ratio(rsi - lowest, np.where(span > LEAST_RSI_RANGE, span, 0.0))
    k = short_mean(stochastic, STOCHASTIC_SMOOTHING)
    d = short_mean(k, STOCHASTIC_SMOOTHING)
    return {"rsi_14": rsi, "stoch_rsi": stochastic, "stoch_rsi_k": k, "stoch_rsi_d": d}


def _directional(high: Array, low: Array, close: Array) -> dict[str, Array]:
    plus, minus = (function(high, low, close, ADX_WINDOW) for function in (talib.PLUS_DI, talib.MINUS_DI))
    still = ~_has_moved(close, high, low)  # no range to divide by
    plus[still] = minus[still] = np.nan
    # Without a direction there is no index: its mean begins with the first one.
    directed = np.flatnonzero(plus + minus > 0)
    adx = np.full(len(close), np.nan)
    if len(directed):
        begin = int(directed[0]) - ADX_WINDOW
        adx[begin:] = talib.ADX(high[begin:], low[begin:], close[begin:], ADX_WINDOW)
    return {"adx_14": adx, "di_plus_14": plus, "di_minus_14": minus}


def _has_moved(close: Array, *others: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a price up to a bar differs from the first close; the first bar's high and low (others) are no move."""
    moved = close != close[:1]
    for prices in others:
        moved[1:] |= prices[1:] != close[:1]
    return np.logical_or.accumulate(moved)


def _ratio(part: Array, whole: Array) -> Array:
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
