"""Where the candles of a window are cheapest to have: which source for which stretch of it, and why.

Pure arithmetic on what the configuration and `include.venues.capabilities` say; nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from include.candles.timeframes import ceil, floor, step
from include.config.markets import Market
from include.venues.binance_archive_files import ArchiveFile
from include.venues.capabilities import CAPABILITIES

BINANCE_ARCHIVE = "binance-archive"
KRAKEN_OHLCVT = "kraken-ohlcvt"
KRAKEN_TRADES = "kraken-trades"
OUT_OF_REACH = "out-of-reach"
# The file itself and its checksum.
REQUESTS_PER_FILE = 2
_DAY = timedelta(days=1)


class SourceSettings(NamedTuple):
    """What this installation may use. kraken_ohlcvt: Kraken's downloaded files are at hand. kraken_trades: its trades
    may be folded, which takes about a thousand requests for a busy market's month."""

    kraken_ohlcvt: bool = False
    kraken_trades: bool = False


class Segment(NamedTuple):
    """A half-open stretch [start, end) of open times and where its candles come from.

    source: as in `CandlePage.source`, or OUT_OF_REACH. reason: for a person. fallbacks: what to ask, in this order,
    for what the source turns out not to have (NotPublishedError, CorruptFileError, OutOfReachError). files: for
    BINANCE_ARCHIVE, the files that hold it.
    """

    source: str
    start: datetime
    end: datetime
    reason: str
    fallbacks: tuple[str, ...] = ()
    files: tuple[ArchiveFile, ...] = ()


def plan_sources(
    market: Market, timeframe: str, start: datetime, end: datetime, now: datetime, settings: SourceSettings
) -> list[Segment]:
    """Sources of the candles that open in [start, end) and are closed at `now`, in order and without gap.

    Nothing for what lies before the listing. Raises ValueError for a timeframe the venue does not have.
    """
    limits = CAPABILITIES[market.venue]
    if timeframe not in limits.timeframes:
        raise ValueError(f"{market.venue} has no timeframe {timeframe!r}; it has {', '.join(limits.timeframes)}")
    # The candle that contains the listing is partial, and the venue's own.
    listing = floor(market.listed_at, timeframe)
    first, until = max(ceil(start, timeframe), listing), min(ceil(end, timeframe), floor(now, timeframe))
    if first >= until:
        return []
    if market.venue == "binance":
        return _merged(_binance(market, timeframe, first, until, listing, now))
    return _merged(_within_reach(market.venue, timeframe, first, until, now, settings))


def rest_of(venue: str) -> str:
    """Name of a venue's REST interface as a source."""
    return f"{venue}-rest"


def _binance(
    market: Market, timeframe: str, first: datetime, until: datetime, listing: datetime, now: datetime
) -> Iterator[Segment]:
    rest = rest_of(market.venue)
    cursor = first
    while cursor < until:
        month = ArchiveFile.of_month(market.venue_symbol, timeframe, cursor.date().replace(day=1))
        is_whole = cursor <= max(month.start, listing) and month.end <= until
        stop = min(month.end, until)
        if is_whole and month.due_at <= now:
            yield Segment(BINANCE_ARCHIVE, cursor, stop, "published months", (rest,), (month,))
        elif not is_whole and month.due_at <= now:
            yield Segment(rest, cursor, stop, "part of a month")
        else:
            yield from _month_in_progress(market, timeframe, cursor, stop, now)
        cursor = stop


def _month_in_progress(
    market: Market, timeframe: str, first: datetime, until: datetime, now: datetime
) -> Iterator[Segment]:
    """A month whose file is not due: by day where that costs less of our budgets, which it does for minutes."""
    rest = rest_of(market.venue)
    by_day = _share_of_file() < _share_of_day(market.venue, timeframe)
    cursor = first
    while cursor < until:
        day = ArchiveFile.of_day(market.venue_symbol, timeframe, cursor.date())
        stop = min(day.end, until)
        if by_day and cursor == day.start and stop == day.end and day.due_at <= now:
            yield Segment(BINANCE_ARCHIVE, cursor, stop, "published days", (rest,), (day,))
        else:
            yield Segment(rest, cursor, stop, "not due in the archive yet" if by_day else "month not due yet")
        cursor = stop


def _within_reach(
    venue: str, timeframe: str, first: datetime, until: datetime, now: datetime, settings: SourceSettings
) -> Iterator[Segment]:
    """REST as far back as it answers, and for what is older whatever else there is."""
    older: tuple[str, ...] = (OUT_OF_REACH,)
    if venue == "kraken":
        allowed = ((KRAKEN_OHLCVT, settings.kraken_ohlcvt), (KRAKEN_TRADES, settings.kraken_trades))
        older = (*(source for source, may in allowed if may), OUT_OF_REACH)
    reach = CAPABILITIES[venue].reach_candles
    if reach is None:
        yield Segment(rest_of(venue), first, until, "all of its history")
        return
    # One of them is the candle in progress.
    edge = min(max(first, floor(now, timeframe) - (reach - 1) * step(timeframe)), until)
    if first < edge:
        yield Segment(older[0], first, edge, f"older than the last {reach} candles", older[1:])
    if edge < until:
        yield Segment(rest_of(venue), edge, until, f"within the last {reach} candles", older)


def _share_of_file() -> float:
    """Minutes of the archive's request budget that one file takes."""
    limit = CAPABILITIES["binance_archive"].host_limits[0]
    return REQUESTS_PER_FILE * limit.seconds / 60 / limit.units


def _share_of_day(venue: str, timeframe: str) -> float:
    """Minutes of the venue's request budget that a day takes, within a longer stretch."""
    limits = CAPABILITIES[venue]
    limit = limits.host_limits[0]
    pages = _DAY / step(timeframe) / limits.page_size
    return pages * limits.candles_weight * limit.seconds / 60 / limit.units


def _merged(segments: Iterator[Segment]) -> list[Segment]:
    """Neighbours of the same source and reason as one."""
    merged: list[Segment] = []
    for segment in segments:
        last = merged[-1] if merged else None
        if last and (last.source, last.reason) == (segment.source, segment.reason):
            merged[-1] = last._replace(end=segment.end, files=last.files + segment.files)
        else:
            merged.append(segment)
    return merged
