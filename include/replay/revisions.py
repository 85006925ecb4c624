"""Candles the venue corrected after the fact: prices stay, volumes and counts grow, as Binance's own corrections do."""

from __future__ import annotations

import numpy as np

from include.replay import bars as b
from include.replay.bars import Bars

_PERCENT = 102
_GROWN = (b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE)


class Revisions:
    """Which candles are served with corrected volumes."""

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
        rows = np.flatnonzero(np.isin(page[:, b.OPEN_TIME], list(opens)))
        for column in _GROWN:
            page[rows, column] = page[rows, column] // 100 * _PERCENT + page[rows, column] % 100
        return page
