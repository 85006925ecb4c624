"""Which instrument a configured market is, by the venue's own listing, asked once a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.config.markets import Market
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import NoDataError, UnknownSymbolError
from include.venues.model import MarketVenue
from include.warehouse.connection import Connection
from include.warehouse.instruments import Instrument, store_listing, stored_instrument

RESOLVE_EVERY = timedelta(days=1)
UNLISTED = "unlisted"  # the venue does not know the market (any more)
LISTING_TIMEFRAME = "1h"


def resolve_instrument(connection: Connection, venue: MarketVenue, market: Market, now: datetime) -> Instrument:
    """The market's instrument; name, status and first candle come from the venue, kept for RESOLVE_EVERY.

    A market the venue does not know, or that has stopped trading, is kept with its delisting: the end of its newest
    candle. Raises the VenueError of a venue that does not answer.
    """
    instrument = stored_instrument(connection, market)
    if instrument.resolved_at and instrument.resolved_at <= now < instrument.resolved_at + RESOLVE_EVERY:
        return instrument
    try:
        listing = venue.listing(market.symbol)
    except UnknownSymbolError:
        return store_listing(
            connection,
            instrument,
            venue_symbol=instrument.venue_symbol,
            status=UNLISTED,
            is_trading=False,
            listed_at=instrument.listed_at,
            delisted_at=_end_of_candles(connection, instrument),
            resolved_at=now,
        )
    return store_listing(
        connection,
        instrument,
        venue_symbol=listing.venue_symbol,
        status=listing.status,
        is_trading=listing.is_trading,
        listed_at=instrument.listed_at
        if instrument.resolved_at
        else _listed_at(venue, market, listing.venue_symbol, now),
        delisted_at=_end_of_candles(connection, instrument),
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


def _end_of_candles(connection: Connection, instrument: Instrument) -> datetime | None:
    query = "select max(opened_at + market.step(timeframe)) from market.candle where instrument_id = %s"
    row = connection.execute(query, (instrument.instrument_id,)).fetchone()
    end: datetime | None = row[0] if row else None
    return end if end is None or end > instrument.listed_at else None
