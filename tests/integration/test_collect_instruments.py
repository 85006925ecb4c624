"""Listings: asked once a day, kept with name and span, and followed when a venue renames, halts or forgets a market."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.collect.instruments import UNLISTED, resolve_instrument
from include.config.markets import Market
from include.venues.errors import UnavailableError, UnknownSymbolError
from include.venues.model import Listing, MarketVenue
from include.warehouse.connection import Connection

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SEED = Market("binance", "BTC/USDT", "BTCUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC))
FIRST = datetime(2018, 1, 1, tzinfo=UTC)


class Venue:
    """A venue as far as its listing goes: an answer, or the error it raises."""

    def __init__(self, answer: Listing | Exception, first: datetime = FIRST) -> None:
        self.answer, self.first, self.asked = answer, first, 0

    def listing(self, symbol: str) -> Listing:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        return self.first


LISTED = Listing("BTC/USDT", "XBTUSDT", "TRADING", True)


def resolve(connection: Connection, venue: Venue, at: datetime = NOW, market: Market = SEED) -> tuple[object, ...]:
    checked: MarketVenue = venue  # type: ignore[assignment]
    return tuple(resolve_instrument(connection, checked, market, at))[1:]


def test_the_venue_overrules_the_configuration_and_is_asked_once_a_day(writer: Connection) -> None:
    venue = Venue(LISTED)
    assert resolve(writer, venue) == ("XBTUSDT", FIRST, None, "TRADING", NOW)
    assert resolve(writer, venue, NOW + timedelta(hours=23)) == ("XBTUSDT", FIRST, None, "TRADING", NOW)
    assert venue.asked == 1
    resolve(writer, venue, NOW + timedelta(days=1))
    assert venue.asked == 2


def test_a_venue_that_does_not_answer_changes_nothing(writer: Connection) -> None:
    with pytest.raises(UnavailableError):
        resolve(writer, Venue(UnavailableError("binance", "down")))
    assert writer.execute("select resolved_at, status from market.instrument").fetchall() == [(None, None)]


@pytest.mark.parametrize(
    "answer", [UnknownSymbolError("binance", "gone", -1121), Listing("BTC/USDT", "XBTUSDT", "BREAK", False)]
)
def test_a_market_that_ends_is_delisted_after_its_newest_candle_until_it_trades_again(
    writer: Connection, answer: Listing | Exception
) -> None:
    resolve(writer, Venue(LISTED))
    writer.execute(
        "insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, open, high, low, close,"
        " base_volume, source) select instrument_id, '1h', '2024-05-01T03:00Z', '2024-06-01T00:00Z', 1, 1, 1, 1, 1, 's'"
        " from market.instrument"
    )
    tomorrow = NOW + timedelta(days=1)
    status = UNLISTED if isinstance(answer, Exception) else "BREAK"
    ended = datetime(2024, 5, 1, 4, tzinfo=UTC)
    assert resolve(writer, Venue(answer), tomorrow) == ("XBTUSDT", FIRST, ended, status, tomorrow)
    later = tomorrow + timedelta(days=1)
    assert resolve(writer, Venue(LISTED), later) == ("XBTUSDT", FIRST, None, "TRADING", later)


def test_a_market_that_was_never_listed_is_kept_as_that(writer: Connection) -> None:
    venue = Venue(UnknownSymbolError("binance", "never", -1121))
    assert resolve(writer, venue) == ("BTCUSDT", SEED.listed_at, None, UNLISTED, NOW)


def test_a_venue_that_keeps_only_its_newest_candles_says_nothing_of_the_listing(writer: Connection) -> None:
    market = Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC))
    venue = Venue(Listing("BTC/USD", "XXBTZUSD", "online", True), first=NOW - timedelta(days=30))
    assert resolve(writer, venue, market=market)[1] == market.listed_at
