"""Which candles are final."""

from __future__ import annotations

from datetime import datetime

from include.candles.timeframes import step


def is_finished(opened_at: datetime, timeframe: str, now: datetime) -> bool:
    """Whether a candle is closed at `now`: its open time plus its length lies at or before it.

    A venue's own close time is no help: it is cut short where trading was halted inside the candle.
    """
    return opened_at + step(timeframe) <= now
