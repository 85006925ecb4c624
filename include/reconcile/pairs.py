"""Every pair of series of a panel: how far apart they usually are, how far now, and how far is too far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.reconcile import thresholds as t
from include.reconcile.model import Floats, Mask, Panel


@dataclass(frozen=True)
class Measure:
    """One comparison of all pairs (i, j), i < j, as arrays [pair, row]: distance of i over j, and its threshold.

    NaN where one of both candles is absent.
    """

    name: str
    distance: Floats
    threshold: Floats

    @property
    def bad(self) -> Mask:
        return np.abs(self.distance) > self.threshold


@dataclass(frozen=True)
class Pairs:
    """A panel's pairs and measures: logarithms, [pair, row].

    apart, apart_at_open: distance of closes and opens. usual: trailing median of the former, 0 where unknown; noise:
    usual size of what is left. spread: range of each row, [row].
    """

    panel: Panel
    index: list[tuple[int, int]]
    apart: Floats
    apart_at_open: Floats
    usual: Floats
    close: Measure
    open: Measure
    slip: Measure
    shift: Measure
    columns: Measure
    spread: Floats
    noise: Floats

    def is_off_level(self, place: int, row: int) -> bool:
        """Whether the closes of a pair are too far apart for any quote to explain it."""
        return bool(abs(self.apart[place, row]) > t.LEVEL)


def trailing_median(values: Floats, least: int = t.LEAST_CONTEXT) -> Floats:
    """Median of the CONTEXT values before each place (never the place itself), along the last axis."""
    frame = pd.DataFrame(values.T).rolling(t.CONTEXT, min_periods=least).median().shift(1)
    return np.asarray(frame.to_numpy(dtype=np.float64).T)


def neighbour(values: Floats, by: int) -> Floats:
    """Values moved so that each place holds the one `by` rows later (earlier if negative); NaN beyond the ends."""
    moved = values.copy() if by == 0 else np.full_like(values, np.nan)
    if by > 0:
        moved[..., :-by] = values[..., by:]
    elif by < 0:
        moved[..., -by:] = values[..., :by]
    return moved


def logs(values: Floats) -> Floats:
    """Natural logarithms by instrument and row [column, row]; NaN for what is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log(np.where(values > 0, values, 1.0)), np.nan).T


def usual_range(high: Floats, low: Floats) -> Floats:
    """Range of each row as the lower median of the instruments, so that one wild candle cannot widen it."""
    ranges = np.sort(np.abs(high - low), axis=0)  # NaN sorts last
    middle = np.maximum((~np.isnan(ranges)).sum(axis=0) - 1, 0) // 2
    return np.asarray(np.take_along_axis(ranges, middle[None, :], axis=0)[0])


def pairs_of(panel: Panel) -> Pairs:
    """Measure all pairs of a panel."""
    opens, highs, lows, closes = (logs(v) for v in (panel.open, panel.high, panel.low, panel.close))
    m = len(panel.instruments)
    index = [(i, j) for i in range(m) for j in range(i + 1, m)]
    left, right = [i for i, _ in index], [j for _, j in index]

    apart = closes[left] - closes[right]
    off_level = np.abs(apart) > t.LEVEL
    known = trailing_median(np.where(off_level, np.nan, apart))
    usual = np.nan_to_num(known, nan=0.0)
    allowance = np.where(np.isnan(known), t.UNKNOWN_BASIS, 0.0)

    spread = usual_range(highs, lows)
    noise = trailing_median(np.where(off_level, np.nan, np.abs(apart - known)))
    noise = np.nan_to_num(noise, nan=t.USUAL_NOISE)

    apart_at_open = opens[left] - opens[right]

    def around(by: int, ranges: Floats = spread) -> Floats:
        meeting = np.stack([ranges, neighbour(ranges, by)])
        return np.asarray(np.where(np.isnan(meeting).any(axis=0), np.fmax(*meeting), meeting.mean(axis=0)))

    def price(name: str, now: Floats, next_by: int) -> Measure:
        distance = now[left] - now[right]
        threshold = np.maximum(t.FLOOR, t.WIDE * around(next_by) + t.NOISE * noise) + allowance
        wrong_level = (np.abs(distance) > t.LEVEL) | (one_quote & (np.abs(usual) > t.SAME_QUOTE_LEVEL))
        return Measure(
            name,
            np.where(wrong_level, distance, distance - usual),
            np.where(wrong_level, np.where(one_quote, t.SAME_QUOTE_LEVEL, t.LEVEL), threshold),
        )

    quotes = [instrument.quote for instrument in panel.instruments]
    one_quote = np.array([[quotes[i] == quotes[j]] for i, j in index], dtype=np.bool_).reshape(-1, 1)

    # While a quote falls, only markets in that quote have its range.
    ranges = np.abs(highs - lows)
    own_spread = np.where(one_quote, spread, np.fmax(spread, np.fmax(ranges[left], ranges[right])))

    return Pairs(
        panel,
        index,
        apart,
        apart_at_open,
        usual,
        price("close", closes, 1),
        price("open", opens, -1),
        _slip(apart, apart_at_open, around(1, own_spread)),
        _shift((opens, highs, lows, closes), left, right, off_level),
        _columns(opens, closes, left, right, off_level),
        spread,
        noise,
    )


def _slip(apart: Floats, apart_at_open: Floats, around: Floats) -> Measure:
    """How much the distance changes between a close and the next open: hardly, whatever the quotes do."""
    distance = neighbour(apart_at_open, 1) - apart
    noise = np.nan_to_num(trailing_median(np.abs(distance)), nan=t.USUAL_NOISE)
    return Measure("slip", distance, np.maximum(t.SLIP_FLOOR, t.SLIP_WIDE * around + t.SLIP_NOISE * noise))


def _shift(prices: tuple[Floats, ...], left: list[int], right: list[int], off: Mask) -> Measure:
    """How much better one series fits the other one candle later or earlier: 0 not at all, 1 perfectly."""

    def differences(by: int) -> list[Floats]:
        return [p[left] - neighbour(p, by)[right] for p in prices]

    return _better("time_shift", differences(0), [differences(-1), differences(1)], off)


def _columns(opens: Floats, closes: Floats, left: list[int], right: list[int], off: Mask) -> Measure:
    """How much better open and close fit the other series when they change places: 0 not at all, 1 perfectly."""
    here = [opens[left] - opens[right], closes[left] - closes[right]]
    there = [opens[left] - closes[right], closes[left] - opens[right]]
    return _better("column_order", here, [there], off)


def _better(name: str, here: list[Floats], elsewhere: list[list[Floats]], off: Mask) -> Measure:
    """Share of the scatter over SHIFT_WINDOW candles that another reading would take away."""

    def scatter(differences: list[Floats]) -> tuple[Floats, Floats]:
        # Medians, lest one wick at the edge of the window decide.
        now = np.mean(
            [np.abs(values - _running_median(np.where(off, np.nan, values))) for values in differences], axis=0
        )
        return now, _running_median(now)

    last, total = scatter(here)
    gain, fits = np.zeros(total.shape), np.zeros(total.shape, dtype=np.bool_)
    for differences in elsewhere:
        there, rest = scatter(differences)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.nan_to_num(1 - rest / total)
        fits |= (share > 1 - t.SHIFT_RATIO) & (there < last)
        gain = np.maximum(gain, share)
    lasting = fits.copy()
    lasting[:, 1:] &= fits[:, :-1]
    threshold = np.where((total > t.SHIFT_FLOOR) & lasting, 1 - t.SHIFT_RATIO, np.inf)
    return Measure(name, np.where(np.isnan(last), np.nan, gain), threshold)


def _running_median(values: Floats) -> Floats:
    window = pd.DataFrame(values.T).rolling(t.SHIFT_WINDOW, t.SHIFT_WINDOW // 2)
    return np.asarray(window.median().to_numpy(dtype=np.float64).T)
