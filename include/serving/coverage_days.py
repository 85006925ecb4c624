"""The equation of completeness of one series, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from include.candles.timeframes import step
from include.coverage.equation import DELETED, NEVER_ASKED, QUARANTINED, UNCONFIRMED
from include.coverage.spans import Span, count, intersect, union
from include.serving.completeness import complete_until, percent_held
from include.serving.coverage import counted_until_now
from include.serving.selection import DATE, INT, TEXT, Answer, Snapshot, Table

COUNTS = ("expected", "observed", "empty", "outage", "out_of_reach", "pending", "unknown")
COLUMNS = {
    "venue": TEXT,
    "symbol": TEXT,
    "timeframe": TEXT,
    "day": DATE,
    **dict.fromkeys(COUNTS, INT),
}
DAY = timedelta(days=1)


def coverage_days(
    look: Snapshot, venue: str, symbol: str, timeframe: str, start: datetime | None, end: datetime | None
) -> Answer:
    """A row per UTC day on which a candle is expected to open, in [start, end) or all that the series has.

    It does not abstain: what is missing is what it tells. Which days an archived month lacks candles on is not known:
    there they count as held, and the hole of the month says how many they are.
    Raises UnknownSubjectError for a market that is not there.
    """
    counted = counted_until_now(look, venue, symbol, timeframe, start, end)
    spans = counted.spans
    sets = {
        **{name: spans[name] for name in ("empty", "outage", "out_of_reach", "pending")},
        "expected": spans["expected"],
        "observed": union([*spans["observed"], *spans["archived"]]),
        "unknown": union(span for reason in (DELETED, QUARANTINED, UNCONFIRMED, NEVER_ASKED) for span in spans[reason]),
    }
    by_name = {name: _by_day(each, step(timeframe)) for name, each in sets.items()}
    rows = [
        (venue, symbol, timeframe, day, *(by_name[name].get(day, 0) for name in COUNTS))
        for day in sorted(by_name["expected"])
    ]
    values = {"venue": venue, "symbol": symbol, "timeframe": timeframe, "starts_at": start, "ends_at": end}
    table = Table("coverage_days", COLUMNS, rows, ("day",), values)
    return Answer(table, look.trust(complete_until(counted), percent_held([counted])))


def _by_day(spans: Sequence[Span], length: timedelta) -> dict[date, int]:
    """How many open times lie on each UTC day that has any."""
    counts: dict[date, int] = {}
    for span in spans:
        midnight = datetime.combine(span.start.date(), time(), span.start.tzinfo)
        while midnight < span.end:
            part = intersect([span], [Span(midnight, midnight + DAY)])
            counts[midnight.date()] = counts.get(midnight.date(), 0) + count(part, length)
            midnight += DAY
    return counts
