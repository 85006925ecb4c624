"""Cleaning rules: what each flags and leaves alone, and that nothing later than a candle has a say in its flags."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from include.candles.model import Candle
from include.config.transforms import OFF_MARKET_PERCENT, USUAL_WITHIN_BARS
from include.transforms.run import run_transforms
from include.warehouse.connection import Connection
from tests.integration.mart import BINANCE, COINBASE, DAY, HOUR, KNOWN, KRAKEN, START, candle, closes, market, put, walk


def flags(connection: Connection, rule: str | None = None) -> list[tuple[Any, ...]]:
    """Venue, hours since START and evidence of each flag."""
    run_transforms(connection, KNOWN)
    found = connection.execute(
        "select venue, opened_at, evidence from public.candle_flags "
        "where rule = coalesce(%s, rule) order by 1, 2, rule",
        (rule,),
    )
    return [(venue, (opened_at - START) / HOUR, evidence) for venue, opened_at, evidence in found]


def test_sound_candles_have_no_flags(writer: Connection) -> None:
    put(writer, BINANCE, walk(600))
    assert flags(writer) == []


def test_a_figure_that_was_usual_until_just_now_is_missed(writer: Connection) -> None:
    usual = [candle(START + place * HOUR, 100 + place) for place in range(3)]
    bare = [candle(START + place * HOUR, 100 + place, quote_volume=None, trade_count=None) for place in range(3, 40)]
    put(writer, BINANCE, [*usual, *bare])
    put(writer, COINBASE, [candle(START + place * HOUR, 100 + place, quote_volume=None) for place in range(40)])
    found = flags(writer, "null_figure")
    assert [(venue, hour) for venue, hour, _ in found] == [("binance", 3 + bars) for bars in range(USUAL_WITHIN_BARS)]
    assert found[0][2] == {"figures": ["quote_volume", "trade_count"]}
    put(writer, BINANCE, [candle(START + 10 * HOUR, 110, trade_count=None)])
    found = flags(writer, "null_figure")
    assert {hour: evidence["figures"] for _, hour, evidence in found}[10] == ["trade_count"]
    assert [hour for _, hour, _ in found] == list(range(3, 35)), "hour 10 has a volume that 24 hours after it miss"


def test_a_stuck_feed_repeats_every_figure(writer: Connection) -> None:
    same = {"open": 99, "base_volume": 5, "quote_volume": 500}
    put(
        writer,
        BINANCE,
        [
            candle(START, 100, **same),
            candle(START + HOUR, "100.00", **same),
            candle(START + 2 * HOUR, 100, **{**same, "base_volume": 6}),
            candle(START + 4 * HOUR, 100, **{**same, "base_volume": 6}),  # not the step after
            candle(START + 5 * HOUR, 100, base_volume=0, quote_volume=0),
            candle(START + 6 * HOUR, 100, base_volume=0, quote_volume=0),  # nobody traded: the price stands still
        ],
    )
    assert flags(writer, "repeated") == [("binance", 1, {"base_volume": 5})]


# Figures of one candle among those that stand at 100, and the evidence against it.
SPIKES: list[tuple[dict[str, Any], dict[str, float] | None]] = [
    ({"high": 201}, {"wick_ratio": 2.01}),
    ({"high": 200}, None),
    ({"low": "49.9"}, {"wick_ratio": 2.004}),
    ({"low": 50}, None),
    ({"close": "150.1"}, {"jump_ratio": 1.501}),
    ({"close": 150}, None),
    ({"close": 66}, {"jump_ratio": 0.66}),
    ({"close": 67}, None),
]


def test_a_spike_is_flagged_and_the_way_back_is_not(writer: Connection) -> None:
    for place, (spike, _) in enumerate(SPIKES):
        figures = {"close": 100, "open": 100, **spike}
        spiked = candle(START + 10 * HOUR, figures.pop("close"), **figures)
        around = [each for each in closes([100] * 20) if each.opened_at != spiked.opened_at]
        put(writer, market("binance", f"C{place}/USDT"), [*around, spiked])
    run_transforms(writer, KNOWN)
    found = writer.execute("select symbol, opened_at, evidence from candle_flags where rule = 'price_spike' order by 1")
    assert found.fetchall() == [
        (f"C{place}/USDT", START + 10 * HOUR, evidence) for place, (_, evidence) in enumerate(SPIKES) if evidence
    ]


def test_a_price_that_stays_is_a_spike_once_and_a_jump_after_a_hole_is_none(writer: Connection) -> None:
    put(writer, BINANCE, closes([100] * 5 + [160] * 5))
    assert [hour for _, hour, _ in flags(writer, "price_spike")] == [5]
    put(writer, KRAKEN, [*closes([100] * 5), *closes([160] * 5, START + 6 * HOUR)])
    assert [(venue, hour) for venue, hour, _ in flags(writer, "price_spike")] == [("binance", 5)]


def test_a_day_may_move_further_than_an_hour(writer: Connection) -> None:
    days = [candle(START + place * DAY, 100 if place < 3 else 250) for place in range(6)]
    put(writer, BINANCE, days, timeframe="1d")
    assert flags(writer, "price_spike") == []
    put(writer, BINANCE, [days[3]._replace(high=Decimal(310), close=Decimal(310))], timeframe="1d")
    assert [hour for _, hour, _ in flags(writer, "price_spike")] == [72]


def test_a_market_far_from_two_others_is_named(writer: Connection) -> None:
    far = 100 * (1 + OFF_MARKET_PERCENT / 100) + Decimal("0.6")
    put(writer, BINANCE, closes([100, 100, far]))
    put(writer, KRAKEN, closes([100, far, 101]))
    assert flags(writer, "off_market") == [], "of two nobody knows which is wrong"
    put(writer, COINBASE, closes([100, 100, 100]))
    (first, second) = flags(writer, "off_market")
    assert (first[:2], second[:2]) == (("binance", 2), ("kraken", 1))
    assert (first[2]["median"], first[2]["venues"]) == (100.5, 2)
    assert first[2]["deviation_percent"] == float(round((far - Decimal("100.5")) / Decimal("1.005"), 4))
    put(writer, market("kraken", "BTC/EUR"), closes([60, 60, 60]))
    put(writer, market("bitstamp", "BTC/USDT"), closes([100, 100, 100]))
    assert [each[:2] for each in flags(writer, "off_market")] == [("binance", 2), ("kraken", 1)], "euros are no dollars"


def test_other_venues_that_arrive_late_flag_and_unflag(writer: Connection) -> None:
    put(writer, BINANCE, closes([130, 100]))
    put(writer, KRAKEN, closes([100, 100]))
    assert flags(writer, "off_market") == []
    put(writer, COINBASE, closes([100, 100]))
    assert [each[:2] for each in flags(writer, "off_market")] == [("binance", 0)]
    put(writer, BINANCE, closes([101]))
    assert flags(writer, "off_market") == []


def test_what_comes_later_changes_no_flag(writer: Connection, owner: Connection) -> None:
    """Candles after each of some hours are replaced by wild ones: flags up to the hour stay as they were."""
    drawn = random.Random(11)

    def wild(rows: list[Candle]) -> list[Candle]:
        spoilt = []
        for each in rows:
            factor = Decimal(str(drawn.choice([1, 1, 1, "1.4", "0.5", "2.5"])))
            price = each.close * factor
            spoilt.append(
                each._replace(
                    close=price, high=max(each.high, price), low=min(each.low, price),
                    quote_volume=drawn.choice([None, each.quote_volume]),
                )
            )  # fmt: skip
        return spoilt

    venues = {where: wild(walk(200, seed)) for seed, where in enumerate((BINANCE, KRAKEN, COINBASE))}
    for where, candles in venues.items():
        put(writer, where, candles)
    before = flags(writer)
    assert {rule for (rule,) in writer.execute("select distinct rule from mart.candle_flag")} >= {
        "null_figure", "off_market", "price_spike",
    }  # fmt: skip
    for place in (40, 90, 150):
        cut = START + place * HOUR
        for where, candles in venues.items():
            put(writer, where, wild([each for each in candles if each.opened_at > cut]), KNOWN + timedelta(hours=place))
        after = flags(writer)
        assert [each for each in after if each[1] <= place] == [each for each in before if each[1] <= place]
        assert after != before
        for where, candles in venues.items():
            put(writer, where, candles)
        assert flags(writer) == before
