"""Candles in a real PostgreSQL: what is new or differs is written, and a repeat writes nothing at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.changes import pending_changes
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.staging import ContradictingRowsError, UpsertCounts
from include.warehouse.world import WorldMismatchError

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = datetime(2024, 3, 1, tzinfo=UTC)


def candle(hour: int, close: str = "101.50000000") -> Candle:
    """A sane candle `hour` hours after START."""
    return Candle(
        START + hour * HOUR,
        Decimal("100.10000000"),
        Decimal("110.00000000"),
        Decimal("90.00000001"),
        Decimal(close),
        Decimal("12.34567890"),
        Decimal("1234.50000000"),
        42,
        None,
        Decimal("6.00000000"),
        Decimal("600.00000000"),
    )


def put(
    connection: Connection, candles: Sequence[Candle], *, recorded_at: datetime = KNOWN, timeframe: str = "1h"
) -> UpsertCounts:
    """Upsert into the first configured market."""
    instrument_id = ensure_instrument(connection, MARKETS[0])
    return upsert_candles(
        connection, instrument_id, timeframe, candles, source="test", world="recorded", recorded_at=recorded_at
    )


def table(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("select * from market.candle order by instrument_id, timeframe, opened_at").fetchall()


def test_decimal_text_survives_exactly(writer: Connection) -> None:
    put(writer, [candle(0)])
    row = writer.execute("select low::text, close::text, base_volume::text, vwap from market.candle").fetchone()
    assert row == ("90.00000001", "101.50000000", "12.34567890", None)


def test_repeat_writes_nothing_at_all(writer: Connection) -> None:
    candles = [candle(hour) for hour in range(100)]
    assert put(writer, candles) == UpsertCounts(new=100)
    before = writer.execute("select xmin, ctid, recorded_at from market.candle order by opened_at").fetchall()
    assert put(writer, candles, recorded_at=KNOWN + HOUR) == UpsertCounts(unchanged=100)
    assert writer.execute("select xmin, ctid, recorded_at from market.candle order by opened_at").fetchall() == before
    assert writer.execute("select count(*) from market.candle_revision").fetchone() == (0,)
    assert len(pending_changes(writer, "anyone")) == 1
    writer.execute("select pg_stat_force_next_flush()")
    dead = writer.execute("select n_dead_tup, n_tup_ins from pg_stat_user_tables where relname = 'candle'").fetchone()
    assert dead == (0, 100)


def test_replaced_value_is_kept_with_both_times(writer: Connection) -> None:
    put(writer, [candle(0), candle(1), candle(2)])
    counts = put(writer, [candle(0), candle(1, "99.00000000"), candle(2)], recorded_at=KNOWN + HOUR)
    assert counts == UpsertCounts(changed=1, unchanged=2)
    kept = writer.execute("select opened_at, close, recorded_at, superseded_at from market.candle_revision").fetchall()
    assert kept == [(START + HOUR, Decimal("101.50000000"), KNOWN, KNOWN + HOUR)]
    now = writer.execute(
        "select close, recorded_at from market.candle where opened_at = %s", (START + HOUR,)
    ).fetchone()
    assert now == (Decimal("99.00000000"), KNOWN + HOUR)


def test_a_source_that_publishes_less_takes_nothing_away_whichever_comes_first(writer: Connection) -> None:
    full = [candle(hour)._replace(vwap=Decimal("101.2")) for hour in range(3)]
    bare = [each._replace(vwap=None, trade_count=None, quote_volume=None) for each in full]
    bare = [each._replace(taker_buy_base_volume=None, taker_buy_quote_volume=None) for each in bare]
    assert put(writer, full) == UpsertCounts(new=3)
    before = table(writer)
    assert put(writer, bare, recorded_at=KNOWN + HOUR) == UpsertCounts(unchanged=3)
    assert table(writer) == before
    values = "select open, vwap, trade_count, quote_volume from market.candle where timeframe = %s"
    hours = writer.execute(values, ("1h",)).fetchall()
    writer.execute("delete from market.candle")
    assert put(writer, bare) == UpsertCounts(new=3)
    assert put(writer, full, recorded_at=KNOWN + HOUR) == UpsertCounts(changed=3)
    assert writer.execute(values, ("1h",)).fetchall() == hours


@pytest.mark.parametrize("order", [("binance-rest", "binance-archive"), ("binance-archive", "binance-rest")])
def test_what_a_venue_publishes_as_final_stays_whichever_is_read_last(
    writer: Connection, order: tuple[str, str]
) -> None:
    said = {"binance-rest": candle(0), "binance-archive": candle(0)._replace(open=Decimal("100.5"))}
    instrument_id = ensure_instrument(writer, MARKETS[0])
    for hour, source in enumerate((*order, *order)):
        upsert_candles(
            writer,
            instrument_id,
            "1h",
            [said[source]],
            source=source,
            world="recorded",
            recorded_at=KNOWN + hour * HOUR,
        )
    stored = writer.execute("select open, source from market.candle").fetchall()
    assert stored == [(said["binance-archive"].open, "binance-archive")]
    assert writer.execute("select count(*) from market.candle_revision").fetchone() == (order.index("binance-archive"),)


def test_a_figure_of_other_prices_does_not_outlive_them(writer: Connection) -> None:
    put(writer, [candle(0)._replace(vwap=Decimal("101.2"))])
    revised = candle(0)._replace(close=Decimal("99.9"), vwap=None, trade_count=None)
    assert put(writer, [revised], recorded_at=KNOWN + HOUR) == UpsertCounts(changed=1)
    assert writer.execute("select close, vwap, trade_count from market.candle").fetchall() == [
        (Decimal("99.9"), None, None)
    ]


def test_two_replacements_at_one_time_are_both_kept(writer: Connection) -> None:
    for close in ("100.00000000", "99.00000000", "98.00000000"):
        put(writer, [candle(0, close)])
    kept = writer.execute("select close from market.candle_revision order by revision_id").fetchall()
    assert kept == [(Decimal("100"),), (Decimal("99"),)]


def test_written_rows_become_contiguous_ranges(writer: Connection) -> None:
    put(writer, [candle(hour) for hour in (5, 0, 1, 2, 9, 6)])
    ranges = [(change.timeframe, change.start, change.end) for change in pending_changes(writer, "features")]
    assert ranges == [
        ("1h", START, START + 3 * HOUR),
        ("1h", START + 5 * HOUR, START + 7 * HOUR),
        ("1h", START + 9 * HOUR, START + 10 * HOUR),
    ]
    put(writer, [candle(hour) for hour in (1, 2, 3)])
    assert [(c.start, c.end) for c in pending_changes(writer, "features") if c.start == START + 3 * HOUR] == [
        (START + 3 * HOUR, START + 4 * HOUR)
    ]


def test_equal_duplicates_are_merged_and_unequal_ones_refused(writer: Connection) -> None:
    assert put(writer, [candle(0), candle(0)]) == UpsertCounts(new=1)
    with pytest.raises(ContradictingRowsError, match="two different rows"):
        put(writer, [candle(1), candle(1, "99")])
    assert len(table(writer)) == 1


def test_order_and_overlap_of_windows_do_not_matter(writer: Connection) -> None:
    candles = [candle(hour) for hour in range(48)]
    put(writer, candles)
    whole = table(writer)
    writer.execute("delete from market.candle")
    for window in (candles[30:], candles[10:35], candles[:20], candles[5:40]):
        put(writer, window)
    assert table(writer) == whole


def test_one_transaction_takes_several_batches(writer: Connection) -> None:
    with writer.transaction():
        put(writer, [candle(0)])
        put(writer, [candle(1)])
        put(writer, [candle(0), candle(1)], timeframe="1h")
    assert len(table(writer)) == 2


def test_another_world_is_refused_and_writes_nothing(writer: Connection) -> None:
    put(writer, [candle(0)])
    instrument_id = ensure_instrument(writer, MARKETS[0])
    with pytest.raises(WorldMismatchError, match="holds the recorded world; live data"):
        upsert_candles(writer, instrument_id, "1h", [candle(1)], source="test", world="live", recorded_at=KNOWN)
    assert len(table(writer)) == 1


@pytest.mark.parametrize(
    ("spoilt", "constraint"),
    [
        ({"opened_at": START + timedelta(minutes=1)}, "candle_is_aligned"),
        ({"opened_at": KNOWN}, "candle_is_closed"),
        ({"high": Decimal("100")}, "candle_prices_are_sane"),
        ({"low": Decimal("0")}, "candle_prices_are_sane"),
        ({"high": Decimal("NaN")}, "candle_prices_are_sane"),
        ({"base_volume": Decimal("-1")}, "candle_volumes_are_sane"),
        ({"taker_buy_base_volume": Decimal("13")}, "candle_volumes_are_sane"),
        ({"quote_volume": Decimal("Infinity")}, "candle_volumes_are_sane"),
    ],
)
def test_insane_candle_takes_its_batch_with_it(writer: Connection, spoilt: dict[str, object], constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        put(writer, [candle(0), candle(1)._replace(**spoilt)])
    assert table(writer) == []
    assert pending_changes(writer, "features") == []


def test_daily_candles_are_aligned_to_the_utc_day(writer: Connection) -> None:
    assert put(writer, [candle(0), candle(24)], timeframe="1d") == UpsertCounts(new=2)
    assert [(c.start, c.end) for c in pending_changes(writer, "x")] == [(START, START + timedelta(days=2))]


def test_second_writer_waits_for_the_first_and_then_finds_nothing_to_do(
    warehouse: WarehouseDsns, writer: Connection, reader: Connection
) -> None:
    candles = [candle(hour) for hour in range(300)]
    put(writer, [candle(1000)])  # world and instrument are there: only the series itself is contended

    def second() -> UpsertCounts:
        with connect(warehouse.writer) as connection:
            return put(connection, candles)

    waiting = "select count(*) from pg_locks where locktype in ('advisory', 'transactionid') and not granted"
    with ThreadPoolExecutor(1) as threads:
        with writer.transaction():
            assert put(writer, candles) == UpsertCounts(new=300)
            result = threads.submit(second)
            while reader.execute(waiting).fetchone() == (0,):
                assert not result.done()
                time.sleep(0.01)
        assert result.result() == UpsertCounts(unchanged=300)
    assert len(table(reader)) == 301
    assert len(pending_changes(reader, "features")) == 2


def test_ohlcv_view_names_market_and_world(writer: Connection, reader: Connection) -> None:
    put(writer, [candle(0)])
    row = reader.execute("select venue, symbol, timeframe, opened_at, close, volume, world from ohlcv").fetchone()
    assert row == ("binance", "BTC/USDT", "1h", START, Decimal("101.5"), Decimal("12.3456789"), "recorded")
