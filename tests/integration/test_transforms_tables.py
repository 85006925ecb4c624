"""Hourly prices, daily volumes and daily rankings, figure by figure."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from include.config.markets import Market
from include.transforms.run import run_transforms
from include.warehouse.connection import Connection
from tests.integration.mart import (
    BINANCE,
    COINBASE,
    DAY,
    HOUR,
    KNOWN,
    KRAKEN,
    START,
    candle,
    closes,
    market,
    put,
    rows,
)

FIRST, SECOND, THIRD = (START.date() + place * DAY for place in range(3))


def prices(connection: Connection) -> list[tuple[Any, ...]]:
    """Quote, hours since START, and the figures of each hour."""
    run_transforms(connection, KNOWN)
    return [
        (quote, (hour_at - START) / HOUR, *figures) for _, quote, hour_at, *figures in rows(connection, "hourly_price")
    ]


def test_each_venue_counts_alike_by_the_best_mean_it_has(writer: Connection) -> None:
    put(writer, KRAKEN, [candle(START, 110, open=90, vwap="104.5")])
    put(writer, COINBASE, [candle(START, 110, open=90, high=120, low=80, quote_volume=None)])
    put(writer, BINANCE, [candle(START, 110, open=90, quote_volume="1031", base_volume=10)])
    assert prices(writer) == [
        ("USD", 0, "102.25", "80", "120", 2, 0, "mixed"),  # (104.5 + (90 + 120 + 80 + 110) / 4) / 2
        ("USDT", 0, "103.1", "90", "110", 1, 0, "volume"),
    ]


@pytest.mark.parametrize(
    "figures",
    [
        {"vwap": 111},
        {"vwap": 0, "base_volume": 0, "quote_volume": 0},
        {"quote_volume": 1101},
        {"quote_volume": 899},
    ],
)
def test_a_mean_outside_the_candle_is_not_believed(writer: Connection, figures: dict[str, Any]) -> None:
    put(writer, KRAKEN, [candle(START, 110, open=90, **{"quote_volume": None, **figures})])
    assert prices(writer) == [("USD", 0, "100", "90", "110", 1, 0, "ohlc")]


def test_a_mean_is_rounded_and_stays_within_its_prices(writer: Connection) -> None:
    put(
        writer,
        KRAKEN,
        [candle(START, "1.1", vwap="1.1"), candle(START + HOUR, "0.0000000000015", vwap="0.0000000000015")],
    )
    put(writer, COINBASE, [candle(START, 1, vwap=1)])
    put(writer, market("bitstamp", "BTC/USD"), [candle(START, 1, vwap=1)])
    first, second = prices(writer)
    assert first[2] == "1.033333333333"
    assert second[2:5] == ("0.0000000000015",) * 3


def test_a_candle_flagged_for_its_price_is_left_out_and_counted(writer: Connection) -> None:
    put(writer, KRAKEN, [candle(START, 100, vwap=100), candle(START + HOUR, 101, high=300)])
    put(writer, COINBASE, [candle(START, 102, high=500), candle(START + HOUR, 103, high=300)])
    assert prices(writer) == [
        ("USD", 0, "100", "100", "100", 1, 1, "vwap"),
        ("USD", 1, None, None, None, 0, 2, None),
    ]


def test_a_days_volume_adds_up_what_is_published(writer: Connection) -> None:
    put(writer, KRAKEN, [candle(START + hour * HOUR, 100 + hour, base_volume="1.50") for hour in range(3)])
    put(writer, COINBASE, [candle(START + hour * HOUR, 100, base_volume=2 + hour, quote_volume=None, trade_count=None)
                           for hour in (0, 5)])  # fmt: skip
    put(writer, BINANCE, [candle(START + DAY, 100)])
    run_transforms(writer, KNOWN)
    assert rows(writer, "daily_volume") == [
        (FIRST, "BTC", "USD", "13.5", "3030", 21, 4, 2, 5, 3, 3, 0),
        (SECOND, "BTC", "USDT", "10", "1000", 7, 1, 1, 1, 1, 1, 0),
    ]


def test_a_repeated_candle_is_no_second_volume(writer: Connection) -> None:
    put(writer, BINANCE, [candle(START + hour * HOUR, 100) for hour in range(4)])
    run_transforms(writer, KNOWN)
    assert rows(writer, "daily_volume") == [(FIRST, "BTC", "USDT", "10", "1000", 7, 4, 1, 1, 1, 1, 3)]


def days(connection: Connection, where: Market, *ends: object) -> None:
    """Candles at the last hour of days from START on, None for a day without it but with one at noon."""
    found = [
        candle(START + place * DAY + 23 * HOUR, price) if price else candle(START + place * DAY + 12 * HOUR, 1)
        for place, price in enumerate(ends)
    ]
    put(connection, where, found)


def ranking(connection: Connection) -> dict[tuple[date, str], tuple[Any, ...]]:
    """Rank, performance, reason, size of the universe and the speaking market of each day and coin."""
    run_transforms(connection, KNOWN)
    found = connection.execute(
        "select day, crypto, rank, change_percent, reason, universe_size, venue, symbol from public.daily_rankings"
    )
    return {(day, crypto): tuple(rest) for day, crypto, *rest in found}


def coin(name: str, listed_at: datetime = START - 300 * DAY, venue: str = "binance", quote: str = "USDT") -> Market:
    return market(venue, f"{name}/{quote}", listed_at)


def test_coins_are_ranked_by_the_days_performance_and_ties_share(writer: Connection) -> None:
    for name, end in (("AAA", 110), ("BBB", 95), ("CCC", "109.99999999"), ("DDD", 220), ("EEE", 110)):
        days(writer, coin(name), 200 if name == "DDD" else 100, end)
    found = ranking(writer)
    assert {name: found[SECOND, name][:2] for name in ("AAA", "BBB", "CCC", "DDD", "EEE")} == {
        "AAA": (1, 10), "DDD": (1, 10), "EEE": (1, 10), "CCC": (1, 10), "BBB": (5, -5),
    }  # fmt: skip
    assert {found[FIRST, name][2] for name in ("AAA", "BBB")} == {"no_close_before"}


def test_a_coin_without_two_sound_closes_has_a_reason_and_no_rank(writer: Connection) -> None:
    days(writer, coin("AAA"), 100, 101, 102)
    days(writer, coin("BBB"), 100, None, 102)
    days(writer, coin("CCC"), 100, 100, 103)
    put(writer, coin("CCC"), [candle(START + DAY + 23 * HOUR, 100, high=900)])
    found = ranking(writer)
    assert {key[1]: value[:4] for key, value in found.items() if key[0] == SECOND} == {
        "AAA": (1, 1, None, 3), "BBB": (None, None, "no_close", 3), "CCC": (None, None, "flagged_close", 3),
    }  # fmt: skip
    assert found[THIRD, "BBB"][2] == "no_close_before"
    assert found[THIRD, "CCC"][2] == "flagged_close_before"


def test_the_universe_is_of_its_day(writer: Connection, owner: Connection) -> None:
    """What was delisted since is ranked on the days it was there; what came later is not on earlier ones."""
    days(writer, coin("OLD"), 100, 150, 120)
    days(writer, coin("NEW", START + DAY + 5 * HOUR), None, 100, 101)
    days(writer, coin("ODD", quote="EUR"), 100, 100, 100)
    assert (FIRST, "NEW") not in ranking(writer)
    owner.execute("update market.instrument set delisted_at = %s where base = 'OLD'", (START + 2 * DAY,))
    found = ranking(writer)
    assert found[SECOND, "OLD"][:4] == (1, 50, None, 2)
    assert found[SECOND, "NEW"][:4] == (None, None, "no_close_before", 2)
    assert found[THIRD, "NEW"][:4] == (1, 1, None, 1)
    assert sorted(found) == [(FIRST, "OLD"), (SECOND, "NEW"), (SECOND, "OLD"), (THIRD, "NEW")]


def test_the_preferred_market_speaks_while_it_has_candles(writer: Connection) -> None:
    days(writer, coin("AAA", venue="coinbase", quote="USD"), 100, 102, 103, 104)
    days(writer, coin("AAA", venue="kraken", quote="USD"), 100, 101, 101, 101)
    days(writer, coin("AAA", venue="binance", quote="USDC"), None, None, None, 200)
    days(writer, coin("AAA", START + DAY, quote="USDT"), None, 100)
    found = [ranking(writer)[START.date() + place * DAY, "AAA"][2:] for place in range(4)]
    assert found == [
        ("no_close", 1, "binance", "AAA/USDC"),
        ("no_close_before", 1, "binance", "AAA/USDT"),
        ("no_close", 1, "binance", "AAA/USDT"),  # silent for a day: a gap, not another market
        ("no_close_before", 1, "binance", "AAA/USDC"),
    ]


def test_a_venue_that_is_no_longer_collected_does_not_silence_a_coin(writer: Connection) -> None:
    days(writer, BINANCE, 100, 101)
    days(writer, KRAKEN, 100, 101, 102, 103)
    found = ranking(writer)
    assert found[SECOND, "BTC"][4] == "binance"
    assert found[START.date() + 3 * DAY, "BTC"][:2] == (1, Decimal("0.980392"))
    assert found[START.date() + 3 * DAY, "BTC"][4] == "kraken"


def test_the_public_views_name_the_world(writer: Connection, reader: Connection) -> None:
    put(writer, BINANCE, [*closes(range(100, 130)), candle(START + 40 * HOUR, 100, high=900)])
    run_transforms(writer, KNOWN)
    for view in ("hourly_prices", "daily_volumes", "daily_rankings", "price_alerts", "candle_flags"):
        assert reader.execute(f"select distinct world from {view}").fetchall() == [("recorded",)], view
