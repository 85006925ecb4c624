"""What each truth teaches: how scores are distributed, how their size goes with the clock, what coverage was kept."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace

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
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.volatility import DAY_BARS

CENTRAL_PLACES: tuple[tuple[int, int], ...] = tuple(
    (LEVELS.index(round((1 - share) / 2, 3)), LEVELS.index(round((1 + share) / 2, 3))) for share in CENTRAL
)
MEDIAN_PLACE = LEVELS.index(0.5)

# A truth's weight falls by 1/e in this many truths (eight months of hours).
MEMORY = 6_000
REFRESH_TRUTHS = 24
# Log-widening of each interval of CENTRAL per miss more than promised; far from the promise it steepens, so that a
# quarter's coverage cannot stray (the integrator of Angelopoulos, Candès and Tibshirani, 2023, with a cubic instead
# of their tangent).
GAIN = (0.001, 0.002, 0.002)
BEND = 100.0
# One calm or wild hour teaches the clock's factors and the level no more than this many typical scores.
SIZE_LIMIT = 8.0
TYPICAL_SIZE = 0.75
FEWEST_CLOCK_TRUTHS = 240
CLOCK_MEMORY = 17_520
# The usual volatility is a mean over about this many rows (eight months).
USUAL_MEMORY = 6_000
# Volatilities without a scale of their own: log residuals are about this large.
LOG_SCALE = 0.4

_EDGES = np.array(bin_edges())
_INNER_EDGES = bin_edges()[1:-1]
_LEVELS = np.array(LEVELS)
_FADE = math.exp(-1 / MEMORY)
_SMALLEST = 1e-12

Widenings = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a score's scale follows volatility, the clock and the latest scores; powers of 0 leave something out.

    blend: weights of the logarithms of the columns of past volatility. patience: weight of their long-run mean.
    """

    blend: tuple[float, ...]
    patience: float
    hour_power: float
    weekday_power: float
    level_power: float
    level_half_life: float = 10.0


# An hour's size goes with the hour of day and the hours just before it; a day's with the weekday and the days before.
HOURLY = Scaling((0.2, 0.3, 0.2, 0.3), 0.2, hour_power=1.0, weekday_power=1.0, level_power=0.4)
DAILY = Scaling((0.3, 0.3, 0.2, 0.2), 0.25, hour_power=0.0, weekday_power=0.5, level_power=0.0)
# Log residuals of a volatility are about as large in a calm as in a storm.
CONSTANT = Scaling((0.0, 0.0, 0.0, 0.0), 0.0, hour_power=0.0, weekday_power=0.0, level_power=0.0)


def scaling_of(target: Target, horizon_bars: int) -> Scaling:
    """The scaling of a kind of forecast."""
    if target is Target.VOLATILITY:
        return CONSTANT
    return DAILY if horizon_bars >= DAY_BARS else HOURLY


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
        unit=None,
        usual_log_unit=0.0,
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
        self._level_step = 1.0 - 0.5 ** (1.0 / self._scaling.level_half_life)
        self._histogram = np.array(state.histogram)
        self._excess = list(state.excess)
        self._level = state.level
        self._hours = list(state.hours)
        self._weekdays = list(state.weekdays)
        self.truths = state.truths
        self.base = state.base
        self._unit = state.unit
        self._usual_log_unit = state.usual_log_unit
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
            unit=self._unit,
            usual_log_unit=self._usual_log_unit,
            pending=tuple(self.pending),
        )

    def see(self, log_unit: float) -> None:
        """Take up a row's volatility (its logarithm): its forecast's, and those after it that know none."""
        if self._unit is None:
            self._usual_log_unit = log_unit
        step = 1.0 / min(self.truths + 1, USUAL_MEMORY)
        self._usual_log_unit += step * (log_unit - self._usual_log_unit)
        self._unit = math.exp(log_unit + self._scaling.patience * (self._usual_log_unit - log_unit))

    def learn(self, due: int) -> None:
        """Learn from the pending forecasts made at or before `due` (microseconds) whose truth is known; forget them."""
        while self.pending and self.pending[0].as_of <= due:
            row = self.pending.popleft()
            if row.outcome is not None:
                self._learn(row, row.outcome)

    def forecast(self, as_of: int, predicted: float, outcome: float | None) -> tuple[Pending, Widenings] | None:
        """The row with its intervals, and their log-widenings; None while no volatility is known."""
        if self._unit is None:
            return None
        hour, weekday = _clock(as_of)
        powers = self._scaling
        scale = self._unit * self._level**powers.level_power
        scale *= self._hours[hour] ** powers.hour_power * self._weekdays[weekday] ** powers.weekday_power
        widenings = tuple(
            gain * excess * (1.0 + (excess / BEND) ** 2) for gain, excess in zip(GAIN, self._excess, strict=True)
        )
        middle = self.base[MEDIAN_PLACE]
        low = high = 0.0
        edges: list[float] = []
        for (below, above), widening in zip(CENTRAL_PLACES, widenings, strict=True):
            grown = math.exp(widening)
            # Intervals hold the forecast and lie within each other.
            low = min(low, middle + (self.base[below] - middle) * grown)
            high = max(high, middle + (self.base[above] - middle) * grown)
            edges += [self._value(predicted, low * scale), self._value(predicted, high * scale)]
        row = Pending(as_of, predicted, self._unit, scale, tuple(edges), outcome)
        self.pending.append(row)
        return row, widenings

    def _value(self, predicted: float, residual: float) -> float:
        return predicted * math.exp(residual) if self._multiplicative else predicted + residual

    def _learn(self, row: Pending, outcome: float) -> None:
        residual = outcome - row.predicted
        if self._multiplicative:
            # A price that stood still for the whole horizon has no logarithm.
            residual = math.log(max(outcome, _SMALLEST) / row.predicted)
        self.truths += 1
        self._histogram *= _FADE
        self._histogram[bisect_right(_INNER_EDGES, residual / row.scale)] += 1.0
        self._learn_size(row.as_of, min(abs(residual) / row.unit, SIZE_LIMIT) / TYPICAL_SIZE)
        for place, share in enumerate(CENTRAL):
            missed = not row.edges[2 * place] <= outcome <= row.edges[2 * place + 1]
            self._excess[place] += missed - (1.0 - share)
        if self.truths % REFRESH_TRUTHS == 0:
            self.base = _quantiles(self._histogram)

    def _learn_size(self, as_of: int, size: float) -> None:
        hour, weekday = _clock(as_of)
        of_hour, of_weekday = self._hours[hour], self._weekdays[weekday]
        step = 1.0 / min(max(self.truths, FEWEST_CLOCK_TRUTHS), CLOCK_MEMORY)
        self._level += self._level_step * (size / (of_hour * of_weekday) - self._level)
        self._hours[hour] += 24 * step * (size / of_weekday - of_hour)
        self._weekdays[weekday] += 7 * step * (size / of_hour - of_weekday)


def _clock(as_of: int) -> tuple[int, int]:
    """UTC hour and weekday (Monday is 0) of microseconds since the epoch."""
    hours = as_of // 3_600_000_000
    return hours % 24, (hours // 24 + 3) % 7
