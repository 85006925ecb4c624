"""Columns over consecutive bars: the technical indicators."""

from __future__ import annotations

from include.features.model import (
    ADX_WINDOW,
    ATR_WINDOW,
    BOLLINGER_WINDOW,
    MACD_FAST,
    MACD_SIGNAL,
    MACD_SLOW,
    RSI_WINDOW,
    STOCHASTIC_SMOOTHING,
    Feature,
)

_WARMING = "warm-up of an unbroken run"
_FLAT = f"{_WARMING}, or the price has not moved"
_NO_RANGE = f"{_WARMING}, or rsi_{RSI_WINDOW} has not moved within the window (by 1e-9)"
_WILDER = "Wilder (1978), New Concepts in Technical Trading Systems"
_SEEDED = f"{_WILDER}; first sums of 13 bars"
_APPEL = "Appel (2005), Technical Analysis: Power Tools for Active Investors"
_CHANDE = "Chande and Kroll (1994), The New Technical Trader"
_BOLLINGER = "Bollinger (2001), Bollinger on Bollinger Bands"
_HUNTER = "Hunter (1986), J. Quality Technology 18(4); begun with the mean of its first n closes"
_RUN = "include/indicators/run.py"
_HIGH_LOW_CLOSE = ("high", "low", "close")


def indicator_columns() -> list[Feature]:
    """Trend, momentum, bands and range of consecutive bars."""
    return [*_trend(), *_momentum(), *_bands(), *_directional()]


def _of_close(
    name: str, group: str, unit: str, definition: str, source: str, by: str, warm_up: int, null_rule: str = _WARMING,
    lowest: float | None = None, highest: float | None = None,
) -> Feature:  # fmt: skip
    return Feature(name, group, unit, definition, source, by, ("close",), null_rule, bars=warm_up + 1,
                   warm_up=warm_up, lowest=lowest, highest=highest)  # fmt: skip


def _trend() -> list[Feature]:
    ema, difference = "TA-Lib EMA", f"TA-Lib EMA, {_RUN}"
    slow, signal = MACD_SLOW - 1, MACD_SLOW + MACD_SIGNAL - 2
    return [
        _of_close("ema_12", "trend", "quote", "exponential mean of close, alpha = 2/13", _HUNTER, ema, MACD_FAST - 1,
                  lowest=0.0),
        _of_close("ema_26", "trend", "quote", "exponential mean of close, alpha = 2/27", _HUNTER, ema, slow,
                  lowest=0.0),
        _of_close("macd", "trend", "quote", "ema_12 - ema_26", _APPEL, difference, slow),
        _of_close("macd_signal", "trend", "quote", "exponential mean of macd, alpha = 2/10", _APPEL, difference,
                  signal),
        _of_close("macd_histogram", "trend", "quote", "macd - macd_signal", _APPEL, difference, signal),
    ]  # fmt: skip


def _momentum() -> list[Feature]:
    ready, smooth = 2 * RSI_WINDOW - 1, STOCHASTIC_SMOOTHING - 1

    def stochastic(name: str, definition: str, by: str, warm_up: int) -> Feature:
        return _of_close(name, "momentum", "0 to 1", definition, _CHANDE, by, warm_up, _NO_RANGE, 0.0, 1.0)

    return [
        _of_close("rsi_14", "momentum", "0 to 100", "relative strength index of close, alpha = 1/14", _WILDER,
                  "TA-Lib RSI", RSI_WINDOW, _FLAT, 0.0, 100.0),
        stochastic("stoch_rsi", "place of rsi_14 between its lowest and highest of 14 bars", f"TA-Lib RSI, {_RUN}",
                   ready),
        stochastic("stoch_rsi_k", "mean of stoch_rsi over 3 bars", _RUN, ready + smooth),
        stochastic("stoch_rsi_d", "mean of stoch_rsi_k over 3 bars", _RUN, ready + 2 * smooth),
    ]  # fmt: skip


def _bands() -> list[Feature]:
    warm_up = BOLLINGER_WINDOW - 1

    def band(name: str, unit: str, definition: str, null_rule: str = _WARMING, lowest: float | None = None) -> Feature:
        return _of_close(name, "volatility", unit, definition, _BOLLINGER, _RUN, warm_up, null_rule, lowest)

    return [
        band("bollinger_middle", "quote", "mean close of 20 bars", lowest=0.0),
        band("bollinger_upper", "quote", "middle + 2 population standard deviations of 20 closes", lowest=0.0),
        band("bollinger_lower", "quote", "middle - 2 population standard deviations of 20 closes"),
        band("bollinger_width", "%", "100 (upper - lower) / middle", lowest=0.0),
        band("bollinger_percent_b", "0 at lower, 1 at upper", "(close - lower) / (upper - lower)",
             f"{_WARMING}, or 20 equal closes"),
    ]  # fmt: skip


def _directional() -> list[Feature]:
    def wilder(name: str, unit: str, definition: str, by: str, warm_up: int, null_rule: str = _FLAT) -> Feature:
        group, source, highest = ("volatility", _WILDER, None)
        if unit == "0 to 100":
            group, source, highest = ("trend", _SEEDED, 100.0)
        return Feature(name, group, unit, definition, source, by, _HIGH_LOW_CLOSE, null_rule, bars=warm_up + 1,
                       warm_up=warm_up, lowest=0.0, highest=highest)  # fmt: skip

    share, ready = "0 to 100", 2 * ADX_WINDOW - 1
    return [
        wilder("adx_14", share, "average directional index", "TA-Lib ADX", ready),
        wilder("di_plus_14", share, "positive directional indicator", "TA-Lib PLUS_DI", ADX_WINDOW),
        wilder("di_minus_14", share, "negative directional indicator", "TA-Lib MINUS_DI", ADX_WINDOW),
        wilder("atr_14", "quote", "mean of the true range, alpha = 1/14", "TA-Lib ATR", ATR_WINDOW, _WARMING),
    ]
