"""Sending: each alert once, late but never lost, taken back when it was wrong, and none of another market."""

from __future__ import annotations

from datetime import datetime

import pytest
from psycopg import OperationalError

from include.transforms.notices import Notice, NoticeCounts, send_notices
from include.transforms.run import run_transforms
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from tests.integration.mart import BINANCE, COINBASE, HOUR, KRAKEN, START, candle, closes, market, put

FLAT = [100] * 24
FIRED = START + 25 * HOUR  # close of the hour that crosses
SOON = FIRED + HOUR / 3


def transform_and_send(connection: Connection, now: datetime) -> tuple[NoticeCounts, list[Notice]]:
    sent: list[Notice] = []
    run_transforms(connection, now)
    return send_notices(connection, now, sent.append), sent


def marks(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select venue, direction, notification, notified_at, retraction_notification, retraction_notified_at "
        "from mart.price_alert join market.instrument using (instrument_id) order by triggered_at, venue, crypto"
    ).fetchall()


def test_an_alert_is_sent_once(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, "106.50"]), SOON)
    counts, (notice,) = transform_and_send(writer, SOON)
    assert counts == NoticeCounts(1, 0, 0)
    assert notice.message == "BTC +6.50 % in 24 h, from 100 to 106.5 USDT (binance, 2024-01-02 01:00 UTC)"
    assert notice.as_dict()["change_percent"] == "6.5"
    assert marks(writer) == [("binance", "up", "sent", SOON, None, None)]
    assert transform_and_send(writer, SOON + HOUR) == (NoticeCounts(0, 0, 0), [])


def test_a_backfill_sends_nothing(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, *[106, 90] * 40]), FIRED + 2000 * HOUR)
    assert transform_and_send(writer, FIRED + 2000 * HOUR) == (NoticeCounts(0, 0, 0), [])
    assert {row[2] for row in marks(writer)} == {"historic"}


def test_a_notifier_that_fails_loses_nothing_however_long(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, 106]), SOON)
    put(writer, market("binance", "ETH/USDT"), closes([*FLAT, 93]), SOON)
    run_transforms(writer, SOON)

    def fails(notice: Notice) -> None:
        if notice.crypto == "ETH":
            raise ConnectionError("nobody answers")

    for _ in range(2):
        with pytest.raises(ConnectionError):
            send_notices(writer, SOON, fails)
    assert [row[2] for row in marks(writer)] == ["sent", None]
    counts, (notice,) = transform_and_send(writer, SOON + 500 * HOUR)
    assert (counts.alerts, notice.crypto, notice.direction) == (1, "ETH", "down")


def test_a_notice_that_is_refused_holds_up_no_other_and_is_tried_once_a_run(writer: Connection) -> None:
    put(writer, market("binance", "DOGE/USDT"), closes([*FLAT, 107]), SOON)
    put(writer, market("binance", "ETH/USDT"), closes([*FLAT, 93]), SOON)
    put(writer, BINANCE, closes([*FLAT, 100, 106]), SOON + HOUR)
    run_transforms(writer, SOON + HOUR)
    tried: list[str] = []

    def send(notice: Notice) -> None:
        tried.append(notice.crypto)
        if notice.crypto in ("DOGE", "ETH"):
            raise ValueError(f"{notice.crypto} is not to my taste")

    for _ in range(2):
        with pytest.raises(ValueError, match="DOGE is not to my taste") as raised:
            send_notices(writer, SOON + HOUR, send)
        assert raised.value.__notes__ == ["and ValueError('ETH is not to my taste')"]
    assert tried == ["DOGE", "ETH", "BTC", "DOGE", "ETH"]
    assert [row[2] for row in marks(writer)] == [None, None, "sent"]
    counts, (first, second) = transform_and_send(writer, SOON + 2 * HOUR)
    assert (counts.alerts, first.crypto, second.crypto) == (2, "DOGE", "ETH")


def test_trouble_with_the_warehouse_itself_ends_it_at_once(writer: Connection, warehouse: WarehouseDsns) -> None:
    put(writer, market("binance", "ETH/USDT"), closes([*FLAT, 93]), SOON)
    put(writer, BINANCE, closes([*FLAT, 106]), SOON)
    run_transforms(writer, SOON)
    tried: list[str] = []
    with connect(warehouse.writer) as dying:

        def send(notice: Notice) -> None:
            tried.append(notice.crypto)
            writer.execute("select pg_terminate_backend(%s)", (dying.info.backend_pid,))

        with pytest.raises(OperationalError):
            send_notices(dying, SOON, send)
    assert tried == ["ETH"]
    assert [row[2] for row in marks(writer)] == [None, None]


def test_what_was_sent_and_was_wrong_is_taken_back_and_sent_again_when_it_stands(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, 106]), SOON)
    transform_and_send(writer, SOON)
    put(writer, BINANCE, [candle(START + 24 * HOUR, 101)], SOON + HOUR)
    counts, (notice,) = transform_and_send(writer, SOON + HOUR)
    assert counts == NoticeCounts(0, 1, 0)
    assert notice.message.startswith("Taken back, the candles were corrected: BTC +6.00 %")
    assert transform_and_send(writer, SOON + HOUR) == (NoticeCounts(0, 0, 0), [])
    assert marks(writer) == [("binance", "up", "sent", SOON, "sent", SOON + HOUR)]
    put(writer, BINANCE, [candle(START + 24 * HOUR, 107)], SOON + 2 * HOUR)
    counts, (notice,) = transform_and_send(writer, SOON + 2 * HOUR)
    assert (counts.alerts, notice.kind, notice.price) == (1, "alert", 107)
    assert marks(writer) == [("binance", "up", "sent", SOON + 2 * HOUR, None, None)]
    history = writer.execute("select (history -> 0 ->> 'retraction_notified_at')::timestamptz from mart.price_alert")
    assert history.fetchall() == [(SOON + HOUR,)]


def test_what_was_never_sent_is_never_taken_back(writer: Connection) -> None:
    put(writer, BINANCE, closes([*FLAT, 106]), SOON)
    run_transforms(writer, SOON)
    put(writer, BINANCE, [candle(START + 24 * HOUR, 101)], SOON + HOUR)
    assert transform_and_send(writer, SOON + HOUR) == (NoticeCounts(0, 0, 0), [])
    put(writer, BINANCE, [candle(START + 24 * HOUR, 106)], SOON + 9 * HOUR)
    assert transform_and_send(writer, SOON + 9 * HOUR) == (NoticeCounts(0, 0, 0), [])
    assert marks(writer) == [("binance", "up", "historic", None, None, None)]


def test_one_market_speaks_for_a_coin(writer: Connection, reader: Connection) -> None:
    for where in (COINBASE, KRAKEN, BINANCE):
        put(writer, where, closes([*FLAT, 106]), SOON)
    counts, (notice,) = transform_and_send(writer, SOON)
    assert (counts, notice.venue) == (NoticeCounts(1, 0, 2), "binance")
    assert [row[:3] for row in marks(writer)] == [
        ("binance", "up", "sent"), ("coinbase", "up", "other_market"), ("kraken", "up", "other_market"),
    ]  # fmt: skip
    shown = reader.execute("select crypto, venue, notification from price_alerts").fetchall()
    assert shown == [("BTC", "binance", "sent")]


def test_nobody_is_told_or_shown_what_is_not_against_a_dollar(writer: Connection, reader: Connection) -> None:
    put(writer, market("binance", "ETH/BTC"), closes([*FLAT, 106]), SOON)
    assert transform_and_send(writer, SOON) == (NoticeCounts(0, 0, 1), [])
    assert reader.execute("select * from price_alerts").fetchall() == []
    assert reader.execute("select * from daily_rankings").fetchall() == []


def test_a_run_beside_this_one_passes_over_what_is_being_sent(writer: Connection, warehouse: WarehouseDsns) -> None:
    put(writer, BINANCE, closes([*FLAT, 106]), SOON)
    run_transforms(writer, SOON)
    beside: list[NoticeCounts] = []

    def send(notice: Notice) -> None:
        with connect(warehouse.writer) as other:
            beside.append(send_notices(other, SOON, lambda _: None))

    assert send_notices(writer, SOON, send) == NoticeCounts(1, 0, 0)
    assert beside == [NoticeCounts(0, 0, 0)]
