"""How far a changed candle reaches into each table of mart, and what of that can be computed at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from include.candles.timeframes import ceil, floor, step
from include.config.transforms import ALERT_WINDOW, USUAL_WITHIN_BARS
from include.coverage.spans import Span, union

HOUR, DAY = step("1h"), step("1d")
# Flags that speak against a price look at this many bars before (`price_spike`); a missing figure looks further.
PRICE_FLAG_BARS = 2
BARS_AT_ONCE = 92 * 24  # three months of hours: how much one statement computes
# So long after what was dropped into the archive, rows stay as they are: what they were computed from is not all there.
KEPT_AFTER_ARCHIVE = timedelta(days=7)


def flags_reach(changed: Span, timeframe: str) -> Span:
    """Open times whose flags may differ once the candles of `changed` do."""
    return Span(changed.start, changed.end + USUAL_WITHIN_BARS * step(timeframe))


def prices_reach(changed: Span) -> Span:
    """Hours whose price, or a flag that speaks against it, may differ."""
    return Span(changed.start, changed.end + PRICE_FLAG_BARS * HOUR)


def alerts_reach(changed: Span) -> Span:
    """Open times of candles whose change over the alerts' window may differ."""
    return Span(changed.start, prices_reach(changed).end + ALERT_WINDOW)


def days_reach(changed: Span) -> Span:
    """Whole UTC days with an hour that may differ."""
    reached = prices_reach(changed)
    return Span(floor(reached.start, "1d"), ceil(reached.end, "1d"))


def ranking_reach(changed: Span) -> Span:
    """Whole UTC days whose close, or the close of the day before, may differ."""
    days = days_reach(changed)
    return Span(days.start, days.end + DAY)


def computable(spans: Iterable[Span], kept_from: datetime | None) -> list[Span]:
    """The same in as few spans, without days too near to candles that left for the archive (None: none did)."""
    if kept_from is None:
        return union(spans)
    first = ceil(kept_from + KEPT_AFTER_ARCHIVE, "1d")
    return union(Span(max(span.start, first), span.end) for span in spans)


def pieces(spans: Iterable[Span], timeframe: str = "1h") -> Iterator[Span]:
    """Spans cut so that a statement computes BARS_AT_ONCE bars at most, in order of time."""
    length = BARS_AT_ONCE * step(timeframe)
    for span in spans:
        start = span.start
        while start < span.end:
            end = min(start + length, span.end)
            yield Span(start, end)
            start = end
