"""Candles of one market, whole or drawn together for a chart, and how complete they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.candles.timeframes import EPOCH, ceil, floor, step
from include.coverage.equation import SeriesCoverage, series_coverage
from include.serving.completeness import complete_until, unexplained
from include.serving.deadlines import candle_age, stale
from include.serving.instruments import instrument_of
from include.serving.selection import Answer, Selection, Snapshot
from include.serving.trust import Reason, Trust
from include.serving.window import Window, window
from include.warehouse.sql import statement

USUAL_CANDLES = 500  # of the window where none is given


@dataclass(frozen=True, slots=True)
class CandleQuestion:
    """Which candles: open times in [start, end), UTC; start None for the newest 500, end None for up to now."""

    venue: str
    symbol: str
    timeframe: str
    start: datetime | None = None
    end: datetime | None = None


def candles(look: Snapshot, asked: CandleQuestion) -> Answer:
    """Candles by open time. Raises UnknownSubjectError for a market that is not there.

    The answer abstains where a candle of the window is neither held nor explained or has left for the archive, and,
    where the window reaches to now, where the newest candle is too old.
    """
    instrument_id, within = _place(look, asked)
    values = {"instrument_id": instrument_id, "timeframe": asked.timeframe, **within.values}
    return Answer(Selection("candles", values, key=("opened_at",)), _trust(look, asked, instrument_id, within))


def chart(look: Snapshot, asked: CandleQuestion, points: int, indicators: Sequence[str] = ()) -> Answer:
    """The same candles, drawn together into at most `points` bars of equal length, by open time.

    A bar's length is that of bar_length, its open time a multiple of it since the Unix epoch.
    indicators: columns of the feature registry, each as of a bar's last candle. Trust is that of the candles.
    """
    instrument_id, within = _place(look, asked)
    closed = within._replace(end=min(within.end, floor(look.now, asked.timeframe)))
    values = {
        "instrument_id": instrument_id,
        "timeframe": asked.timeframe,
        "bar_seconds": bar_length(closed, asked.timeframe, points).total_seconds(),
        **within.values,
    }
    selection = Selection("chart", values, names={"columns": list(indicators)})
    return Answer(selection, _trust(look, asked, instrument_id, within))


def bar_length(within: Window, timeframe: str, points: int) -> timedelta:
    """A multiple of the timeframe that cuts the window into at most `points` bars anchored at the epoch.

    The shortest that does so wherever a window of this length lies, so that panning does not change it; of a single
    bar, the shortest that holds this window.
    """
    length = step(timeframe)
    first, last = (ceil(within.start, timeframe) - EPOCH) // length, (ceil(within.end, timeframe) - EPOCH) // length - 1
    slots = last - first + 1
    candles_in_bar = max(1, (slots - 2) // (points - 1) + 1 if points > 1 else slots)
    while (newest := last // candles_in_bar) - first // candles_in_bar >= points:
        candles_in_bar = last // newest + 1  # the next one that lets the newest bar begin earlier
    return candles_in_bar * length


def counted_within(look: Snapshot, asked: CandleQuestion, instrument_id: int, within: Window) -> SeriesCoverage:
    """What is known of the window's candles."""
    start, end = within
    series = (instrument_id, asked.venue, asked.symbol, asked.timeframe)
    return series_coverage(look.connection, *series, look.now, start=start, end=end)


def archived(counted: SeriesCoverage) -> Reason | None:
    """A reason to abstain where candles are held in the archive alone: the answer cannot bring them."""
    if not counted.spans["archived"]:
        return None
    text = f"{counted.equation.archived} of {counted.equation.expected} candles are in the archive alone"
    remedy = "`python -m include.cli archive restore --act` brings them back"
    return Reason("incomplete", f"{text}; {remedy}", counted.spans["archived"][0].start)


def overdue(look: Snapshot, asked: CandleQuestion, instrument_id: int) -> Reason | None:
    """A reason to abstain where the market's newest candle is too old; of one that was delisted none is awaited."""
    values = {"instrument_id": instrument_id, "timeframe": asked.timeframe}
    row = look.connection.execute(statement("serving/newest_candle.sql"), values).fetchone()
    closed_at, delisted_at = row or (None, None)
    what = f"the newest {asked.timeframe} candle of {asked.venue} {asked.symbol}"
    return stale(what, closed_at, min(look.now, delisted_at or look.now), candle_age(asked.timeframe))


def _place(look: Snapshot, asked: CandleQuestion) -> tuple[int, Window]:
    usual = min(USUAL_CANDLES * step(asked.timeframe), timedelta(days=5000))
    instrument_id = instrument_of(look, asked.venue, asked.symbol)
    return instrument_id, window(look, asked.start, asked.end, usual)


def _trust(look: Snapshot, asked: CandleQuestion, instrument_id: int, within: Window) -> Trust:
    counted = counted_within(look, asked, instrument_id, within)
    trust = look.trust(rows_until(counted), rows_percent(counted)).because(unexplained(counted), archived(counted))
    if within.end > look.now - step(asked.timeframe):
        trust = trust.because(overdue(look, asked, instrument_id))
    return trust


def rows_until(counted: SeriesCoverage) -> datetime | None:
    """Up to where the table lacks no candle that is not explained."""
    until = complete_until(counted)
    return min([until, *(span.start for span in counted.spans["archived"][:1])]) if until else None


def rows_percent(counted: SeriesCoverage) -> float | None:
    """Share of the expected candles that the table holds, 0 to 100; None where none is expected."""
    equation = counted.equation
    return 100 * (equation.observed - equation.archived) / equation.expected if equation.expected else None
