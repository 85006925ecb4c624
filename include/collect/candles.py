"""One market's candles for one window: asked from the venue, validated, stored. Live and backfill both pass here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from include.candles.timeframes import floor, step
from include.clock import Clock
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.config.markets import Market
from include.venues.errors import NoDataError
from include.venues.model import CandlePage
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.coverage import first_missing
from include.warehouse.instruments import ensure_instrument
from include.warehouse.quarantine import quarantine_rows

SETTLE_BARS = 2  # closed candles asked for again by a live run: late trades still reach them
CATCH_UP_BARS = 1000  # how far back a live run looks for holes: a page, six weeks of hours; older ones are a backfill's
LONGEST_OUTAGE = timedelta(days=2)  # a listed market trades: the longest silence in years of history was 33 hours


class CandleVenue(Protocol):
    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]: ...


def collect_candles(
    connection: Connection,
    venue: CandleVenue,
    market: Market,
    timeframe: str,
    start: datetime,
    end: datetime,
    clock: Clock,
    catch_up: bool = False,
) -> CollectOutcome:
    """Store the candles that close within (start, end]; a repeat changes nothing.

    catch_up: for live runs; the last SETTLE_BARS are read again, and holes among the CATCH_UP_BARS before them are
    fetched too. Raises NothingToCollect for a window before the listing or after now, NoDataError for an answer
    without any candle where there must be some, another VenueError as the venue gives it.
    """
    now = clock.now()
    if end <= market.listed_at:
        raise NothingToCollect(f"{market.key} is listed since {market.listed_at:%Y-%m-%d %H:%M} UTC; asked until {end}")
    if start >= now:
        raise NothingToCollect(f"the window opens at {start:%Y-%m-%d %H:%M} UTC, after now ({now:%Y-%m-%d %H:%M} UTC)")
    opens_from, opens_until = floor(start, timeframe), floor(end, timeframe)
    what = f"{market.key} {timeframe}"
    instrument_id = ensure_instrument(connection, market)
    if catch_up:
        opens_from = _from_first_missing(connection, instrument_id, timeframe, opens_from)
    if opens_from == opens_until:
        return CollectOutcome("candle", what)  # no candle of this timeframe closes within the window
    source = f"{market.venue}-rest"
    total, is_empty = CollectOutcome("candle", what), True
    # The candle that contains the listing is partial, and the venue's own.
    first = max(opens_from, floor(market.listed_at, timeframe))
    for page in venue.candles(market.venue_symbol, timeframe, first, opens_until, now):
        counts = upsert_candles(
            connection, instrument_id, timeframe, page.candles, source=source, world=page.world, recorded_at=now
        )
        rejected = quarantine_rows(
            connection,
            page.rejected,
            source=source,
            request=page.request,
            world=page.world,
            recorded_at=now,
            instrument_id=instrument_id,
            timeframe=timeframe,
        )
        total += CollectOutcome("candle", what, counts.new, counts.changed, counts.unchanged, rejected)
        is_empty = is_empty and not page.candles and not page.rejected
    until = min(opens_until, floor(now, timeframe))
    if is_empty and (until - first > LONGEST_OUTAGE or _is_known(connection, instrument_id, timeframe, first, until)):
        raise NoDataError(market.venue, f"no {what} candle at all from {first} to {until}")
    return total


def _is_known(
    connection: Connection, instrument_id: int, timeframe: str, opens_from: datetime, opens_until: datetime
) -> bool:
    """Whether the warehouse holds a candle of that stretch, so that the venue must have one too."""
    query = (
        "select exists (select from market.candle"
        " where instrument_id = %s and timeframe = %s and opened_at >= %s and opened_at < %s)"
    )
    row = connection.execute(query, (instrument_id, timeframe, opens_from, opens_until)).fetchone()
    return row is not None and bool(row[0])


def _from_first_missing(connection: Connection, instrument_id: int, timeframe: str, opens_from: datetime) -> datetime:
    length = step(timeframe)
    opens_from -= SETTLE_BARS * length
    since = opens_from - CATCH_UP_BARS * length
    return first_missing(connection, instrument_id, timeframe, since, opens_from) or opens_from
