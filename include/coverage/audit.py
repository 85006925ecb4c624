"""Which months of history to read again for revisions: a few each day, so that all have their turn in about 90 days."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from include.candles.timeframes import floor, step
from include.config.markets import Market
from include.coverage.equation import SeriesCoverage
from include.coverage.spans import Span, intersect
from include.coverage.step import AUDIT, Step, make_step
from include.venues.capabilities import CAPABILITIES
from include.warehouse.connection import Connection
from include.warehouse.months import month_span
from include.warehouse.sql import statement

CYCLE = 80  # daily plans in which each month has its turn; ten more days are left for those that fail
REST_AFTER_READING = timedelta(days=7)
SAME_DAY = timedelta(hours=20)  # audits as recent as this count for the plan's own day
SETTLED_AFTER = timedelta(days=2)  # months that ended later than this are still read by others
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Month(NamedTuple):
    """One month of one series and when it was last read as a whole (UTC)."""

    series: SeriesCoverage
    span: Span
    last_read: datetime

    def turn(self) -> tuple[date, str]:
        """Whose turn it is: longest unread first, the same day's in an order that mixes markets and years."""
        text = f"{self.series.market} {self.series.timeframe} {self.span}"
        return self.last_read.date(), hashlib.sha256(text.encode()).hexdigest()


def due_audits(
    connection: Connection, found: Sequence[SeriesCoverage], markets: Mapping[int, Market], now: datetime
) -> list[Step]:
    """Today's audits of each venue, less those that were done today already."""
    done: Counter[str] = Counter(
        dict(connection.execute(statement("coverage/count_audits.sql"), {"since": now - SAME_DAY}))
    )
    months = [month for series in found for month in _months(connection, series, now)]
    of_venue = Counter(month.series.venue for month in months)
    left = {venue: -(-number // CYCLE) - done[venue] for venue, number in of_venue.items()}
    steps = []
    for month in sorted(months, key=Month.turn):
        venue = month.series.venue
        if left[venue] > 0 and month.last_read <= now - REST_AFTER_READING:
            left[venue] -= 1
            read = "never read as a whole" if month.last_read == NEVER else f"last read {month.last_read:%Y-%m-%d}"
            market = markets[month.series.instrument_id]
            steps.append(make_step(month.series, market, AUDIT, f"{read}, looked at for revisions", month.span, now))
    return steps


def _months(connection: Connection, series: SeriesCoverage, now: datetime) -> Iterator[Month]:
    """Months that have ended and whose candles the table holds and the venue still serves."""
    values = {"instrument_id": series.instrument_id, "timeframe": series.timeframe}
    last_read: dict[date, datetime] = dict(connection.execute(statement("coverage/select_last_read.sql"), values))
    reach = CAPABILITIES[series.venue].reach_candles
    reached_from = floor(now, series.timeframe) - reach * step(series.timeframe) if reach else NEVER
    for month in series.months:
        for span in intersect([Span(*month_span(month))], series.spans["expected"]):
            is_past = span.end + SETTLED_AFTER <= now
            if is_past and span.start >= reached_from and not intersect([span], series.spans["archived"]):
                yield Month(series, span, last_read.get(month, NEVER))
