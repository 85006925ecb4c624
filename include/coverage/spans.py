"""Sets of open times as half-open spans: ascending, apart from each other. PostgreSQL's ranges and multiranges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from include.candles.timeframes import ceil, floor
from include.warehouse.months import month_span


class Span(NamedTuple):
    """Open times in [start, end), UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


def union(spans: Iterable[Span]) -> list[Span]:
    """The same open times as few spans; overlaps and neighbours become one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def subtract(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What of `spans` is not in `taken`; both ascending and apart."""
    left: list[Span] = []
    first = 0
    for span in spans:
        start = span.start
        while first < len(taken) and taken[first].end <= start:
            first += 1
        at = first
        while at < len(taken) and taken[at].start < span.end:
            if taken[at].start > start:
                left.append(Span(start, taken[at].start))
            start = max(start, taken[at].end)
            at += 1
        if start < span.end:
            left.append(Span(start, span.end))
    return left


def intersect(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both; both ascending and apart."""
    return subtract(spans, subtract(spans, others))


def of_opens(opens: Iterable[datetime], step: timedelta) -> list[Span]:
    """Open times as spans."""
    return union(Span(opened_at, opened_at + step) for opened_at in opens)


def within(spans: Iterable[Span], timeframe: str) -> list[Span]:
    """The open times whose whole candle lies in one of the spans, which may begin and end at any second."""
    return union(Span(ceil(span.start, timeframe), floor(span.end, timeframe)) for span in spans)


def count(spans: Iterable[Span], step: timedelta) -> int:
    """How many open times lie in spans that begin and end on open times."""
    return sum((span.end - span.start) // step for span in spans)


def by_month(spans: Iterable[Span], step: timedelta) -> Counter[date]:
    """How many open times lie in each month (its first day, UTC)."""
    counts: Counter[date] = Counter()
    for span in spans:
        start = span.start
        while start < span.end:
            month = start.astimezone(UTC).date().replace(day=1)
            until = min(month_span(month)[1], span.end)
            counts[month] += (until - start) // step
            start = until
    return counts


def from_ranges(ranges: Iterable[Range[datetime]]) -> list[Span]:
    """A multirange of the database as spans. Raises ValueError for one without bounds."""
    found = []
    for each in ranges:
        if each.lower is None or each.upper is None:
            raise ValueError(f"{each} has no bounds")
        found.append(Span(each.lower, each.upper))
    return found


def to_range(span: Span) -> Range[datetime]:
    """A span as a range of the database."""
    return Range(span.start, span.end, "[)")


def to_ranges(spans: Iterable[Span]) -> Multirange[datetime]:
    """Spans as a multirange of the database."""
    return Multirange(map(to_range, spans))
