"""Trades folded to candles, a thousand requests a month: what was stored before an end is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.candles.model import Candle
from include.clock import FixedClock
from include.collect.candles import collect_candles
from include.collect.page_sources import PageSources
from include.collect.sources import KRAKEN_TRADES
from include.config.markets import Market
from include.venues.errors import RateLimitedError
from include.venues.model import CandlePage, Listing
from include.warehouse.connection import Connection

HOUR = timedelta(hours=1)
START = datetime(2020, 3, 1, tzinfo=UTC)
NOW = datetime(2024, 3, 1, tzinfo=UTC)
BTC = Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC))
HOURS = 6


class Venue:
    def listing(self, symbol: str) -> Listing:
        return Listing(symbol, "XXBTZUSD", "online", True)


class Trades:
    """A candle an hour but for the second, a page each; `end` is raised in place of the page that opens at `until`."""

    def __init__(self, until: datetime | None = None, end: BaseException | None = None) -> None:
        self.until, self.end = until, end
        self.asked: list[tuple[int, int]] = []

    def __call__(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        self.asked.append(((start - START) // HOUR, (end - START) // HOUR))
        while start < end:
            if self.end and start == self.until:
                raise self.end
            one = Decimal(1)
            candles = [] if start == START + HOUR else [Candle(start, one, one, one, one, one)]
            yield CandlePage(
                candles, [], "synthetic", KRAKEN_TRADES, "r", f"{start:%Y%m%d%H}".ljust(64, "0"), start, start + HOUR
            )
            start += HOUR


def collect(connection: Connection, trades: Trades) -> int:
    venue: Any = Venue()
    sources = PageSources(venue, "kraken", {KRAKEN_TRADES: trades})
    return collect_candles(connection, sources, BTC, "1h", START, START + HOURS * HOUR, FixedClock(NOW)).new


@pytest.mark.parametrize(
    ("end", "pages"), [(RateLimitedError("kraken", "EAPI:Rate limit exceeded", 60), 4), (KeyboardInterrupt(), 3)]
)
def test_folding_goes_on_where_it_ended(writer: Connection, end: BaseException, pages: int) -> None:
    broken = Trades(START + 4 * HOUR, end)
    with pytest.raises(type(end)):
        collect(writer, broken)
    assert writer.execute("select count(*) from market.attestation").fetchone() == (pages,)
    resumed = Trades()
    collect(writer, resumed)
    assert resumed.asked == [(pages, HOURS)]
    again = Trades()
    assert collect(writer, again) == 0
    assert again.asked == []


def test_a_candle_that_was_deleted_is_folded_again(writer: Connection, owner: Connection) -> None:
    assert collect(writer, Trades()) == HOURS - 1
    owner.execute("delete from market.candle where opened_at = %s", (START + 3 * HOUR,))
    trades = Trades()
    assert collect(writer, trades) == 1
    assert trades.asked == [(3, 4)]
