"""Price alerts: hysteresis case by case, a recorded year against an oracle in plain Python, and late data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from include.candles.model import Candle
from include.config.transforms import ALERT_AGAIN_BELOW_PERCENT, ALERT_PERCENT, ALERT_WINDOW, NOTIFY_WITHIN
from include.transforms import coin, run
from include.transforms.model import AlertCounts
from include.transforms.run import run_transforms
from include.warehouse.connection import Connection
from tests.integration.mart import BINANCE, HOUR, KNOWN, START, candle, closes, market, physical, put, recorded, walk

FLAT = [100] * 24
COINS = ("BTC", "ETH", "BNB", "XRP")
YEAR = datetime(2021, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)
Alert = tuple[str, datetime, Decimal]


def oracle(prices: dict[datetime, Decimal], flagged: set[datetime]) -> list[Alert]:
    """What the definition says, candle by candle: direction, close time and exact price of each alert."""
    beyond = {"up": False, "down": False}
    found: list[Alert] = []
    for at in sorted(prices):
        before = prices.get(at - ALERT_WINDOW)
        if before is None or {at, at - ALERT_WINDOW} & flagged:
            continue
        change = (Fraction(prices[at]) / Fraction(before) - 1) * 100
        for direction, strength in (("up", change), ("down", -change)):
            if strength >= Fraction(ALERT_PERCENT):
                if not beyond[direction]:
                    found.append((direction, at + HOUR, prices[at]))
                beyond[direction] = True
            elif strength < Fraction(ALERT_AGAIN_BELOW_PERCENT):
                beyond[direction] = False
    return sorted(found)


def truth(connection: Connection, instrument_id: int) -> list[Alert]:
    """The oracle's answer to what the warehouse holds now."""
    prices = dict(
        connection.execute(
            "select opened_at, close from market.candle where instrument_id = %s and timeframe = '1h'", (instrument_id,)
        ).fetchall()
    )
    flagged = connection.execute(
        "select opened_at from mart.candle_flag "
        "where instrument_id = %s and timeframe = '1h' and rule <> 'null_figure'",
        (instrument_id,),
    )
    return oracle(prices, {at for (at,) in flagged})


def standing(connection: Connection, instrument_id: int) -> list[Alert]:
    rows = connection.execute(
        "select direction, triggered_at, price from mart.price_alert where instrument_id = %s and retracted_at is null",
        (instrument_id,),
    )
    return sorted(rows.fetchall())


def alerts(connection: Connection, recorded_at: datetime = KNOWN) -> list[tuple[str, float]]:
    """Direction and hours since START of the alerts that stand."""
    run_transforms(connection, recorded_at)
    rows = connection.execute(
        "select direction, triggered_at from mart.price_alert where retracted_at is null order by 2, 1"
    )
    return [(direction, (at - START) / HOUR) for direction, at in rows]


# Prices by the hour, and the first alerts they make: direction, hours since START.
CASES: list[tuple[Sequence[object], list[tuple[str, int]]]] = [
    ([*FLAT, 105], [("up", 25)]),
    ([*FLAT, "104.999999"], []),
    ([*FLAT, 95], [("down", 25)]),
    ([*FLAT, 106, 107, 120], [("up", 25)]),
    ([*FLAT, 106, "104.5", 106], [("up", 25)]),  # in between it neither fires nor is back
    ([*FLAT, 106, 104, 106], [("up", 25)]),
    ([*FLAT, 106, "103.99", 106], [("up", 25), ("up", 27)]),
    ([*FLAT, 106, 94, 106], [("up", 25), ("down", 26), ("up", 27)]),
    ([*FLAT, 106, *[100] * 22, 106, 100, 100, 94], [("up", 25), ("up", 48), ("down", 49), ("down", 51)]),
]


def test_one_alert_per_crossing(writer: Connection) -> None:
    for place, (prices, _) in enumerate(CASES):
        put(writer, market("binance", f"C{place}/USDT"), closes(prices))
    run_transforms(writer, KNOWN)
    for place, (prices, expected) in enumerate(CASES):
        instrument_id = put(writer, market("binance", f"C{place}/USDT"), [])
        found = standing(writer, instrument_id)
        by_time = sorted((at, direction) for direction, at, _ in found)
        assert [(direction, (at - START) / HOUR) for at, direction in by_time] == expected, prices[24:]
        assert found == truth(writer, instrument_id)


def test_an_alert_says_what_moved(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, "105.10"]))
    run_transforms(writer, KNOWN)
    row = writer.execute(
        "select crypto, direction, change_percent::text, price::text, price_before::text, threshold_percent::text, "
        "change_window, known_at, notification, retracted_at, history from mart.price_alert"
    ).fetchall()
    assert row == [
        ("BTC", "up", "5.1", "105.1", "100", "5", timedelta(hours=24), KNOWN, "historic", None, []),
    ]  # fmt: skip


def test_an_undefined_change_says_nothing(writer: Connection) -> None:
    """Neither a missing candle nor a flagged one fires, and neither is a way back."""
    candles = closes([*FLAT, 106, 100, 106, 106, 106])
    put(writer, BINANCE, [each for each in candles if each.opened_at != START + 25 * HOUR])
    assert alerts(writer) == [("up", 25)]
    put(writer, BINANCE, [candle(START + 25 * HOUR, 100, high=900, quote_volume=None)])
    assert alerts(writer) == [("up", 25)], "it is there, and flagged"
    assert writer.execute("select rule from mart.candle_flag").fetchall() == [("price_spike",)]
    put(writer, BINANCE, [candle(START + 25 * HOUR, 100, quote_volume=None)])
    assert alerts(writer) == [("up", 25), ("up", 27)]


def test_late_data_takes_back_and_what_is_true_again_stands_again(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, 100, 106, 106]))
    assert alerts(writer) == [("up", 26)]
    put(writer, BINANCE, [candle(START + 24 * HOUR, 105)], KNOWN + HOUR)
    assert alerts(writer, KNOWN + HOUR) == [("up", 25)]
    put(writer, BINANCE, [candle(START + 24 * HOUR, 100)], KNOWN + 2 * HOUR)
    assert alerts(writer, KNOWN + 2 * HOUR) == [("up", 26)]
    rows = writer.execute(
        "select known_at, retracted_at, retracted_because, jsonb_array_length(history), "
        "history -> 0 ->> 'retracted_because', (history -> 0 ->> 'known_at')::timestamptz, "
        "(history -> 0 ->> 'retracted_at')::timestamptz, (history -> 0 ->> 'until')::timestamptz "
        "from mart.price_alert order by triggered_at"
    ).fetchall()
    assert rows == [
        (KNOWN + HOUR, KNOWN + 2 * HOUR, "candles", 0, None, None, None, None),
        (KNOWN + 2 * HOUR, None, None, 1, "candles", KNOWN, KNOWN + HOUR, KNOWN + 2 * HOUR),
    ]


def test_other_figures_of_the_same_alert_are_brought_in_line(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, 106]))
    alerts(writer)
    put(writer, BINANCE, [candle(START + 24 * HOUR, 107)], KNOWN + HOUR)
    assert run_transforms(writer, KNOWN + HOUR).price_alert == AlertCounts(corrected=1)
    row = writer.execute(
        "select price, known_at, retracted_at, history -> 0 ->> 'price' from mart.price_alert"
    ).fetchall()
    assert row == [(107, KNOWN + HOUR, None, "106")]


def test_rows_are_never_deleted_by_the_role_that_loads(writer: Connection) -> None:
    assert writer.execute("select has_table_privilege('mart.price_alert', 'delete')").fetchone() == (False,)


def test_other_thresholds_make_other_alerts_and_nobody_is_told(
    writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, BINANCE, closes([*FLAT, 106, 100, 110]))
    assert alerts(writer) == [("up", 25), ("up", 27)]
    writer.execute("update mart.price_alert set notification = 'sent', notified_at = %s", (KNOWN,))
    monkeypatch.setattr(run, "definition_sha256", lambda: "other")
    monkeypatch.setattr(coin, "ALERT_PERCENT", Decimal(8))
    assert alerts(writer, KNOWN + HOUR) == [("up", 27)]
    row = writer.execute(
        "select retracted_because, retraction_notification from mart.price_alert where retracted_at is not null"
    ).fetchall()
    assert row == [("definition", "definition")]
    assert writer.execute(
        "select threshold_percent, notification, history -> 0 ->> 'threshold_percent' from mart.price_alert "
        "where retracted_at is null"
    ).fetchall() == [(8, "sent", "5")]


@pytest.mark.parametrize(("late", "notification"), [(NOTIFY_WITHIN, None), (NOTIFY_WITHIN + HOUR, "historic")])
def test_what_becomes_known_too_late_is_not_for_sending(
    writer: Connection, late: timedelta, notification: str | None
) -> None:
    known = START + 25 * HOUR + late
    put(writer, BINANCE, closes([*FLAT, 106]), known)
    run_transforms(writer, known)
    assert writer.execute("select notification from mart.price_alert").fetchall() == [(notification,)]


@pytest.fixture
def year(market_data_dir: Path) -> dict[str, list[Candle]]:
    """The recorded hours of 2021 of four coins, the venue's outages and all."""
    return {name: recorded(market_data_dir, f"{name}USDT", *YEAR) for name in COINS}


def test_a_recorded_year_has_exactly_the_oracles_alerts(writer: Connection, year: dict[str, list[Candle]]) -> None:
    """Loaded month by month in random order, with a run after each: none is missed, none doubled."""
    drawn = random.Random(4)
    ids = {name: put(writer, market("binance", f"{name}/USDT"), []) for name in COINS}
    months = [(name, month) for name in COINS for month in range(1, 13)]
    drawn.shuffle(months)
    for place, (name, month) in enumerate(months):
        candles = [each for each in year[name] if each.opened_at.month == month]
        put(writer, market("binance", f"{name}/USDT"), candles)
        if place % 8 == 0:
            run_transforms(writer, KNOWN)
            assert standing(writer, ids[name]) == truth(writer, ids[name])
    run_transforms(writer, KNOWN)
    for name in COINS:
        expected = oracle({each.opened_at: each.close for each in year[name]}, set())
        assert len(expected) > 100, "the year has something to tell"
        assert standing(writer, ids[name]) == expected, name
        assert truth(writer, ids[name]) == expected, "no recorded candle is flagged for its price"
    before = physical(writer)
    writer.execute("delete from ops.change_receipt")
    run_transforms(writer, KNOWN + HOUR)
    assert physical(writer) == before


def test_late_and_revised_candles_end_in_the_same_alerts(writer: Connection, year: dict[str, list[Candle]]) -> None:
    drawn = random.Random(9)
    candles = year["ETH"][: 24 * 150]
    late = {each.opened_at for each in drawn.sample(candles, 150)}
    for start in drawn.sample(range(len(candles) - 80), 5):
        late |= {each.opened_at for each in candles[start : start + drawn.randrange(10, 80)]}

    def wrong(each: Candle) -> Candle:
        price = each.close * Decimal(str(drawn.choice([0.9, 0.97, 1.02, 1.06, 1.6])))
        return each._replace(close=price, high=max(each.high, price), low=min(each.low, price))

    where = market("binance", "ETH/USDT")
    stages = [
        [each for each in candles if each.opened_at not in late],
        [wrong(each) for each in drawn.sample(candles, 100)],
        *[[each for each in candles if each.opened_at in chosen] for chosen in _parts(sorted(late), 2, drawn)],
        candles,
    ]
    for place, stage in enumerate(stages):
        known = KNOWN + place * HOUR
        instrument_id = put(writer, where, stage, known)
        done = run_transforms(writer, known)
        assert standing(writer, instrument_id) == truth(writer, instrument_id), f"stage {place}"
        assert place == 0 or done.price_alert.retracted > 0
    assert standing(writer, instrument_id) == oracle({each.opened_at: each.close for each in candles}, set())
    assert done.price_alert.reinstated > 0


def _parts(items: list[datetime], number: int, drawn: random.Random) -> list[set[datetime]]:
    parts: list[set[datetime]] = [set() for _ in range(number)]
    for item in items:
        drawn.choice(parts).add(item)
    return parts


def test_hour_by_hour_is_the_same_history(writer: Connection) -> None:
    candles = walk(24 * 12, seed=3, step_share=0.02)
    instrument_id = put(writer, BINANCE, candles[:210])
    run_transforms(writer, KNOWN)
    for each in candles[210:]:
        put(writer, BINANCE, [each])
        counts: Any = run_transforms(writer, KNOWN).price_alert
        assert counts[1:] == (0, 0, 0), "what is put down in order needs no correction"
    assert standing(writer, instrument_id) == truth(writer, instrument_id)
    assert len(standing(writer, instrument_id)) > 5
