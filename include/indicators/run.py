"""Technical indicators of one unbroken run of bars; recursions by TA-Lib, with the published seeds.

The result at a bar depends on that bar and the earlier ones of the run, never on later ones or on the run's length.
A recursion remembers the whole run, so its last bits depend on where the run begins; a band depends on its window
alone. Warm-up is NaN. Which library computes what, and why: docs/adr/0018-talib-and-exact-windows.md.
"""

from __future__ import annotations

import math

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

# TA-Lib takes a magnitude below 1e-14 for zero, which is wrong for a coin of 1e-9 and for a range that has decayed in
# a long calm. Its recursions are linear: prices are multiplied by a power of two, exactly, and results divided by it.
_SCALE_EXPONENT = 200

# In a calm RSI moves by its rounding alone; its place in such a range would be noise.
LEAST_RSI_RANGE = 1e-9


def run_indicators(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Every indicator that is defined on consecutive bars, by column name. Prices of the run, oldest first."""
    return {**recursive_indicators(high, low, close), **bands(close)}


def recursive_indicators(high: Array, low: Array, close: Array) -> dict[str, Array]:
    """Those of them that remember the whole run."""
    scale = _SCALE_EXPONENT - math.frexp(close[0])[1] if len(close) else 0
    highs, lows, closes = (np.ldexp(prices, scale) for prices in (high, low, close))
    prices = {**_means(closes), "atr_14": talib.ATR(highs, lows, closes, ATR_WINDOW)}
    return {
        **{name: np.ldexp(values, -scale) for name, values in prices.items()},
        **_momentum(closes),
        **_directional(highs, lows, closes),
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


def _means(closes: Array) -> dict[str, Array]:
    fast, slow = talib.EMA(closes, MACD_FAST), talib.EMA(closes, MACD_SLOW)
    macd = fast - slow
    signal = talib.EMA(macd, MACD_SIGNAL)
    return {"ema_12": fast, "ema_26": slow, "macd": macd, "macd_signal": signal, "macd_histogram": macd - signal}


def _momentum(closes: Array) -> dict[str, Array]:
    rsi = talib.RSI(closes, RSI_WINDOW)
    rsi[~_has_moved(closes)] = np.nan  # there is no strength to speak of; TA-Lib answers 0
    highest, lowest = talib.MAX(rsi, RSI_WINDOW), talib.MIN(rsi, RSI_WINDOW)
    span = highest - lowest
    stochastic = _ratio(rsi - lowest, np.where(span > LEAST_RSI_RANGE, span, 0.0))
    k = short_mean(stochastic, STOCHASTIC_SMOOTHING)
    d = short_mean(k, STOCHASTIC_SMOOTHING)
    return {"rsi_14": rsi, "stoch_rsi": stochastic, "stoch_rsi_k": k, "stoch_rsi_d": d}


def _directional(highs: Array, lows: Array, closes: Array) -> dict[str, Array]:
    plus, minus = (function(highs, lows, closes, ADX_WINDOW) for function in (talib.PLUS_DI, talib.MINUS_DI))
    still = ~_has_moved(closes, highs, lows)  # no range to divide by
    plus[still] = minus[still] = np.nan
    # Without a direction there is no index: its mean begins with the first one.
    directed = np.flatnonzero(plus + minus > 0)
    adx = np.full(len(closes), np.nan)
    if len(directed):
        begin = int(directed[0]) - ADX_WINDOW
        adx[begin:] = talib.ADX(highs[begin:], lows[begin:], closes[begin:], ADX_WINDOW)
    return {"adx_14": adx, "di_plus_14": plus, "di_minus_14": minus}


def _has_moved(closes: Array, *others: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a price up to a bar differs from the first close; the first bar's high and low (others) are no move."""
    moved = closes != closes[:1]
    for prices in others:
        moved[1:] |= prices[1:] != closes[:1]
    return np.logical_or.accumulate(moved)


def _ratio(part: Array, whole: Array) -> Array:
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
