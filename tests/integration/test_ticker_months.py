"""market.ticker by month: rows of before move over, who loads makes partitions but drops none without proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from include.warehouse.archive import archive_month, drop_ticker_month, restore_month
from include.warehouse.archive_file import TICKER, ArchiveError, content_sha256
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import migrate
from tests.integration.archived import BTC, ETH, JANUARY, NOW, START, put_tickers, table_hashes, tickers
from tests.integration.conftest import Before

HOURLY = timedelta(hours=1)
PARTITIONS = """
    select c.relname::text from pg_inherits as i inner join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'market.ticker'::regclass order by 1
"""


def partitions(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute(PARTITIONS)]


def described(connection: Connection) -> list[Sequence[object]]:
    """Columns, constraints, grants and views of the table."""
    queries = (
        "select column_name::text, data_type::text, is_nullable::text from information_schema.columns "
        "where table_schema = 'market' and table_name = 'ticker' order by ordinal_position",
        "select conname::text, contype::text, pg_get_constraintdef(oid) from pg_constraint "
        "where conrelid = 'market.ticker'::regclass order by 1",
        "select grantee::text, privilege_type::text from information_schema.role_table_grants "
        "where table_schema = 'market' and table_name = 'ticker' order by 1, 2",
        "select pg_get_viewdef('public.ticker_snapshots'::regclass)",
    )
    return [row for query in queries for row in connection.execute(query).fetchall()]


def test_rows_of_before_move_over_and_everything_about_them_stays(warehouse_before: Before) -> None:
    """The migrations up to the one before, rows, then the rest."""
    warehouse = warehouse_before("0019")
    with connect(warehouse.owner) as owner:
        owner.execute("grant select on market.ticker to pg_monitor")
        instrument_id = owner.execute(
            "insert into market.instrument (venue, symbol, venue_symbol, listed_at) "
            "values ('binance', 'BTC/USDT', 'BTCUSDT', '2017-08-17') returning instrument_id"
        ).fetchone()
        with owner.cursor() as cursor, cursor.copy("copy market.ticker from stdin") as copy:
            for each in tickers(65 * 24, HOURLY):
                copy.write_row((*(instrument_id or ()), each.observed_at, NOW, *each[2:], "before"))
        rows, about = table_hashes(owner), described(owner)
        assert rows["market.ticker"][0] == 65 * 24

        applied = migrate(owner)
        assert applied[0] == "0019_ticker_months.sql"
        assert table_hashes(owner) == rows
        assert described(owner) == about
        assert partitions(owner) == ["ticker_2023_01", "ticker_2023_02", "ticker_2023_03"]
        with connect(warehouse.writer) as writer:
            assert put_tickers(writer, BTC, tickers(2, HOURLY, START - HOURLY)) == (instrument_id or ())[0]
            assert partitions(writer)[0] == "ticker_2022_12"
            assert writer.execute("select count(*) from ticker_snapshots").fetchone() == (65 * 24 + 2,)


def test_several_first_writers_of_a_month_make_one_partition(warehouse: WarehouseDsns, writer: Connection) -> None:
    put_tickers(writer, BTC, [])

    def write(number: int) -> None:
        with connect(warehouse.writer) as connection:
            put_tickers(connection, BTC, tickers(3, HOURLY, START + timedelta(days=28, minutes=number)))
            put_tickers(connection, BTC, tickers(3, HOURLY, START + timedelta(days=33, minutes=number)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert partitions(writer) == ["ticker_2023_01", "ticker_2023_02"]
    assert writer.execute("select count(*) from market.ticker").fetchone() == (24,)


def test_a_month_is_made_ahead_by_its_first_day_only(writer: Connection, reader: Connection) -> None:
    add = "select market.add_ticker_month(%s)"
    assert writer.execute(add, (date(2030, 12, 1),)).fetchone() == (True,)
    assert writer.execute(add, (date(2030, 12, 1),)).fetchone() == (False,)
    assert partitions(writer) == ["ticker_2030_12"]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="first day"):
        writer.execute(add, (date(2030, 12, 2),))
    put_tickers(writer, BTC, tickers(1, HOURLY))  # of the 1st: nothing after the 15th would need a proof
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="first day"):
        writer.execute("select market.drop_ticker_month(%s, now())", (date(2023, 1, 15),))
    assert writer.execute("select count(*) from market.ticker").fetchone() == (1,)
    reader.execute("set default_transaction_read_only to off")
    for forbidden in (add, "select market.drop_ticker_month(%s, now())"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(forbidden, (date(2030, 12, 1),))


def test_who_loads_drops_nothing_that_no_manifest_proves(writer: Connection, owner: Connection, tmp_path: Path) -> None:
    instrument_id = put_tickers(writer, BTC, tickers(40, HOURLY))
    drop = "select market.drop_ticker_month(%s, now())"
    for forbidden in (
        "drop table market.ticker_2023_01",
        "alter table market.ticker detach partition market.ticker_2023_01",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(forbidden)
    with pytest.raises(
        psycopg.errors.IntegrityConstraintViolation, match=f"2023-01 stay.* of instruments {instrument_id}"
    ):
        writer.execute(drop, (JANUARY,))
    archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    # The database compares by itself, each figure, the source and the knowledge time included.
    for column, value in (("bid", "1.5"), ("ask", "1"), ("source", "'other'"), ("recorded_at", "recorded_at + '1us'")):
        owner.execute("begin")
        owner.execute(f"update market.ticker set {column} = {value} where observed_at = %s", (START,))
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            owner.execute(drop, (JANUARY,))
        owner.execute("rollback")
    put_tickers(writer, ETH, tickers(1, HOURLY))
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        writer.execute(drop, (JANUARY,))
    with pytest.raises(ArchiveError, match="has not been archived"):
        drop_ticker_month(writer, tmp_path, JANUARY, NOW)
    assert writer.execute("select count(*) from market.ticker").fetchone() == (41,)


def test_the_database_hashes_a_month_as_its_file_is_hashed(writer: Connection) -> None:
    put_tickers(writer, BTC, tickers(700, HOURLY))
    rows = writer.execute(f"select {', '.join(TICKER.columns)} from market.ticker order by observed_at").fetchall()
    found = writer.execute(
        "select row_count, content_sha256 from market.ticker_month_hashes(%s)", (JANUARY,)
    ).fetchall()
    assert found == [(700, content_sha256(rows, TICKER))]


def test_a_table_in_use_is_not_waited_for(
    writer: Connection, owner: Connection, reader: Connection, tmp_path: Path
) -> None:
    instrument_id = put_tickers(writer, BTC, tickers(40, HOURLY))
    archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    owner.execute("alter function market.drop_ticker_month set lock_timeout = '100ms'")
    with reader.transaction():
        reader.execute("select count(*) from ticker_snapshots")
        with pytest.raises(ArchiveError, match="the table is in use; try again"):
            drop_ticker_month(writer, tmp_path, JANUARY, NOW)
        assert reader.execute("select count(*) from ticker_snapshots").fetchone() == (40,)
    assert drop_ticker_month(writer, tmp_path, JANUARY, NOW) == 40
    assert drop_ticker_month(writer, tmp_path, JANUARY, NOW) == 0


def test_who_writes_wins_where_each_waits_for_the_other(
    writer: Connection, owner: Connection, warehouse: WarehouseDsns, tmp_path: Path
) -> None:
    """A writer who has the table but not yet the month, which is held by whoever drops it and waits for the table."""
    instrument_id = put_tickers(writer, BTC, tickers(40, HOURLY))
    archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    waiting = "select count(*) from pg_locks where not granted and relation = 'market.ticker'::regclass"
    with connect(warehouse.writer) as other, ThreadPoolExecutor(1) as threads:
        with other.transaction():
            other.execute("lock table only market.ticker in row exclusive mode")
            dropping = threads.submit(drop_ticker_month, writer, tmp_path, JANUARY, NOW)
            while owner.execute(waiting).fetchone() == (0,) and not dropping.done():
                time.sleep(0.01)
            put = "insert into market.ticker (instrument_id, observed_at, recorded_at, last, source) "
            other.execute(put + "values (%s, '2023-01-31', now(), 1, 'first')", (instrument_id,))
        with pytest.raises(ArchiveError, match="the table is in use; try again"):
            dropping.result(timeout=20)
    assert writer.execute("select count(*) from market.ticker").fetchone() == (41,)


def test_other_tickers_that_came_back_are_never_overwritten(writer: Connection, tmp_path: Path) -> None:
    instrument_id = put_tickers(writer, BTC, tickers(40, HOURLY))
    archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    drop_ticker_month(writer, tmp_path, JANUARY, NOW)
    put_tickers(writer, BTC, tickers(2, HOURLY), source="another")
    with pytest.raises(ArchiveError, match="restore it first"):
        archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    with pytest.raises(ArchiveError, match="the table holds 2 of these rows with other values; nothing was restored"):
        restore_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    writer.execute("delete from market.ticker")
    assert restore_month(writer, tmp_path, instrument_id, None, JANUARY, NOW) == 40
