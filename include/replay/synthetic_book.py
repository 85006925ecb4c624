"""One exchange's synthetic markets: any page of any timeframe out of hours and the minutes inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.synthetic_minutes import MinutePaths
from include.replay.world import HOUR_MS, ReplayMarket

_MINUTE_FRAMES = ("1m", "3m", "5m", "15m", "30m")


class Hours(Protocol):
    """All hours of one synthetic market."""

    def between(self, start_ms: int, end_ms: int) -> Bars:
        """Hours with start <= open < end; both must be whole hours, not before genesis."""
        ...


class SyntheticBook:
    """Markets without holes from `genesis_ms` on."""

    def __init__(
        self,
        genesis_ms: int,
        markets: Mapping[str, ReplayMarket],
        hours: Mapping[str, Hours],
        minutes: Mapping[str, MinutePaths],
    ) -> None:
        self._genesis_ms = genesis_ms
        self._markets = markets
        self._hours = hours
        self._minutes = minutes

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        return self._markets

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        step = b.STEP_MS[timeframe]
        # Without holes the page is known before anything is computed.
        start = -(-max(start_ms, self._genesis_ms) // step) * step
        end = -(-end_ms // step) * step
        if newest:
            start = max(start, end - limit * step)
        else:
            end = min(end, start + limit * step)
        if start >= end:
            return b.no_bars()
        hours = self._hours[symbol].between(start - start % HOUR_MS, -(-end // HOUR_MS) * HOUR_MS)
        if timeframe == "1h":
            return hours
        if timeframe not in _MINUTE_FRAMES:
            return b.fold(hours, step)
        minutes = np.concatenate([self._minutes[symbol].inside(hour) for hour in hours])
        opens = minutes[:, b.OPEN_TIME]
        return b.fold(minutes[(opens >= start) & (opens < end)], step)

    def finer(self, symbol: str, timeframe: str) -> str | None:
        if timeframe == "1m":
            return None
        return "1m" if timeframe in _MINUTE_FRAMES or timeframe == "1h" else "1h"
