"""Which candles are final."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from include.candles.model import Candle
from include.candles.timeframes import step


def drop_unfinished(candles: Iterable[Candle], timeframe: str, now: datetime) -> list[Candle]:
    """The candles that are closed at `now`: open time plus length lies at or before it.

    A venue's own close time is no help: it is cut short where trading was halted inside the candle.
    """
    length = step(timeframe)
    return [candle for candle in candles if candle.opened_at + length <= now]
