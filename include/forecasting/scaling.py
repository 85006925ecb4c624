"""What residuals are measured in, and how fast their intervals follow, for each kind of forecast.

The figures were chosen on recorded hours of 2021 to 2025: more gain holds each quarter closer to the promise and makes
intervals wider. Years and worlds they were not chosen on: `benchmarks/bench_calibration.py --ends 2021-01-01 --years 2`
and `--only simulated`.
"""

from __future__ import annotations

from dataclasses import dataclass

from include.forecasting.targets import Target
from include.forecasting.volatility import DAY_BARS


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a score's scale follows a row's mark, the clock and the latest scores; powers of 0 leave something out.

    blend: weights of the logarithms of the columns of past volatility. slope: prior and largest log-size per mark.
    gain: log-widening of each interval of CENTRAL per miss more than promised.
    narrowing: how much more strongly fewer misses than promised narrow an interval than more of them widen it.
    memory: truths after which a score's weight has fallen by 1/e.
    """

    blend: tuple[float, ...]
    slope: tuple[float, float]
    gain: tuple[float, ...]
    memory: int
    narrowing: float = 1.0
    hour_power: float = 0.0
    weekday_power: float = 0.0
    level_power: float = 0.0


# An hour's size goes with the hour of day and the hours just before it; a day's with the weekday and the days before.
HOURLY = Scaling(
    (0.2, 0.3, 0.2, 0.3), (0.8, 1.5), (0.007, 0.007, 0.007), 6_000, hour_power=1.0, weekday_power=1.0, level_power=0.4
)
# Misses of overlapping days come in clusters: equal gains would settle above the promise.
DAILY = Scaling((0.3, 0.4, 0.2, 0.1), (0.75, 1.5), (0.004, 0.008, 0.0045), 9_000, narrowing=1.35, weekday_power=0.8)
LOGARITHMIC = Scaling((0.25, 0.25, 0.25, 0.25), (1.0, 2.0), (0.006, 0.012, 0.007), 2_500)


def scaling_of(target: Target, horizon_bars: int) -> Scaling:
    """The scaling of a kind of forecast."""
    if target is Target.VOLATILITY:
        return LOGARITHMIC
    return DAILY if horizon_bars >= DAY_BARS else HOURLY
