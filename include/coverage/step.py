"""One step of a repair: candles to be asked for again, and what that is expected to cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from include.candles.timeframes import expected_count
from include.config.markets import Market
from include.coverage.equation import SeriesCoverage
from include.coverage.spans import Span
from include.venues.capabilities import CAPABILITIES
from include.warehouse.months import month_span

UNKNOWN, SETTLE, AUDIT = "unknown", "settle", "audit"  # in the order of their urgency
PURPOSES = (UNKNOWN, SETTLE, AUDIT)
REST, ARCHIVE = "rest", "archive"

UNLIMITED_PAGE = 1000  # candles per request where a venue names no limit
ARCHIVE_REQUESTS = 2  # a month's file and its checksum
ARCHIVE_AFTER = timedelta(days=15)  # how long after its end a month's file may be expected


class Step(NamedTuple):
    """Candles that open in [start, end) (UTC) to be asked for again.

    purpose: one of PURPOSES. reason: why, in words. source: what is expected to be cheapest, `rest` or `archive`.
    requests: how many that takes.
    """

    purpose: str
    reason: str
    instrument_id: int
    market: Market
    timeframe: str
    start: datetime
    end: datetime
    source: str
    requests: int

    def __str__(self) -> str:
        return f"{self.market.key} {self.timeframe} {Span(self.start, self.end)}: {self.purpose}, {self.reason}"


def make_step(series: SeriesCoverage, market: Market, purpose: str, reason: str, span: Span, now: datetime) -> Step:
    """The step with its cheapest source."""
    requests = -(-expected_count(*span, series.timeframe) // page_size(series.venue))
    source = REST
    if requests > ARCHIVE_REQUESTS and _has_file(series.venue, span, now):
        source, requests = ARCHIVE, ARCHIVE_REQUESTS
    return Step(purpose, reason, series.instrument_id, market, series.timeframe, *span, source, requests)


def page_size(venue: str) -> int:
    """Most candles in one answer of the venue."""
    return CAPABILITIES[venue].page_size or UNLIMITED_PAGE


def _has_file(venue: str, span: Span, now: datetime) -> bool:
    """Whether the span is a month the venue has published a file of."""
    if f"{venue}_archive" not in CAPABILITIES or span.start.day != 1:
        return False
    return month_span(span.start.date()) == span and span.end + ARCHIVE_AFTER <= now
