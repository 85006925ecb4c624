"""Minutes inside a synthetic hour: a path that starts, turns and ends exactly as the hour's candle says."""

from __future__ import annotations

from collections import OrderedDict
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.synthetic_hours import generator
from include.replay.world import HOUR_MS

MINUTES = 60
_MINUTE_MS = b.STEP_MS["1m"]
_KEPT_HOURS = 512


class MinutePaths:
    """Minutes of any hour of one market; they fold back into the hour exactly. The last hours asked for are kept."""

    def __init__(self, seed: int, symbol: str, precision: Precision) -> None:
        self._seed = seed
        self._symbol = symbol
        self._precision = precision
        self._kept: OrderedDict[int, Bars] = OrderedDict()

    def inside(self, hour: NDArray[np.int64]) -> Bars:
        """The 60 minutes of one row of hours."""
        opened = int(hour[b.OPEN_TIME])
        if opened in self._kept:
            self._kept.move_to_end(opened)
            return self._kept[opened]
        self._kept[opened] = minutes = self._make(hour, opened)
        if len(self._kept) > _KEPT_HOURS:
            self._kept.popitem(last=False)
        return minutes

    def _make(self, hour: NDArray[np.int64], opened: int) -> Bars:
        source = generator(self._seed, self._symbol, opened // HOUR_MS, 2)
        tick, lot = self._precision
        first, high, low, last = (hour[b.OPEN : b.CLOSE + 1] // tick).tolist()

        # A Brownian bridge from open to close, kept between the extremes.
        at = np.arange(1, MINUTES + 1) / MINUTES
        walk = np.cumsum(source.standard_normal(MINUTES)) / np.sqrt(MINUTES)
        path = first + (last - first) * at + (walk - at * walk[-1]) * 0.6 * (high - low)
        closes = np.clip(np.rint(path), low, high).astype(np.int64)
        opens = np.r_[first, closes[:-1]]
        wiggle = np.rint(np.abs(source.standard_normal((2, MINUTES))) * 0.04 * (high - low)).astype(np.int64)
        highs = np.minimum(np.maximum(opens, closes) + wiggle[0], high)
        lows = np.maximum(np.minimum(opens, closes) - wiggle[1], low)
        highs[np.argmax(highs)], lows[np.argmin(lows)] = high, low

        weights = source.integers(500, 1500, MINUTES)
        minutes = np.empty((MINUTES, b.WIDTH), dtype=np.int64)
        minutes[:, b.OPEN_TIME] = opened + np.arange(MINUTES) * _MINUTE_MS
        minutes[:, b.CLOSE_TIME] = minutes[:, b.OPEN_TIME] + _MINUTE_MS - 1
        for column, ticks in ((b.OPEN, opens), (b.HIGH, highs), (b.LOW, lows), (b.CLOSE, closes)):
            minutes[:, column] = ticks * tick
        for column in (b.BASE, b.TAKER_BASE):
            minutes[:, column] = np.array(split(int(hour[column]) // lot, weights.tolist())) * lot
        minutes[:, b.TRADES] = split(int(hour[b.TRADES]), weights.tolist())
        worth = (weights * (opens + highs + lows + closes)).tolist()
        for column in (b.QUOTE, b.TAKER_QUOTE):
            minutes[:, column] = split(int(hour[column]), worth)
        return minutes


def split(total: int, weights: list[int]) -> list[int]:
    """Whole shares of `total` in proportion to `weights`; they add up to it exactly."""
    whole = sum(weights)
    marks = [total * part // whole for part in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(marks)]
