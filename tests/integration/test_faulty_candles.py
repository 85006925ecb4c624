"""Every venue's client under faults of data: what is doubled is harmless, what contradicts is refused, what is late
comes later, and no row is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from include.candles.model import Candle, RejectedRow
from include.replay.synthetic import SyntheticWorld
from include.venues.errors import NoDataError
from include.venues.http import RequestsTransport, Retry
from include.venues.registry import market_venue

Serve = Callable[..., AbstractContextManager[str]]
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = NOW.replace(second=0)
START = END - 600 * HOUR
MARKETS = {"binance": "BTCUSDT", "kraken": "XXBTZUSD", "coinbase": "BTC-USD"}


@pytest.fixture(scope="module")
def exchange(serve: Serve) -> Iterator[str]:
    with serve(SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC)), NOW) as url:
        yield url


@pytest.fixture(params=MARKETS)
def venue(request: pytest.FixtureRequest, exchange: str) -> Iterator[str]:
    yield request.param
    requests.delete(f"{exchange}/fault_plan", timeout=5)


def read(exchange: str, venue: str, **kinds: Any) -> tuple[list[Candle], list[RejectedRow]]:
    """What the client makes of the window under a fresh plan of these faults (none: of the plan in force)."""
    if kinds:
        wish = {"seed": 3, "hosts": {venue: kinds}}
        requests.post(f"{exchange}/fault_plan", json=wish, timeout=5).raise_for_status()
    client = market_venue(venue, RequestsTransport(f"{exchange}/{venue}"), Retry(2, sleep=lambda _: None))
    candles: list[Candle] = []
    rejected: list[RejectedRow] = []
    for page in client.candles(MARKETS[venue], "1h", START, END, NOW):
        candles += page.candles
        rejected += page.rejected
    return candles, rejected


def test_equal_duplicates_and_rows_out_of_order_change_nothing(exchange: str, venue: str) -> None:
    whole, rejected = read(exchange, venue)
    assert [candle.opened_at for candle in whole] == [START + n * HOUR for n in range(600)]
    assert rejected == []
    assert read(exchange, venue, duplicate=0.1, out_of_order=0.1) == (whole, [])
    done = requests.get(f"{exchange}/fault_plan", timeout=5).json()["hosts"][venue]["done"]
    assert min(done["duplicate"], done["out_of_order"]) > 20


def test_rows_that_contradict_each_other_are_refused_and_heal(exchange: str, venue: str) -> None:
    whole, _ = read(exchange, venue)
    torn, rejected = read(exchange, venue, contradicting={"share": 0.05, "answers": 1})
    assert set(torn) < set(whole)
    lost = {candle.opened_at for candle in whole} - {candle.opened_at for candle in torn}
    assert 10 < len(lost) < 60
    assert {row.opened_at for row in rejected} == lost
    assert len(rejected) >= 2 * len(lost)
    healed, rejected = read(exchange, venue)
    assert (healed, rejected) == (whole, [])


def test_missing_candles_are_absent_and_come_later(exchange: str, venue: str) -> None:
    whole, _ = read(exchange, venue)
    shown, rejected = read(exchange, venue, hole={"share": 0.1, "answers": 1})
    assert rejected == []
    assert set(shown) < set(whole)
    assert 30 < len(whole) - len(shown) < 100
    assert read(exchange, venue) == (whole, [])


def test_a_late_candle_is_absent_or_waited_for(exchange: str, venue: str) -> None:
    whole, _ = read(exchange, venue)
    late = {"seconds": 60}
    if venue == "kraken":  # whose answer tells up to where it is final
        with pytest.raises(NoDataError, match="not committed yet"):
            read(exchange, venue, late=late)
    else:
        assert read(exchange, venue, late=late) == (whole[:-1], [])
