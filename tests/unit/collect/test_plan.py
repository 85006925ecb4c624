"""Which markets a window can hold anything of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.collect.plan import BeforeListingError, markets_by_venue, markets_to_collect
from include.config.markets import MARKETS, VENUES, UnknownMarketError

KEYS = [market.key for market in MARKETS]
FIRST, LAST = min(m.listed_at for m in MARKETS), max(m.listed_at for m in MARKETS)


def test_markets_listed_before_the_windows_end_are_left_in() -> None:
    assert markets_to_collect(KEYS, LAST - timedelta(days=30), LAST + timedelta(hours=1)) == KEYS
    early = markets_to_collect(KEYS, FIRST, LAST)
    assert early == [market.key for market in MARKETS if market.listed_at < LAST]
    assert len(early) < len(KEYS)


def test_a_window_before_every_listing_names_the_dates() -> None:
    with pytest.raises(BeforeListingError, match="binance:BNB/USDT since 2017-11-06 03:00"):
        markets_to_collect(KEYS, datetime(2010, 1, 1, tzinfo=UTC), FIRST)


def test_each_venue_has_its_own_list_of_them() -> None:
    given = markets_by_venue(["kraken:ETH/USD", KEYS[0]], LAST, LAST + timedelta(days=1))
    assert given == {venue: [] for venue in VENUES} | {"kraken": ["kraken:ETH/USD"], "binance": [KEYS[0]]}


def test_a_market_that_is_not_configured_is_refused() -> None:
    with pytest.raises(UnknownMarketError, match="DOGE/USDT"):
        markets_to_collect([KEYS[0], "binance:DOGE/USDT"], FIRST, LAST)
