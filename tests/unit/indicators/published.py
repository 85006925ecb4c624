"""The indicators written out from their published definitions, one bar after the other, in decimal arithmetic.

Nothing here knows the product, numpy, TA-Lib or `ta`. Every number is a Decimal with 100 digits, made from the float
exactly, so the values are those of the formula; what differs from them elsewhere is rounding, or another formula. None
stands where the definition says nothing: before a mean has all its values, or where it would divide by zero.

Sources
- Wilder: J. Welles Wilder Jr., New Concepts in Technical Trading Systems, Trend Research, 1978. Sections "The
  Volatility System" (true range, ATR), "The Directional Movement System" (DM, DI, DX, ADX), "The Relative Strength
  Index". He smooths by previous - previous / 14 + today (sums) or (13 previous + today) / 14 (means), and begins with
  the plain sum or mean of the first 14.
- Appel: Gerald Appel, Technical Analysis: Power Tools for Active Investors, FT Press, 2005, chapter 8 (MACD of 12 and
  26, signal of 9). He leaves the first value open; a plain mean of the first n is the usual beginning.
- Bollinger: John Bollinger, Bollinger on Bollinger Bands, McGraw-Hill, 2001 (20 closes, two standard deviations of the
  population, %b, BandWidth).
- Chande: Tushar S. Chande and Stanley Kroll, The New Technical Trader, Wiley, 1994 (StochRSI). The smoothing by three,
  twice, is Lane's of the stochastic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from functools import wraps
from itertools import pairwise
from typing import NamedTuple, ParamSpec, TypeVar

Prices = Sequence[Decimal]
Column = list[Decimal | None]
P = ParamSpec("P")
R = TypeVar("R")

DIGITS = 100
# Rounding leaves this much of a difference that is zero by the formula (an RSI while the price stands still).
NOTHING = Decimal("1e-30")


def precise(function: Callable[P, R]) -> Callable[P, R]:
    """Compute with `DIGITS` digits, whatever the caller's decimal context is."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext() as context:
            context.prec = DIGITS
            return function(*args, **kwargs)

    return wrapped


def exact(values: Iterable[float]) -> list[Decimal]:
    """The very numbers the floats are."""
    return [Decimal(float(value)) for value in values]


@precise
def simple_mean(values: Sequence[Decimal | None], bars: int) -> Column:
    """Mean of the last `bars` values, where all of them are there."""
    column: Column = []
    for end in range(1, len(values) + 1):
        window = [value for value in values[max(end - bars, 0) : end] if value is not None]
        column.append(sum(window) / Decimal(bars) if len(window) == bars else None)
    return column


@precise
def smoothed(values: Sequence[Decimal | None], bars: int, weight: Decimal) -> Column:
    """The mean of the first `bars` values; from then on, `weight` of the way from the mean before to each new value."""
    column: Column = []
    first: list[Decimal] = []
    mean: Decimal | None = None
    for value in values:
        if value is None:
            column.append(None)
            continue
        if mean is not None:
            mean += weight * (value - mean)
        else:
            first.append(value)
            if len(first) == bars:
                mean = sum(first) / Decimal(bars)
        column.append(mean)
    return column


@precise
def exponential_mean(values: Sequence[Decimal | None], bars: int) -> Column:
    """Exponential mean with the weight 2 / (bars + 1)."""
    return smoothed(values, bars, Decimal(2) / (bars + 1))


@precise
def wilder_mean(values: Sequence[Decimal | None], bars: int) -> Column:
    """Wilder's mean: (bars - 1) parts of the one before and one of the new value."""
    return smoothed(values, bars, Decimal(1) / bars)


@precise
def rsi(close: Prices, bars: int = 14) -> Column:
    """Wilder: 100 - 100 / (1 + mean rise / mean fall). None where there was neither a rise nor a fall."""
    rises: Column = [None]
    falls: Column = [None]
    for before, now in pairwise(close):
        rises.append(max(now - before, Decimal(0)))
        falls.append(max(before - now, Decimal(0)))
    column: Column = []
    for rise, fall in zip(wilder_mean(rises, bars), wilder_mean(falls, bars), strict=True):
        if rise is None or fall is None or rise + fall == 0:
            column.append(None)
        elif fall == 0:
            column.append(Decimal(100))
        else:
            column.append(100 - 100 / (1 + rise / fall))
    return column[: len(close)]


@precise
def true_range(high: Prices, low: Prices, close: Prices) -> Column:
    """Wilder: the greatest of high - low, |high - close before|, |close before - low|. Bar 0 has no close before it."""
    column: Column = [None]
    for place in range(1, len(close)):
        before = close[place - 1]
        column.append(max(high[place] - low[place], abs(high[place] - before), abs(before - low[place])))
    return column[: len(close)]


@precise
def average_true_range(high: Prices, low: Prices, close: Prices, bars: int = 14) -> Column:
    """Wilder: the smoothed true range; first value at the bar number `bars`, from the ranges 1 to `bars`."""
    return wilder_mean(true_range(high, low, close), bars)


class Directional(NamedTuple):
    """Wilder's directional indicators and the average directional index."""

    plus: Column
    minus: Column
    average: Column


@precise
def directional(high: Prices, low: Prices, close: Prices, bars: int = 14, *, seed: int = 14) -> Directional:
    """Wilder: +DI, -DI, ADX. None where there was no range at all.

    seed: how many bars the first plain sums have; Wilder's are `bars`. TA-Lib takes one fewer and smooths the next
    bar in already, so that its sums at the bar number `bars` lack a 14th part of the 13 before.
    """
    ranges = true_range(high, low, close)
    plus_sum = minus_sum = range_sum = Decimal(0)
    plus: Column = []
    minus: Column = []
    index: Column = []
    for place, true in enumerate(ranges):
        if true is not None:
            up, down = high[place] - high[place - 1], low[place - 1] - low[place]
            plus_move = up if up > down and up > 0 else Decimal(0)
            minus_move = down if down > up and down > 0 else Decimal(0)
            if place > seed:
                plus_sum -= plus_sum / bars
                minus_sum -= minus_sum / bars
                range_sum -= range_sum / bars
            plus_sum, minus_sum, range_sum = plus_sum + plus_move, minus_sum + minus_move, range_sum + true
        if place < bars or range_sum == 0:
            plus.append(None)
            minus.append(None)
            index.append(None)
            continue
        to_plus, to_minus = 100 * plus_sum / range_sum, 100 * minus_sum / range_sum
        plus.append(to_plus)
        minus.append(to_minus)
        index.append(100 * abs(to_plus - to_minus) / (to_plus + to_minus) if to_plus + to_minus != 0 else None)
    return Directional(plus, minus, wilder_mean(index, bars))


class Convergence(NamedTuple):
    """Appel's MACD, its signal and the distance between both."""

    line: Column
    signal: Column
    histogram: Column


@precise
def macd(close: Prices, fast: int = 12, slow: int = 26, signal: int = 9) -> Convergence:
    """Appel: the fast exponential mean less the slow one, and the exponential mean of that."""
    line = _difference(exponential_mean(close, fast), exponential_mean(close, slow))
    mean = exponential_mean(line, signal)
    return Convergence(line, mean, _difference(line, mean))


def _difference(left: Column, right: Column) -> Column:
    return [None if a is None or b is None else a - b for a, b in zip(left, right, strict=True)]


class Bands(NamedTuple):
    """Bollinger's bands, BandWidth (in %) and %b (0 at the lower band, 1 at the upper)."""

    middle: Column
    upper: Column
    lower: Column
    width: Column
    percent_b: Column


@precise
def bollinger(close: Prices, bars: int = 20, deviations: int = 2) -> Bands:
    """Bollinger: mean and so many standard deviations of the population. %b is None where all closes are equal."""
    bands = Bands([], [], [], [], [])
    for end in range(1, len(close) + 1):
        if end < bars:
            for column in bands:
                column.append(None)
            continue
        window = close[end - bars : end]
        mean = sum(window) / Decimal(bars)
        deviation = (sum((value - mean) ** 2 for value in window) / Decimal(bars)).sqrt()
        upper, lower = mean + deviations * deviation, mean - deviations * deviation
        bands.middle.append(mean)
        bands.upper.append(upper)
        bands.lower.append(lower)
        bands.width.append(100 * (upper - lower) / mean)
        is_flat = min(window) == max(window)
        bands.percent_b.append(None if is_flat else (close[end - 1] - lower) / (upper - lower))
    return bands


class Stochastic(NamedTuple):
    """StochRSI (0 to 1), its mean of three and the mean of three of that."""

    raw: Column
    k: Column
    d: Column


@precise
def stochastic_rsi(close: Prices, bars: int = 14, smoothing: int = 3) -> Stochastic:
    """Chande: where the RSI lies between its lowest and highest of `bars`. None where that is one number."""
    strength = rsi(close, bars)
    raw: Column = []
    for end in range(1, len(strength) + 1):
        window = [value for value in strength[max(end - bars, 0) : end] if value is not None]
        if len(window) < bars or max(window) - min(window) < NOTHING:
            raw.append(None)
        else:
            raw.append((window[-1] - min(window)) / (max(window) - min(window)))
    k = simple_mean(raw, smoothing)
    return Stochastic(raw, k, simple_mean(k, smoothing))
