"""Every column of `features.candle_feature`: what it means, how it is computed, when it is NULL.

The registry is the one list that the table, the computation, the upsert and the reference page are checked against.
No heavy import here: a DAG file or a command line may read it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from include.candles.timeframes import SECONDS

# A clock window is used when at least this share of its bars was observed: an exchange's outage of a few hours
# does not blank a month of averages, and a half-empty window is never passed off as a whole one.
MINIMUM_SHARE = 0.95

# A run of bars is broken where more than this many bars in a row are missing; indicators then warm up afresh.
LONGEST_BRIDGED_HOLE = 24

# The last index value is carried for this long after its day began; older is "not known".
FEAR_GREED_STALE_DAYS = 3

MEAN_DAYS = (7, 14, 30)

# history_bars counts up to here; recursive indicators have forgotten their beginning long before.
HISTORY_BARS = 720

# How many of the last n daily index values a mean needs; the index misses single days for ever.
FEAR_GREED_MISSING_ALLOWED = 1

RSI_WINDOW = 14
STOCHASTIC_SMOOTHING = 3
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9
BOLLINGER_WINDOW, BOLLINGER_DEVIATIONS = 20, 2
ADX_WINDOW = 14
ATR_WINDOW = 14


@dataclass(frozen=True, slots=True)
class Feature:
    """One column (float8).

    bars: length of the window in observed bars, for indicators; hours: length of a window of the clock;
    lag_hours: how far back the one other bar lies. At most one of them is set; none where the row alone is enough.
    warm_up: how many first bars of an unbroken run are NULL, for windows of bars.
    """

    name: str
    group: str
    unit: str
    definition: str
    source: str
    inputs: tuple[str, ...]
    null_rule: str
    bars: int | None = None
    hours: int | None = None
    lag_hours: int | None = None
    warm_up: int = 0

    def window_bars(self, timeframe: str) -> int:
        """Length of the window in bars of the timeframe; a window shorter than one bar is one bar."""
        if self.hours is not None:
            return hours_to_bars(self.hours, timeframe)
        if self.lag_hours is not None:
            return hours_to_bars(self.lag_hours, timeframe) + 1
        return self.bars or 1

    def warm_up_bars(self, timeframe: str) -> int:
        """How many bars from the first one on are NULL where no bar is missing."""
        if self.hours is not None:
            returns = 1 if "log_return" in self.inputs else 0
            return minimum_observed(self.window_bars(timeframe)) - 1 + returns
        if self.lag_hours is not None:
            return hours_to_bars(self.lag_hours, timeframe)
        return self.warm_up


def hours_to_bars(hours: int, timeframe: str) -> int:
    """How many bars of the timeframe a span of the clock holds, at least one."""
    return max(1, hours * 3600 // SECONDS[timeframe])


def minimum_observed(bars: int) -> int:
    """How many bars of a clock window have to be there for its value to count."""
    return math.ceil(MINIMUM_SHARE * bars)


_NEEDS_PREVIOUS = "the bar before is missing"
_NEEDS_SHARE = f"fewer than {MINIMUM_SHARE:.0%} of the window's bars were observed"
_WARMING = "warm-up of an unbroken run"
_TA = "ta 0.11 {} on an anchored slice"
_OWN = "include/indicators/{}"


def _price() -> list[Feature]:
    own = _OWN.format("windows.py")
    return [
        Feature("change_percent", "returns", "%", "100 (close / previous bar's close - 1)", own, ("close",),
                _NEEDS_PREVIOUS, bars=2, warm_up=1),
        Feature("log_return", "returns", "ln", "ln(close / previous bar's close)", own, ("close",),
                _NEEDS_PREVIOUS, bars=2, warm_up=1),
        Feature("log_return_24h", "returns", "ln", "ln(close / close 24 h earlier)", own, ("close",),
                "the bar 24 h earlier is missing", lag_hours=24),
        Feature("log_return_7d", "returns", "ln", "ln(close / close 7 days earlier)", own, ("close",),
                "the bar 7 days earlier is missing", lag_hours=168),
        Feature("range_percent", "returns", "%", "100 (high - low) / close", own, ("high", "low", "close"), "never"),
        Feature("realised_volatility_24h", "volatility", "ln",
                "sqrt(n mean(log_return^2)) over the n bars of the last 24 h, not annualised", own, ("log_return",),
                _NEEDS_SHARE, hours=24),
        Feature("realised_volatility_7d", "volatility", "ln",
                "sqrt(n mean(log_return^2)) over the n bars of the last 7 days, not annualised", own, ("log_return",),
                _NEEDS_SHARE, hours=168),
    ]  # fmt: skip


def _means() -> list[Feature]:
    own = _OWN.format("windows.py")
    sma = [
        Feature(f"sma_{days}d", "trend", "quote", f"mean close of the bars of the last {days} days", own, ("close",),
                _NEEDS_SHARE, hours=24 * days)
        for days in MEAN_DAYS
    ]  # fmt: skip
    volume = [
        Feature(f"volume_mean_{days}d", "volume", "base per bar", f"mean base volume of the last {days} days' bars",
                own, ("base_volume",), _NEEDS_SHARE, hours=24 * days)
        for days in MEAN_DAYS
    ]  # fmt: skip
    return [
        *sma,
        *volume,
        Feature("taker_buy_share", "volume", "0 to 1", "taker_buy_base_volume / base_volume", own,
                ("taker_buy_base_volume", "base_volume"), "the venue does not publish it, or nothing was traded"),
    ]  # fmt: skip


def _indicators() -> list[Feature]:
    ema, macd = _TA.format("EMAIndicator"), _TA.format("MACD")
    stochastic, adx = _TA.format("StochRSIIndicator"), _TA.format("ADXIndicator")
    bands = _OWN.format("windows.py")
    macd_ready, signal_ready = MACD_SLOW - 1, MACD_SLOW + MACD_SIGNAL - 2
    stochastic_ready = 2 * RSI_WINDOW - 1
    smooth = STOCHASTIC_SMOOTHING - 1
    flat = f"{_WARMING}, or the price has not moved"
    no_range = f"{_WARMING}, or rsi_{RSI_WINDOW} has not moved within the window"
    high_low_close = ("high", "low", "close")

    def of_close(name: str, group: str, unit: str, definition: str, source: str, bars: int, warm_up: int,
                 null_rule: str = _WARMING) -> Feature:  # fmt: skip
        return Feature(name, group, unit, definition, source, ("close",), null_rule, bars=bars, warm_up=warm_up)

    return [
        of_close("ema_12", "trend", "quote", "exponential mean of close, alpha = 2/13", ema, 12, 11),
        of_close("ema_26", "trend", "quote", "exponential mean of close, alpha = 2/27", ema, 26, 25),
        of_close("macd", "trend", "quote", "ema_12 - ema_26", macd, MACD_SLOW, macd_ready),
        of_close("macd_signal", "trend", "quote", "exponential mean of macd, alpha = 2/10", macd, 34, signal_ready),
        of_close("macd_histogram", "trend", "quote", "macd - macd_signal", macd, 34, signal_ready),
        of_close("rsi_14", "momentum", "0 to 100", "Wilder's relative strength index of close, alpha = 1/14",
                 _TA.format("RSIIndicator"), RSI_WINDOW + 1, RSI_WINDOW, flat),
        of_close("stoch_rsi", "momentum", "0 to 1", "place of rsi_14 between its lowest and highest of 14 bars",
                 stochastic, 28, stochastic_ready, no_range),
        of_close("stoch_rsi_k", "momentum", "0 to 1", "mean of stoch_rsi over 3 bars", bands, 30,
                 stochastic_ready + smooth, no_range),
        of_close("stoch_rsi_d", "momentum", "0 to 1", "mean of stoch_rsi_k over 3 bars", bands, 32,
                 stochastic_ready + 2 * smooth, no_range),
        of_close("bollinger_middle", "volatility", "quote", "mean close of 20 bars", bands, BOLLINGER_WINDOW, 19),
        of_close("bollinger_upper", "volatility", "quote", "middle + 2 population standard deviations of 20 closes",
                 bands, BOLLINGER_WINDOW, 19),
        of_close("bollinger_lower", "volatility", "quote", "middle - 2 population standard deviations of 20 closes",
                 bands, BOLLINGER_WINDOW, 19),
        of_close("bollinger_width", "volatility", "%", "100 (upper - lower) / middle", bands, BOLLINGER_WINDOW, 19),
        of_close("bollinger_percent_b", "volatility", "0 at lower, 1 at upper", "(close - lower) / (upper - lower)",
                 bands, BOLLINGER_WINDOW, 19, f"{_WARMING}, or 20 equal closes"),
        Feature("adx_14", "trend", "0 to 100", "Wilder's average directional index", adx, high_low_close, _WARMING,
                bars=28, warm_up=27),
        Feature("di_plus_14", "trend", "0 to 100", "Wilder's positive directional indicator", adx, high_low_close,
                _WARMING, bars=16, warm_up=15),
        Feature("di_minus_14", "trend", "0 to 100", "Wilder's negative directional indicator", adx, high_low_close,
                _WARMING, bars=16, warm_up=15),
        Feature("atr_14", "volatility", "quote", "Wilder's mean of the true range, alpha = 1/14",
                _TA.format("AverageTrueRange"), high_low_close, _WARMING, bars=ATR_WINDOW, warm_up=ATR_WINDOW - 1),
    ]  # fmt: skip


def _sentiment() -> list[Feature]:
    own = "include/features/fear_greed.py"
    stale = f"nothing was published yet, or the newest day began {FEAR_GREED_STALE_DAYS} days ago or more"
    means = [
        Feature(f"fear_greed_mean_{days}d", "sentiment", "0 to 100",
                f"mean of the index over the {days} days ending with the newest day known at the close", own,
                ("fear_greed",), f"{stale}, or more than {FEAR_GREED_MISSING_ALLOWED} of the days is missing")
        for days in MEAN_DAYS
    ]  # fmt: skip
    return [
        Feature("fear_greed", "sentiment", "0 to 100", "newest Fear & Greed value published by the candle's close",
                own, ("fear_greed",), stale),
        *means,
    ]  # fmt: skip


def _calendar_and_quality() -> list[Feature]:
    own = "include/features/compute.py"
    return [
        Feature("hour_of_day", "calendar", "0 to 23", "UTC hour of the open time", own, ("opened_at",), "never"),
        Feature("day_of_week", "calendar", "1 to 7", "ISO weekday of the open time in UTC, Monday = 1", own,
                ("opened_at",), "never"),
        Feature("history_bars", "quality", "bars", f"bars since its unbroken run began, at most {HISTORY_BARS}", own,
                ("opened_at",), "never"),
        Feature("missing_bars_30d", "quality", "bars", "bars of the last 30 days that were not observed", own,
                ("opened_at",), "never"),
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (*_price(), *_means(), *_indicators(), *_sentiment(), *_calendar_and_quality())
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
