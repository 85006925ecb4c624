"""Candles of one market and how complete they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.candles.timeframes import step
from include.coverage.equation import series_coverage
from include.serving.completeness import complete_until, unexplained
from include.serving.deadlines import candle_age, stale
from include.serving.instruments import instrument_of
from include.serving.selection import Answer, Selection, Snapshot


@dataclass(frozen=True, slots=True)
class CandleQuestion:
    """Which candles: open times in [start, end), UTC; end None for up to now."""

    venue: str
    symbol: str
    timeframe: str
    start: datetime
    end: datetime | None = None


def candles(look: Snapshot, asked: CandleQuestion) -> Answer:
    """Candles by open time. Raises UnknownSubjectError for a market that is not there.

    The answer abstains where a candle of the window is neither held nor explained, and, where the window reaches to
    now, where the newest candle is too old.
    """
    instrument_id = instrument_of(look, asked.venue, asked.symbol)
    end = min(asked.end or look.now, look.now)
    counted = series_coverage(
        look.connection,
        instrument_id,
        asked.venue,
        asked.symbol,
        asked.timeframe,
        look.now,
        start=min(asked.start, end),
        end=end,
    )
    equation = counted.equation
    percent = 100 * counted.held_ratio if equation.expected else None
    trust = look.trust(complete_until(counted), percent).because(unexplained(counted))
    if end > look.now - step(asked.timeframe):
        newest = counted.spans["observed"][-1].end if counted.spans["observed"] else None
        what = f"the newest {asked.timeframe} candle of {asked.venue} {asked.symbol}"
        trust = trust.because(stale(what, newest, look.now, candle_age(asked.timeframe)))
    values = {"instrument_id": instrument_id, "timeframe": asked.timeframe, "starts_at": asked.start, "ends_at": end}
    return Answer(Selection("candles", values, key=("opened_at",)), trust)
