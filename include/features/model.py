"""What a column of `features.candle_feature` is described by, and the lengths the columns have in common.

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

# Levels of the trailing window's range, measured down from its highest high.
FIBONACCI_HOURS = 168
FIBONACCI_RATIOS = {"236": 0.236, "382": 0.382, "500": 0.5, "618": 0.618, "786": 0.786}

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
    lowest, highest: bounds that a value cannot leave, None where there is none.
    source: who published the formula; computed_by: what computes it here.
    """

    name: str
    group: str
    unit: str
    definition: str
    source: str
    computed_by: str
    inputs: tuple[str, ...]
    null_rule: str
    bars: int | None = None
    hours: int | None = None
    lag_hours: int | None = None
    warm_up: int = 0
    lowest: float | None = None
    highest: float | None = None

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
