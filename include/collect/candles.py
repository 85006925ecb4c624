"""One market's candles for one window: asked from the cheapest source, validated, stored with their evidence.

Live runs, backfills and repairs all pass here.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product

from include.candles.timeframes import floor, step
from include.clock import Clock
from include.collect.instruments import UNLISTED, resolve_instrument
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.collect.page_sources import PageSources
from include.collect.quality import check_share
from include.collect.sources import KRAKEN_TRADES, OUT_OF_REACH, Segment, plan_sources, rest_of
from include.collect.store import SeriesAt, store_pages
from include.config.markets import Market
from include.coverage.attest import record_out_of_reach
from include.coverage.missing import first_missing, settled_by
from include.coverage.spans import Span, subtract, union
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import (
    AuthenticationError,
    ForbiddenError,
    GeoBlockedError,
    OutOfReachError,
    RateLimitedError,
    UnavailableError,
)
from include.warehouse.connection import Connection

SETTLE_BARS = 2  # closed candles asked for again by a live run: late trades still reach them
CATCH_UP_BARS = 1000  # how far back a live run looks for holes: a page, six weeks of hours; older ones are a repair's

# What another market of the same venue would meet too.
HOST_TROUBLE = (RateLimitedError, GeoBlockedError, ForbiddenError, UnavailableError, AuthenticationError)

_log = logging.getLogger(__name__)


def collect_markets(
    connection: Connection,
    sources: PageSources,
    markets: Iterable[Market],
    timeframes: Iterable[str],
    start: datetime,
    end: datetime,
    clock: Clock,
    *,
    catch_up: bool = False,
) -> Iterator[CollectOutcome]:
    """`collect_candles` for each market of one venue and each timeframe.

    Trouble with the host ends it at once. What is wrong with one series is raised, the first of several with the
    others as its notes, after the rest is done. What a series stored before its trouble is told all the same.
    Raises NothingToCollect, with all reasons, where no series has any.
    """
    nothing: list[str] = []
    errors: list[Exception] = []
    outcomes = 0
    for market, timeframe in product(markets, list(timeframes)):
        nothing_yet = done = CollectOutcome("candle", f"{market.key} {timeframe}")
        try:
            for part in candle_parts(connection, sources, market, timeframe, start, end, clock, catch_up=catch_up):
                done += part
            outcomes += 1
        except NothingToCollect as reason:
            _log.info("%s", reason)
            nothing.append(str(reason))
            continue
        except HOST_TROUBLE:
            if done != nothing_yet:
                yield done
            raise
        except Exception as error:  # raised below
            _log.exception("%s %s", market.key, timeframe)
            errors.append(error)
            if done == nothing_yet:
                continue
        yield done
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"and {other!r}")
        raise errors[0]
    if nothing and not outcomes:
        raise NothingToCollect("; ".join(dict.fromkeys(nothing)))


def collect_candles(
    connection: Connection,
    sources: PageSources,
    market: Market,
    timeframe: str,
    start: datetime,
    end: datetime,
    clock: Clock,
    *,
    catch_up: bool = False,
    rest: bool = False,
) -> CollectOutcome:
    """As `candle_parts`, all of it at once."""
    parts = candle_parts(connection, sources, market, timeframe, start, end, clock, catch_up=catch_up, rest=rest)
    return sum(parts, CollectOutcome("candle", f"{market.key} {timeframe}"))


def candle_parts(
    connection: Connection,
    sources: PageSources,
    market: Market,
    timeframe: str,
    start: datetime,
    end: datetime,
    clock: Clock,
    *,
    catch_up: bool = False,
    rest: bool = False,
) -> Iterator[CollectOutcome]:
    """Store the candles that close within (start, end], part by part; a repeat changes nothing.

    catch_up: for live runs; the last SETTLE_BARS are read again, and holes among the CATCH_UP_BARS before them are
    fetched too. rest: ask the venue itself even for what files hold, as live runs always do. What no source reaches is
    put down in the ledger as that.

    Raises NothingToCollect for a window before the listing, after the delisting or after now, and for a market the
    venue does not list; NoDataError for an answer without any candle where there must be some; QuarantineShareError
    for too many rows that cannot be right; another VenueError as the venue gives it.
    """
    now = clock.now()
    _require_window(market, start, end, now)
    opens_from, opens_until = floor(start, timeframe), floor(end, timeframe)
    if opens_from == opens_until and not catch_up:
        return  # no candle of this timeframe closes within the window
    instrument = resolve_instrument(connection, sources.venue, market, now)
    if instrument.status == UNLISTED:
        raise NothingToCollect(f"{market.venue} does not list {market.symbol} ({instrument.venue_symbol})")
    market = dataclasses.replace(market, venue_symbol=instrument.venue_symbol, listed_at=instrument.listed_at)
    _require_window(market, start, end, now)
    if instrument.delisted_at:
        if opens_from >= instrument.delisted_at:
            raise NothingToCollect(f"{market.key} is {instrument.status} since {instrument.delisted_at:%Y-%m-%d %H:%M}")
        opens_until = min(opens_until, floor(instrument.delisted_at, timeframe))
    series = SeriesAt(instrument.instrument_id, market, timeframe, now)
    if catch_up:
        opens_from = _from_first_missing(connection, series, opens_from)
    for segment in _segments(market, timeframe, opens_from, opens_until, now, sources, rest=rest or catch_up):
        for part in _not_folded_yet(connection, series, segment):
            yield from _collect_segment(connection, sources, series, part)


def _require_window(market: Market, start: datetime, end: datetime, now: datetime) -> None:
    if end <= market.listed_at:
        raise NothingToCollect(f"{market.key} is listed since {market.listed_at:%Y-%m-%d %H:%M} UTC; asked until {end}")
    if start >= now:
        raise NothingToCollect(f"the window opens at {start:%Y-%m-%d %H:%M} UTC, after now ({now:%Y-%m-%d %H:%M} UTC)")


def _segments(
    market: Market,
    timeframe: str,
    start: datetime,
    end: datetime,
    now: datetime,
    sources: PageSources,
    *,
    rest: bool,
) -> Iterable[Segment]:
    planned = plan_sources(market, timeframe, start, end, now, sources.settings)
    reach = CAPABILITIES[market.venue].reach_candles
    if not planned or reach is not None or not (rest or sources.archive is None):
        return planned
    return [Segment(rest_of(market.venue), planned[0].start, planned[-1].end, "the venue itself")]


def _not_folded_yet(connection: Connection, series: SeriesAt, segment: Segment) -> list[Segment]:
    """The segment without what trades were folded to before: a month is a thousand requests, and trades stay as they
    are, so that a task that was put off or ended goes on where it was."""
    if KRAKEN_TRADES not in (segment.source, *segment.fallbacks):
        return [segment]
    window = Span(segment.start, segment.end)
    done = settled_by(connection, series.instrument_id, series.timeframe, KRAKEN_TRADES, window)
    return [segment._replace(start=start, end=end) for start, end in subtract([window], done)]


def _collect_segment(
    connection: Connection, sources: PageSources, series: SeriesAt, segment: Segment
) -> Iterator[CollectOutcome]:
    what = f"{series.market.key} {series.timeframe}"
    _log.info("%s from %s to %s: %s, %s", what, segment.start, segment.end, segment.source, segment.reason)
    if segment.source == OUT_OF_REACH:
        _put_out_of_reach(connection, series, segment.start, segment.end, segment.reason)
        return
    rows = refused = 0
    answered: list[Span] = []
    try:
        pages = sources.pages(segment, series.market.venue_symbol, series.timeframe, series.now)
        for stored in store_pages(connection, series, pages):
            rows += stored.outcome.new + stored.outcome.changed + stored.outcome.unchanged
            refused += stored.refused
            answered += stored.answered
            yield stored.outcome
    except OutOfReachError as error:
        if OUT_OF_REACH not in segment.fallbacks:
            raise
        for start, end in subtract([Span(segment.start, segment.end)], union(answered)):
            _put_out_of_reach(connection, series, start, end, str(error))
    if warning := check_share(refused, rows + refused, what=what):
        _log.warning("%s", warning)


def _put_out_of_reach(connection: Connection, series: SeriesAt, start: datetime, end: datetime, reason: str) -> None:
    _log.warning("%s %s from %s to %s is out of reach: %s", series.market.key, series.timeframe, start, end, reason)
    record_out_of_reach(connection, series.instrument_id, series.timeframe, start, end, reason, series.now)


def _from_first_missing(connection: Connection, series: SeriesAt, opens_from: datetime) -> datetime:
    length = step(series.timeframe)
    opens_from -= SETTLE_BARS * length
    since = opens_from - CATCH_UP_BARS * length
    missing = first_missing(connection, series.instrument_id, series.timeframe, since, opens_from)
    return missing or opens_from
