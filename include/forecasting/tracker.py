"""What each truth teaches: how scores are distributed, how their size goes with the clock, what coverage was kept."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import replace

import numpy as np

from include.forecasting.calibration import (
    CENTRAL,
    LEVELS,
    PRIOR_SCALE,
    PRIOR_TRUTHS,
    Calibration,
    Pending,
    bin_edges,
)
from include.forecasting.scaling import scaling_of
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.volatility import DAY_BARS

CENTRAL_PLACES: tuple[tuple[int, int], ...] = tuple(
    (LEVELS.index(round((1 - share) / 2, 3)), LEVELS.index(round((1 + share) / 2, 3))) for share in CENTRAL
)
MEDIAN_PLACE = LEVELS.index(0.5)

REFRESH_TRUTHS = 24
# Misses more than promised, or fewer, are forgotten by 1/e in this many truths (six weeks): long enough to set a
# quarter right, short enough that a quarter does not pay for the one before. What lasts, the scores' quantiles learn.
EXCESS_MEMORY = 1_000
WIDEST = 2.0
# One calm or wild hour teaches the clock's factors and the level no more than this many typical scores.
SIZE_LIMIT = 8.0
LEVEL_HALF_LIFE = 10.0
TYPICAL_SIZE = 0.75
FEWEST_CLOCK_TRUTHS = 240
CLOCK_MEMORY = 17_520
# The usual mark is a mean over about this many rows (a year and a half).
USUAL_MEMORY = 13_000
# How sizes go with marks is learned by least squares on logarithms of sizes, of two years of truths; smaller sizes than
# SMALLEST_SIZE say nothing more. The prior slope counts as much as truths whose marks' squares sum to PRIOR_SQUARES.
SLOPE_MEMORY = 17_520
SMALLEST_SIZE = 0.1
PRIOR_SQUARES = 60.0
# Log residuals of a volatility are about this large, and never larger than that.
LOG_SCALE = 0.4
LOG_LIMIT = 20.0

_EDGES = np.array(bin_edges())
_INNER_EDGES = bin_edges()[1:-1]
_LEVELS = np.array(LEVELS)
_FORGET = 1.0 / EXCESS_MEMORY
_LEVEL_STEP = 1.0 - 0.5 ** (1.0 / LEVEL_HALF_LIFE)
_SLOPE_FADE = math.exp(-1.0 / SLOPE_MEMORY)
_SMALLEST = 1e-12

Widenings = tuple[float, ...]


def beginning(target: Target, horizon_bars: int) -> Calibration:
    """The state before any truth."""
    cumulative = 1.0 / (1.0 + np.exp(-_EDGES / PRIOR_SCALE))
    histogram = PRIOR_TRUTHS * np.diff(cumulative) / (cumulative[-1] - cumulative[0])
    return Calibration(
        target=target,
        horizon_bars=horizon_bars,
        as_of=None,
        truths=0,
        histogram=tuple(histogram.tolist()),
        base=_quantiles(histogram),
        excess=(0.0,) * len(CENTRAL),
        level=1.0,
        hours=(1.0,) * 24,
        weekdays=(1.0,) * 7,
        mark=None,
        usual=0.0,
        trend=(0.0,) * 5,
        slope=scaling_of(target, horizon_bars).slope[0],
        pending=(),
    )


def _quantiles(histogram: FloatArray) -> tuple[float, ...]:
    cumulative = np.concatenate([[0.0], np.cumsum(histogram)])
    return tuple(np.interp(_LEVELS * cumulative[-1], cumulative, _EDGES).tolist())


class Tracker:
    """A calibration that is being walked on."""

    def __init__(self, state: Calibration) -> None:
        self._state = state
        self._multiplicative = state.target is Target.VOLATILITY
        self._scaling = scaling_of(state.target, state.horizon_bars)
        self._fade = math.exp(-1.0 / self._scaling.memory)
        self._reach = min(state.horizon_bars, DAY_BARS)
        self._histogram = np.array(state.histogram)
        self._excess = list(state.excess)
        self._level = state.level
        self._hours = list(state.hours)
        self._weekdays = list(state.weekdays)
        self.truths = state.truths
        self.base = state.base
        self._mark = state.mark
        self._usual = state.usual
        self._trend = np.array(state.trend)
        self._slope = state.slope
        self.pending = deque(state.pending)

    def state(self, as_of: int | None) -> Calibration:
        """What has been learned, to go on from after the row of `as_of`."""
        return replace(
            self._state,
            as_of=as_of,
            truths=self.truths,
            histogram=tuple(self._histogram.tolist()),
            base=self.base,
            excess=tuple(self._excess),
            level=self._level,
            hours=tuple(self._hours),
            weekdays=tuple(self._weekdays),
            mark=self._mark,
            usual=self._usual,
            trend=tuple(self._trend.tolist()),
            slope=self._slope,
            pending=tuple(self.pending),
        )

    def see(self, mark: float) -> None:
        """Take up a row's mark, for its forecast and for those after it that have none of their own."""
        if self._mark is None:
            self._usual = mark
        self._usual += (mark - self._usual) / min(self.truths + 1, USUAL_MEMORY)
        self._mark = mark

    def learn(self, due: int) -> None:
        """Learn from the pending forecasts made at or before `due` (microseconds) whose truth is known; forget them."""
        while self.pending and self.pending[0].as_of <= due:
            row = self.pending.popleft()
            if row.outcome is not None:
                self._learn(row, row.outcome)

    def forecast(self, as_of: int, predicted: float, outcome: float | None) -> tuple[Pending, Widenings] | None:
        """The row with its intervals, and their log-widenings; None while no volatility is known."""
        if self._mark is None:
            return None
        typical = LOG_SCALE if self._multiplicative else math.exp(self._usual)
        departure = self._mark - self._usual
        powers = self._scaling
        of_hour, of_day = self._clock_factors(as_of)
        scale = typical * math.exp(self._slope * departure) * self._level**powers.level_power
        scale *= of_hour**powers.hour_power * of_day**powers.weekday_power
        widenings = tuple(self._widening(gain, excess) for gain, excess in zip(powers.gain, self._excess, strict=True))
        middle = self.base[MEDIAN_PLACE]
        low = high = 0.0
        edges: list[float] = []
        for (below, above), widening in zip(CENTRAL_PLACES, widenings, strict=True):
            grown = math.exp(widening)
            # Intervals hold the forecast and lie within each other.
            low = min(low, middle + (self.base[below] - middle) * grown)
            high = max(high, middle + (self.base[above] - middle) * grown)
            edges += [self._value(predicted, low * scale), self._value(predicted, high * scale)]
        row = Pending(as_of, predicted, typical, departure, scale, tuple(edges), outcome)
        self.pending.append(row)
        return row, widenings

    def _widening(self, gain: float, excess: float) -> float:
        strength = gain if excess > 0.0 else gain * self._scaling.narrowing
        return max(-WIDEST, min(strength * excess, WIDEST))

    def _value(self, predicted: float, residual: float) -> float:
        if not self._multiplicative:
            return predicted + residual
        return predicted * math.exp(max(-LOG_LIMIT, min(residual, LOG_LIMIT)))

    def _learn(self, row: Pending, outcome: float) -> None:
        residual = outcome - row.predicted
        if self._multiplicative:
            # A price that stood still for the whole horizon has no logarithm.
            residual = math.log(max(outcome, _SMALLEST) / row.predicted)
        self.truths += 1
        self._histogram *= self._fade
        self._histogram[bisect_right(_INNER_EDGES, residual / row.scale)] += 1.0
        self._learn_slope(row, abs(residual) / row.typical)
        size = abs(residual) / (row.typical * math.exp(self._slope * row.departure))
        self._learn_clock(row.as_of, min(size, SIZE_LIMIT) / TYPICAL_SIZE)
        for place, share in enumerate(CENTRAL):
            missed = not row.edges[2 * place] <= outcome <= row.edges[2 * place + 1]
            self._excess[place] += missed - (1.0 - share) - _FORGET * self._excess[place]
        if self.truths % REFRESH_TRUTHS == 0:
            self.base = _quantiles(self._histogram)
            self._slope = self._fitted_slope()

    def _learn_slope(self, row: Pending, size: float) -> None:
        of_hour, of_day = self._clock_factors(row.as_of)
        mark, log_size = row.departure, math.log(max(size / (of_hour * of_day), SMALLEST_SIZE))
        self._trend *= _SLOPE_FADE
        self._trend += (1.0, mark, log_size, mark * mark, mark * log_size)

    def _fitted_slope(self) -> float:
        count, mark, log_size, squares, products = self._trend.tolist()
        prior, most = self._scaling.slope
        slope = (products - mark * log_size / count + PRIOR_SQUARES * prior) / (
            squares - mark * mark / count + PRIOR_SQUARES
        )
        return float(min(max(slope, 0.0), most))

    def _learn_clock(self, as_of: int, size: float) -> None:
        hour, weekday, following, share = self._clock(as_of)
        of_hour, of_day = self._clock_factors(as_of)
        step = 1.0 / min(max(self.truths, FEWEST_CLOCK_TRUTHS), CLOCK_MEMORY)
        self._level += _LEVEL_STEP * (size / (of_hour * of_day) - self._level)
        self._hours[hour] += len(self._hours) * step * (size / of_day - of_hour)
        error = len(self._weekdays) * step * (size / of_hour - of_day)
        self._weekdays[weekday] += (1.0 - share) * error
        self._weekdays[following] += share * error

    def _clock_factors(self, as_of: int) -> tuple[float, float]:
        """Size of a score by the UTC hour of as_of, and by the weekdays its horizon lies in."""
        hour, weekday, following, share = self._clock(as_of)
        return self._hours[hour], (1.0 - share) * self._weekdays[weekday] + share * self._weekdays[following]

    def _clock(self, as_of: int) -> tuple[int, int, int, float]:
        """UTC hour, its weekday and the next one, and the next one's share in the horizon (a day of it, if longer)."""
        hours = as_of // 3_600_000_000
        hour, weekday = hours % 24, (hours // 24 + 3) % 7
        return hour, weekday, (weekday + 1) % 7, max(0, hour + self._reach - 24) / self._reach
