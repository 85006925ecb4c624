"""How complete each series is, by the equation of completeness."""

from __future__ import annotations

from datetime import datetime

from include.coverage.equation import SeriesCoverage, coverage, series_coverage
from include.serving.completeness import complete_until, percent_held
from include.serving.instruments import instrument_of
from include.serving.selection import BOOL, FLOAT, INT, TEXT, TIME, Answer, Snapshot, Table, UnknownSubjectError
from include.serving.trust import Reason

COUNTS = ("expected", "observed", "archived", "empty", "outage", "out_of_reach", "pending", "unknown")
KEY = ("venue", "symbol", "timeframe")
COLUMNS = {
    **dict.fromkeys(KEY, TEXT),
    "starts_at": TIME,
    "ends_at": TIME,
    **dict.fromkeys(COUNTS, INT),
    "completeness_percent": FLOAT,
    "is_complete": BOOL,
}


def coverage_of_series(
    look: Snapshot, venue: str | None = None, symbol: str | None = None, timeframe: str | None = None
) -> Answer:
    """A row per series of which anything is known; only of the venue, symbol and timeframe that are named.

    It says what is missing and does so reliably: it abstains only where no series is known at all.
    Raises UnknownSubjectError where nothing of what was named is known.
    """
    found = [
        each
        for each in coverage(
            look.connection,
            look.now,
            venues=[venue] if venue else (),
            timeframes=[timeframe] if timeframe else (),
        )
        if symbol in (None, each.symbol)
    ]
    values = {"venue": venue, "symbol": symbol, "timeframe": timeframe}
    named = " ".join(name for name in values.values() if name)
    if named and not found:
        raise UnknownSubjectError(f"no candle and no answer is known of {named}")
    ends = [until for each in found if (until := complete_until(each))]
    trust = look.trust(min(ends) if ends else None, percent_held(found))
    if not found:
        trust = trust.because(Reason("nothing_known", "there is no candle yet, nor an answer of a venue"))
    return Answer(Table("coverage", COLUMNS, [_row(each) for each in found], KEY, values), trust)


def counted_until_now(
    look: Snapshot, venue: str, symbol: str, timeframe: str, start: datetime | None, end: datetime | None
) -> SeriesCoverage:
    """What is known of a series' open times in [start, end), of all that it has where None, and never beyond now.

    Raises UnknownSubjectError for a market that is not there.
    """
    series = (instrument_of(look, venue, symbol), venue, symbol, timeframe)
    until = min(end or look.now, look.now)
    return series_coverage(look.connection, *series, look.now, start=start and min(start, until), end=until)


def _row(counted: SeriesCoverage) -> tuple[object, ...]:
    extent, equation = counted.extent, counted.equation
    return (
        counted.venue,
        counted.symbol,
        counted.timeframe,
        extent.start if extent else None,
        extent.end if extent else None,
        *(getattr(equation, name) for name in COUNTS),
        percent_held([counted]),
        equation.is_complete,
    )
