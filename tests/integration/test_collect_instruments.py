"""Listings: asked once a day, kept with name and span, and followed when a venue renames, halts or forgets a market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.candles.model import Candle
from include.candles.timeframes import step
from include.collect.instruments import UNLISTED, resolve_instrument
from include.config.markets import Market
from include.venues.errors import NoDataError, OutOfReachError, UnavailableError, UnknownSymbolError
from include.venues.model import CandlePage, Listing, MarketVenue
from include.warehouse.connection import Connection

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SEED = Market("binance", "BTC/USDT", "BTCUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC))
FIRST = datetime(2018, 1, 1, tzinfo=UTC)


class Venue:
    """A venue as far as its listing goes: an answer, or the error it raises. last: open time of its newest day."""

    def __init__(self, answer: Listing | Exception, first: datetime = FIRST, last: datetime | None = None) -> None:
        self.answer, self.first, self.last, self.asked = answer, first, last, 0

    def listing(self, symbol: str) -> Listing:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        return self.first

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        if self.last is None:
            raise OutOfReachError("binance", "nothing as old as that")
        one = Decimal(1)
        held = [Candle(self.last, one, one, one, one, one)] if self.last >= start else []
        yield CandlePage(held, [], "synthetic", "s", "r", "0" * 64, start, self.last + step(timeframe))
        raise NoDataError("binance", "no day after that")


LISTED = Listing("BTC/USDT", "XBTUSDT", "TRADING", True)


def resolve(connection: Connection, venue: Venue, at: datetime = NOW, market: Market = SEED) -> tuple[object, ...]:
    checked: MarketVenue = venue  # type: ignore[assignment]
    return tuple(resolve_instrument(connection, checked, market, at))[1:]


def test_the_venue_overrules_the_configuration_and_is_asked_once_a_day(writer: Connection) -> None:
    venue = Venue(LISTED)
    assert resolve(writer, venue) == ("XBTUSDT", FIRST, None, "TRADING", NOW, True)
    assert resolve(writer, venue, NOW + timedelta(hours=23)) == ("XBTUSDT", FIRST, None, "TRADING", NOW, True)
    assert venue.asked == 1
    resolve(writer, venue, NOW + timedelta(days=1))
    assert venue.asked == 2


def test_a_venue_that_does_not_answer_changes_nothing(writer: Connection) -> None:
    with pytest.raises(UnavailableError):
        resolve(writer, Venue(UnavailableError("binance", "down")))
    assert writer.execute("select resolved_at, status from market.instrument").fetchall() == [(None, None)]


def hold(connection: Connection, opened_at: str) -> None:
    connection.execute(
        "insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, open, high, low, close,"
        " base_volume, source) select instrument_id, '1h', %s, '2024-07-01T00:00Z', 1, 1, 1, 1, 1, 's'"
        " from market.instrument",
        (opened_at,),
    )


@pytest.mark.parametrize(
    "answer", [UnknownSymbolError("binance", "gone", -1121), Listing("BTC/USDT", "XBTUSDT", "BREAK", False)]
)
def test_a_market_that_ends_is_delisted_after_its_newest_candle_until_it_trades_again(
    writer: Connection, answer: Listing | Exception
) -> None:
    resolve(writer, Venue(LISTED))
    hold(writer, "2024-05-01T03:00Z")
    tomorrow = NOW + timedelta(days=1)
    status = UNLISTED if isinstance(answer, Exception) else "BREAK"
    ended = datetime(2024, 5, 1, 4, tzinfo=UTC)
    assert resolve(writer, Venue(answer), tomorrow) == ("XBTUSDT", FIRST, ended, status, tomorrow, False)
    later = tomorrow + timedelta(days=1)
    assert resolve(writer, Venue(LISTED), later) == ("XBTUSDT", FIRST, None, "TRADING", later, True)


HALTED = Listing("BTC/USDT", "XBTUSDT", "BREAK", False)


def test_a_market_ends_where_the_venues_candles_end_not_where_ours_do(writer: Connection) -> None:
    resolve(writer, Venue(LISTED))
    hold(writer, "2024-03-01T03:00Z")  # a backfill of a delisted market that is not done yet
    venue = Venue(HALTED, last=datetime(2024, 5, 20, tzinfo=UTC))
    tomorrow = NOW + timedelta(days=1)
    assert resolve(writer, venue, tomorrow)[2] == datetime(2024, 5, 21, tzinfo=UTC)
    later = tomorrow + timedelta(days=1)
    assert resolve(writer, Venue(HALTED), later)[2] == datetime(2024, 5, 21, tzinfo=UTC), "it is not asked again"


def test_a_market_that_was_forgotten_and_is_listed_again_ends_where_the_venue_says(writer: Connection) -> None:
    resolve(writer, Venue(LISTED))
    hold(writer, "2024-03-01T03:00Z")
    tomorrow = NOW + timedelta(days=1)
    resolve(writer, Venue(UnknownSymbolError("binance", "gone", -1121)), tomorrow)
    venue = Venue(HALTED, last=datetime(2024, 5, 20, tzinfo=UTC))
    assert resolve(writer, venue, tomorrow + timedelta(hours=1))[2] == datetime(2024, 5, 21, tzinfo=UTC)


def test_a_halt_is_no_delisting_and_is_asked_about_every_hour(writer: Connection) -> None:
    resolve(writer, Venue(LISTED))
    hold(writer, (NOW + timedelta(hours=9)).isoformat())
    halted = Venue(HALTED, last=datetime(2024, 5, 31, tzinfo=UTC))
    at = NOW + timedelta(days=1)
    assert resolve(writer, halted, at) == ("XBTUSDT", FIRST, None, "BREAK", at, False)
    at += timedelta(hours=1)
    assert resolve(writer, Venue(LISTED), at) == ("XBTUSDT", FIRST, None, "TRADING", at, True)


def test_a_market_that_was_never_listed_is_kept_as_that(writer: Connection) -> None:
    venue = Venue(UnknownSymbolError("binance", "never", -1121))
    assert resolve(writer, venue) == ("BTCUSDT", SEED.listed_at, None, UNLISTED, NOW, False)


def test_a_venue_that_keeps_only_its_newest_candles_says_nothing_of_the_listing(writer: Connection) -> None:
    market = Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC))
    venue = Venue(Listing("BTC/USD", "XXBTZUSD", "online", True), first=NOW - timedelta(days=30))
    assert resolve(writer, venue, market=market)[1] == market.listed_at
