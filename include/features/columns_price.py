"""Columns of the row itself and of windows of the clock: returns, means, levels, sentiment, calendar."""

from __future__ import annotations

from include.features.model import (
    FEAR_GREED_MISSING_ALLOWED,
    FEAR_GREED_STALE_DAYS,
    FIBONACCI_HOURS,
    FIBONACCI_RATIOS,
    HISTORY_BARS,
    MEAN_DAYS,
    MINIMUM_SHARE,
    Feature,
)

_NEEDS_PREVIOUS = "the bar before is missing"
_NEEDS_SHARE = f"fewer than {MINIMUM_SHARE:.0%} of the window's bars were observed"
_WINDOWS = "include/indicators/windows.py"
_CLOCK = "include/features/clock_columns.py"
_COMPUTE = "include/features/compute.py"
_INDEX = "include/features/fear_greed.py"
_PLAIN = "by definition"
_ANDERSEN = "Andersen and Bollerslev (1998), square root of the realised variance"
_INDEX_PUBLISHER = "alternative.me, Crypto Fear & Greed Index"


def price_columns() -> list[Feature]:
    """Returns, ranges and volatility."""
    return [
        Feature("change_percent", "returns", "%", "100 (close / previous bar's close - 1)", _PLAIN, _CLOCK, ("close",),
                _NEEDS_PREVIOUS, bars=2, warm_up=1, lowest=-100.0),
        Feature("log_return", "returns", "ln", "ln(close / previous bar's close)", _PLAIN, _CLOCK, ("close",),
                _NEEDS_PREVIOUS, bars=2, warm_up=1),
        Feature("log_return_24h", "returns", "ln", "ln(close / close 24 h earlier)", _PLAIN, _CLOCK, ("close",),
                "the bar 24 h earlier is missing", lag_hours=24),
        Feature("log_return_7d", "returns", "ln", "ln(close / close 7 days earlier)", _PLAIN, _CLOCK, ("close",),
                "the bar 7 days earlier is missing", lag_hours=168),
        Feature("range_percent", "returns", "%", "100 (high - low) / close", _PLAIN, _COMPUTE,
                ("high", "low", "close"), "never", lowest=0.0),
        Feature("realised_volatility_24h", "volatility", "ln",
                "sqrt(n mean(log_return^2)) over the n bars of the last 24 h, not annualised", _ANDERSEN, _CLOCK,
                ("log_return",), _NEEDS_SHARE, hours=24, lowest=0.0),
        Feature("realised_volatility_7d", "volatility", "ln",
                "sqrt(n mean(log_return^2)) over the n bars of the last 7 days, not annualised", _ANDERSEN, _CLOCK,
                ("log_return",), _NEEDS_SHARE, hours=168, lowest=0.0),
    ]  # fmt: skip


def mean_columns() -> list[Feature]:
    """Means of close and volume over days, and the share of the taker's buys."""
    sma = [
        Feature(f"sma_{days}", "trend", "quote", f"mean close of the bars of the last {days} days", _PLAIN, _WINDOWS,
                ("close",), _NEEDS_SHARE, hours=24 * days, lowest=0.0)
        for days in MEAN_DAYS
    ]  # fmt: skip
    volume = [
        Feature(f"volume_avg_{days}d", "volume", "base per bar", f"mean base volume of the last {days} days' bars",
                _PLAIN, _WINDOWS, ("base_volume",), _NEEDS_SHARE, hours=24 * days, lowest=0.0)
        for days in MEAN_DAYS
    ]  # fmt: skip
    return [
        *sma,
        *volume,
        Feature("taker_buy_share", "volume", "0 to 1", "taker_buy_base_volume / base_volume", _PLAIN, _COMPUTE,
                ("taker_buy_base_volume", "base_volume"), "the venue does not publish it, or nothing was traded",
                lowest=0.0, highest=1.0),
    ]  # fmt: skip


def retracement_columns() -> list[Feature]:
    """Range of a trailing window and the Fibonacci levels within it."""

    def of_window(name: str, definition: str, source: str, inputs: tuple[str, ...]) -> Feature:
        return Feature(name, "levels", "quote", definition, source, _CLOCK, inputs, _NEEDS_SHARE,
                       hours=FIBONACCI_HOURS, lowest=0.0)  # fmt: skip

    practice = "ratios of the Fibonacci sequence, as in Murphy (1999), Technical Analysis of the Financial Markets"
    levels = [
        of_window(f"fibonacci_{name}", f"high_7d - {ratio} (high_7d - low_7d)", practice, ("high_7d", "low_7d"))
        for name, ratio in FIBONACCI_RATIOS.items()
    ]
    return [
        of_window("high_7d", "highest high of the bars of the last 7 days", _PLAIN, ("high",)),
        of_window("low_7d", "lowest low of the bars of the last 7 days", _PLAIN, ("low",)),
        *levels,
    ]


def sentiment_columns() -> list[Feature]:
    """Fear & Greed as published by the close."""
    stale = f"nothing was published yet, or the newest day began {FEAR_GREED_STALE_DAYS} days ago or more"
    means = [
        Feature(f"fear_greed_{days}d", "sentiment", "0 to 100",
                f"mean of the index over the {days} days ending with the newest day known at the close",
                _INDEX_PUBLISHER, _INDEX, ("fear_greed",),
                f"{stale}, or more than {FEAR_GREED_MISSING_ALLOWED} of the days is missing",
                lowest=0.0, highest=100.0)
        for days in MEAN_DAYS
    ]  # fmt: skip
    return [
        Feature("fear_greed", "sentiment", "0 to 100", "newest Fear & Greed value published by the candle's close",
                _INDEX_PUBLISHER, _INDEX, ("fear_greed",), stale, lowest=0.0, highest=100.0),
        *means,
    ]  # fmt: skip


def calendar_columns() -> list[Feature]:
    """When the bar opened."""

    def of_time(name: str, unit: str, definition: str, lowest: float, highest: float) -> Feature:
        return Feature(name, "calendar", unit, definition, _PLAIN, _COMPUTE, ("opened_at",), "never",
                       lowest=lowest, highest=highest)  # fmt: skip

    return [
        of_time("hour_of_day", "0 to 23", "UTC hour of the open time", 0.0, 23.0),
        of_time("day_of_week", "1 to 7", "ISO weekday of the open time in UTC, Monday = 1", 1.0, 7.0),
        of_time("month", "1 to 12", "month of the open time in UTC", 1.0, 12.0),
    ]


def quality_columns() -> list[Feature]:
    """How much history a row stands on."""
    return [
        Feature("history_bars", "quality", "bars", f"bars since its unbroken run began, at most {HISTORY_BARS}", _PLAIN,
                _COMPUTE, ("opened_at",), "never", lowest=0.0, highest=float(HISTORY_BARS)),
        Feature("missing_bars_30d", "quality", "bars", "bars of the last 30 days that were not observed", _PLAIN,
                _CLOCK, ("opened_at",), "never", lowest=0.0),
    ]  # fmt: skip
