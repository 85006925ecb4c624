"""Candles the venue corrected after the fact: prices stay, volumes and counts grow, as Binance's own corrections do."""

from __future__ import annotations

import numpy as np

from include.replay import bars as b
from include.replay.bars import Bars

_PERCENT = 102
_GROWN = (b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE)


class Revisions:
    """Which candles of one venue are served with corrected volumes."""

    def __init__(self) -> None:
        self._opens: dict[tuple[str, str], set[int]] = {}

    def add(self, symbol: str, timeframe: str, opened_ms: int) -> None:
        self._opens.setdefault((symbol, timeframe), set()).add(opened_ms)

    def applied(self, symbol: str, timeframe: str, page: Bars) -> Bars:
        """The page with the corrections in it; the given rows are left as they are."""
        opens = self._opens.get((symbol, timeframe))
        if not opens:
            return page
        page = page.copy()
        rows = np.isin(page[:, b.OPEN_TIME], list(opens))
        page[rows] = grown(page[rows])
        return page


def grown(bars: Bars) -> Bars:
    """The bars with 2 % more of all that is counted."""
    result = bars.copy()
    for column in _GROWN:
        result[:, column] = result[:, column] // 100 * _PERCENT + result[:, column] % 100
    return result
