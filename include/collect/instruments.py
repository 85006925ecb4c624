"""Which instrument a configured market is, by the venue's own listing, asked once a day while it trades."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from include.candles.timeframes import floor, step
from include.config.markets import Market
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import NoDataError, OutOfReachError, UnknownSymbolError
from include.venues.model import MarketVenue
from include.warehouse.connection import Connection
from include.warehouse.instruments import Instrument, store_listing, stored_instrument

RESOLVE_EVERY = timedelta(days=1)
RESOLVE_HALTED_EVERY = timedelta(minutes=30)  # each hour's run: a halt of minutes must not cost a day of candles
UNLISTED = "unlisted"  # the venue does not know the market (any more)
LISTING_TIMEFRAME, DELISTING_TIMEFRAME = "1h", "1d"
LONGEST_HALT = timedelta(days=2)  # a market that is halted for longer has ended; it is followed if it trades again

_log = logging.getLogger(__name__)


def resolve_instrument(connection: Connection, venue: MarketVenue, market: Market, now: datetime) -> Instrument:
    """The market's instrument; name, status and first candle come from the venue, kept for RESOLVE_EVERY.

    A market that the venue lists and that stopped trading is delisted at the end of the venue's newest day of candles,
    once that is LONGEST_HALT ago; one that it does not know any more at the end of our newest candle, since nobody else
    tells. Raises the VenueError of a venue that does not answer.
    """
    instrument = stored_instrument(connection, market)
    every = RESOLVE_EVERY if instrument.is_trading else RESOLVE_HALTED_EVERY
    if instrument.resolved_at and instrument.resolved_at <= now < instrument.resolved_at + every:
        return instrument
    try:
        listing = venue.listing(market.symbol)
    except UnknownSymbolError as error:
        _log.warning("%s is not collected: %s", market.key, error)
        return store_listing(
            connection,
            instrument,
            venue_symbol=instrument.venue_symbol,
            status=UNLISTED,
            is_trading=False,
            listed_at=instrument.listed_at,
            delisted_at=instrument.delisted_at or _end_held(connection, instrument),
            resolved_at=now,
        )
    listed_at = instrument.listed_at
    if not instrument.resolved_at:
        listed_at = _listed_at(venue, market, listing.venue_symbol, now)
    delisted_at = None
    if not listing.is_trading:
        _log.warning("%s does not trade: the venue says %s", market.key, listing.status)
        known = instrument.delisted_at if instrument.status != UNLISTED else None
        delisted_at = known or _delisted_at(connection, venue, instrument, listing.venue_symbol, now)
    return store_listing(
        connection,
        instrument,
        venue_symbol=listing.venue_symbol,
        status=listing.status,
        is_trading=listing.is_trading,
        listed_at=listed_at,
        delisted_at=delisted_at,
        resolved_at=now,
    )


def _listed_at(venue: MarketVenue, market: Market, venue_symbol: str, now: datetime) -> datetime:
    """The venue's first candle; where it does not keep its whole history, what the configuration says."""
    if CAPABILITIES[market.venue].reach_candles is not None:
        return market.listed_at
    try:
        return venue.first_open(venue_symbol, LISTING_TIMEFRAME, now)
    except NoDataError:
        return market.listed_at


def _delisted_at(
    connection: Connection, venue: MarketVenue, instrument: Instrument, venue_symbol: str, now: datetime
) -> datetime | None:
    """End of the newest day for which the venue or we have a candle; None while that may be a halt."""
    day = step(DELISTING_TIMEFRAME)
    end = _end_held(connection, instrument)
    since = floor(end or instrument.listed_at, DELISTING_TIMEFRAME)
    # What these errors are about comes after what there is: older days out of reach, newer ones not made.
    with suppress(OutOfReachError, NoDataError):
        for page in venue.candles(venue_symbol, DELISTING_TIMEFRAME, since, now, now):
            if len(page.candles):
                newest = page.candles[-1].opened_at + day
                end = max(end, newest) if end else newest
    return end if end and end <= now - LONGEST_HALT else None


def _end_held(connection: Connection, instrument: Instrument) -> datetime | None:
    query = "select max(opened_at + market.step(timeframe)) from market.candle where instrument_id = %s"
    row = connection.execute(query, (instrument.instrument_id,)).fetchone()
    end: datetime | None = row[0] if row else None
    return end if end is None or end > instrument.listed_at else None
