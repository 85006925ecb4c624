"""The columns of the registry as people compute them today: `ta`'s single classes and pandas' rolling windows.

Over the whole series, since both begin their recursions and running sums at its first row. Windows count rows, so
holes cost nothing here. Values are what these libraries answer: seeds and warm-up differ from ours, the work is alike.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from ta.momentum import RSIIndicator, StochRSIIndicator
from ta.trend import MACD, ADXIndicator, EMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands

from include.features.model import (
    ADX_WINDOW,
    ATR_WINDOW,
    BOLLINGER_DEVIATIONS,
    BOLLINGER_WINDOW,
    FIBONACCI_HOURS,
    FIBONACCI_RATIOS,
    HISTORY_BARS,
    MACD_FAST,
    MACD_SIGNAL,
    MACD_SLOW,
    MEAN_DAYS,
    RSI_WINDOW,
    STOCHASTIC_SMOOTHING,
    minimum_observed,
)
from include.features.registry import NAMES

Columns = dict[str, "pd.Series[float]"]
_HOUR = 3600


def plain_features(candles: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """`bar` and every column of the registry for a series of hourly candles; arguments as of compute_features."""
    columns = {**plain_indicators(candles), **_windows(candles), **_sentiment(candles, index), **_of_row(candles)}
    return pd.DataFrame({"bar": candles["bar"], **{name: columns[name] for name in NAMES}})


def plain_indicators(candles: pd.DataFrame) -> Columns:
    """The indicators of consecutive bars, each from its own class."""
    high, low, close = candles["high"], candles["low"], candles["close"]
    macd = MACD(close, MACD_SLOW, MACD_FAST, MACD_SIGNAL)
    bands = BollingerBands(close, BOLLINGER_WINDOW, BOLLINGER_DEVIATIONS)
    directional = ADXIndicator(high, low, close, ADX_WINDOW)
    stochastic = StochRSIIndicator(close, RSI_WINDOW, STOCHASTIC_SMOOTHING, STOCHASTIC_SMOOTHING)
    return {
        "ema_12": EMAIndicator(close, MACD_FAST).ema_indicator(),
        "ema_26": EMAIndicator(close, MACD_SLOW).ema_indicator(),
        "macd": macd.macd(),
        "macd_signal": macd.macd_signal(),
        "macd_histogram": macd.macd_diff(),
        "rsi_14": RSIIndicator(close, RSI_WINDOW).rsi(),
        "stoch_rsi": stochastic.stochrsi(),
        "stoch_rsi_k": stochastic.stochrsi_k(),
        "stoch_rsi_d": stochastic.stochrsi_d(),
        "bollinger_middle": bands.bollinger_mavg(),
        "bollinger_upper": bands.bollinger_hband(),
        "bollinger_lower": bands.bollinger_lband(),
        "bollinger_width": bands.bollinger_wband(),
        "bollinger_percent_b": bands.bollinger_pband(),
        "adx_14": directional.adx(),
        "di_plus_14": directional.adx_pos(),
        "di_minus_14": directional.adx_neg(),
        "atr_14": AverageTrueRange(high, low, close, ATR_WINDOW).average_true_range(),
    }


def _windows(candles: pd.DataFrame) -> Columns:
    close, volume = candles["close"], candles["base_volume"]
    moved = np.log(close).diff()
    columns: Columns = {
        "change_percent": 100 * close.pct_change(),
        "log_return": moved,
        "log_return_24h": np.log(close).diff(24),
        "log_return_7d": np.log(close).diff(168),
    }
    for name, hours in (("24h", 24), ("7d", 168)):
        mean = (moved * moved).rolling(hours, min_periods=minimum_observed(hours)).mean()
        columns[f"realised_volatility_{name}"] = np.sqrt(mean * hours)
    for days in MEAN_DAYS:
        needed = minimum_observed(24 * days)
        columns[f"sma_{days}"] = close.rolling(24 * days, min_periods=needed).mean()
        columns[f"volume_avg_{days}d"] = volume.rolling(24 * days, min_periods=needed).mean()
    needed = minimum_observed(FIBONACCI_HOURS)
    highest = candles["high"].rolling(FIBONACCI_HOURS, min_periods=needed).max()
    lowest = candles["low"].rolling(FIBONACCI_HOURS, min_periods=needed).min()
    levels = {f"fibonacci_{name}": highest - ratio * (highest - lowest) for name, ratio in FIBONACCI_RATIOS.items()}
    observed = pd.Series(1.0, index=pd.to_datetime(candles["bar"] * _HOUR, unit="s")).rolling("30D").sum()
    missing = pd.Series(720.0 - observed.to_numpy(), index=candles.index)
    return {**columns, "high_7d": highest, "low_7d": lowest, **levels, "missing_bars_30d": missing}


def _sentiment(candles: pd.DataFrame, index: pd.DataFrame) -> Columns:
    known = index.sort_values("published_at").rename(columns={"value": "fear_greed"})
    for days in MEAN_DAYS:
        known[f"fear_greed_{days}d"] = known["fear_greed"].rolling(days, min_periods=days - 1).mean()
    closed = pd.DataFrame({"published_at": (candles["bar"] + 1) * _HOUR})
    joined = pd.merge_asof(closed, known, on="published_at", tolerance=3 * 24 * _HOUR)
    return {name: joined[name] for name in ("fear_greed", *(f"fear_greed_{days}d" for days in MEAN_DAYS))}


def _of_row(candles: pd.DataFrame) -> Columns:
    opened = pd.to_datetime(candles["bar"] * _HOUR, unit="s").dt
    unbroken = candles.groupby((candles["bar"].diff() > 1).cumsum()).cumcount()
    return {
        "range_percent": 100 * (candles["high"] - candles["low"]) / candles["close"],
        "taker_buy_share": candles["taker_buy_base_volume"] / candles["base_volume"],
        "hour_of_day": opened.hour,
        "day_of_week": opened.dayofweek + 1,
        "month": opened.month,
        "history_bars": unbroken.clip(upper=HISTORY_BARS),
    }
