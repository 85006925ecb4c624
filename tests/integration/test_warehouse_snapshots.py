"""Tickers, coin snapshots, Fear & Greed and quarantine in a real PostgreSQL: repeats write nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from include.candles.model import RejectedRow
from include.config.markets import MARKETS
from include.venues.model import CoinSnapshot, FearGreed, Ticker
from include.warehouse.changes import pending_changes
from include.warehouse.coin_snapshots import upsert_coin_snapshots
from include.warehouse.connection import Connection
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.staging import ContradictingRowsError, UpsertCounts
from include.warehouse.tickers import upsert_tickers
from include.warehouse.world import WorldMismatchError

AT = datetime(2024, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST: dict[str, Any] = {"source": "test", "world": "synthetic", "recorded_at": AT}
LATER: dict[str, Any] = {**FIRST, "recorded_at": AT + HOUR}

TICKER = Ticker("BTCUSDT", AT, Decimal("42000.10"), bid=Decimal("42000.00"), trade_count_24h=7)
COIN = CoinSnapshot("bitcoin", AT, Decimal("42000.1"), market_cap_usd=Decimal("8.2e11"), rank=1)


def day(number: int, value: int = 50) -> FearGreed:
    """The index of a day of January 2024."""
    return FearGreed(date(2024, 1, number), value, "Neutral", datetime(2024, 1, number, 0, 15, tzinfo=UTC))


def test_ticker_repeat_writes_nothing_and_a_missing_figure_erases_none(writer: Connection, reader: Connection) -> None:
    ids = {"BTCUSDT": ensure_instrument(writer, MARKETS[0])}
    assert upsert_tickers(writer, [TICKER], ids, **FIRST) == UpsertCounts(new=1)
    first = writer.execute("select xmin, recorded_at from market.ticker").fetchall()
    assert upsert_tickers(writer, [TICKER], ids, **LATER) == UpsertCounts(unchanged=1)
    assert upsert_tickers(writer, [TICKER._replace(bid=None)], ids, **LATER) == UpsertCounts(unchanged=1)
    assert writer.execute("select xmin, recorded_at from market.ticker").fetchall() == first
    filled = TICKER._replace(bid=None, ask=Decimal("42001"))
    assert upsert_tickers(writer, [filled], ids, **LATER) == UpsertCounts(changed=1)
    row = reader.execute("select symbol, observed_at, last, bid, ask, trade_count_24h, world from ticker_snapshots")
    assert row.fetchall() == [
        ("BTC/USDT", AT, Decimal("42000.10"), Decimal("42000.00"), Decimal("42001"), 7, "synthetic")
    ]


def test_ticker_of_an_unknown_symbol_is_refused(writer: Connection) -> None:
    with pytest.raises(KeyError, match="BTCUSDT"):
        upsert_tickers(writer, [TICKER], {}, **FIRST)


def test_coin_snapshot_repeat_writes_nothing(writer: Connection) -> None:
    later = COIN._replace(observed_at=AT + HOUR)
    assert upsert_coin_snapshots(writer, [later, COIN, COIN], **FIRST) == UpsertCounts(new=2)
    first = writer.execute("select xmin, * from market.coin_snapshot").fetchall()
    assert upsert_coin_snapshots(writer, [COIN, later], **LATER) == UpsertCounts(unchanged=2)
    assert writer.execute("select xmin, * from market.coin_snapshot").fetchall() == first
    assert upsert_coin_snapshots(writer, [COIN._replace(rank=2)], **LATER) == UpsertCounts(changed=1)


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity"])
def test_insane_coin_price_is_refused(writer: Connection, price: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        upsert_coin_snapshots(writer, [COIN._replace(price_usd=Decimal(price))], **FIRST)


def test_contradicting_snapshots_are_refused(writer: Connection) -> None:
    with pytest.raises(ContradictingRowsError):
        upsert_coin_snapshots(writer, [COIN, COIN._replace(rank=2)], **FIRST)


def test_fear_greed_repeat_writes_nothing_and_ranges_are_days(writer: Connection, reader: Connection) -> None:
    days = [day(1), day(2), day(4)]
    assert upsert_fear_greed(writer, days, **FIRST) == UpsertCounts(new=3)
    assert upsert_fear_greed(writer, days, **LATER) == UpsertCounts(unchanged=3)
    changes = pending_changes(writer, "features", "fear_greed")
    assert [(c.instrument_id, c.timeframe, c.start, c.end) for c in changes] == [
        (None, None, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)),
        (None, None, datetime(2024, 1, 4, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC)),
    ]
    assert pending_changes(writer, "features") == []
    row = reader.execute('select "timestamp", value, classification, world from fear_greed_index order by 1').fetchone()
    assert row == (datetime(2024, 1, 1, tzinfo=UTC), 50, "Neutral", "synthetic")


def test_fear_greed_replaced_value_is_kept(writer: Connection) -> None:
    upsert_fear_greed(writer, [day(1), day(2)], **FIRST)
    assert upsert_fear_greed(writer, [day(1), day(2, 51)], **LATER) == UpsertCounts(changed=1, unchanged=1)
    kept = writer.execute("select day, value, recorded_at, superseded_at from market.fear_greed_revision").fetchall()
    assert kept == [(date(2024, 1, 2), 50, AT, AT + HOUR)]


def test_fear_greed_outside_its_scale_is_refused(writer: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        upsert_fear_greed(writer, [day(1, 101)], **FIRST)


def test_rejected_row_is_kept_once_with_its_text(writer: Connection) -> None:
    instrument_id = ensure_instrument(writer, MARKETS[0])
    rejected = [RejectedRow("high below low", "[1, 2, '\x00']", AT), RejectedRow("not a row", "ünreadable")]
    about: dict[str, Any] = {"request": "http://venue/klines?x=1", "instrument_id": instrument_id, "timeframe": "1h"}
    assert quarantine_rows(writer, [*rejected, rejected[0]], **FIRST, **about) == 2
    assert quarantine_rows(writer, rejected, **LATER, **about) == 0
    rows = writer.execute("select reason, raw, opened_at, recorded_at, request from market.quarantine order by reason")
    assert rows.fetchall() == [
        ("high below low", "[1, 2, '\\u0000']", AT, AT, "http://venue/klines?x=1"),
        ("not a row", "ünreadable", None, AT, "http://venue/klines?x=1"),
    ]
    assert quarantine_rows(writer, [rejected[1]._replace(reason="too short")], **LATER, **about) == 1


def test_every_upsert_refuses_another_world(writer: Connection) -> None:
    upsert_fear_greed(writer, [day(1)], **FIRST)
    live: dict[str, Any] = {**FIRST, "world": "live"}
    ids = {"BTCUSDT": ensure_instrument(writer, MARKETS[0])}
    with pytest.raises(WorldMismatchError):
        upsert_fear_greed(writer, [day(2)], **live)
    with pytest.raises(WorldMismatchError):
        upsert_tickers(writer, [TICKER], ids, **live)
    with pytest.raises(WorldMismatchError):
        upsert_coin_snapshots(writer, [COIN], **live)
    with pytest.raises(WorldMismatchError):
        quarantine_rows(writer, [RejectedRow("r", "raw")], request="u", **live)
    counts = "select (select count(*) from market.ticker) + (select count(*) from market.coin_snapshot)"
    assert writer.execute(counts + " + (select count(*) from market.quarantine)").fetchone() == (0,)


def test_nothing_given_claims_no_world(writer: Connection) -> None:
    assert upsert_fear_greed(writer, [], **FIRST) == UpsertCounts()
    assert upsert_coin_snapshots(writer, [], **FIRST) == UpsertCounts()
    assert quarantine_rows(writer, [], request="u", **FIRST) == 0
    assert writer.execute("select count(*) from ops.world").fetchone() == (0,)
