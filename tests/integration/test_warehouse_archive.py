"""The archive against a real PostgreSQL: verified before it counts, dropped only when proven, restored as it was."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.warehouse.archive import (
    MonthNotClosedError,
    NothingToArchiveError,
    archive_month,
    drop_archived_month,
    restore_month,
)
from include.warehouse.archive_file import ArchiveError, decode
from include.warehouse.archive_manifest import manifest_of
from include.warehouse.archive_run import archive_all
from include.warehouse.archive_series import series_months
from include.warehouse.candles import upsert_candles
from include.warehouse.changes import acknowledge, pending_changes
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
KNOWN = datetime(2024, 3, 15, tzinfo=UTC)
NOW = datetime(2024, 4, 1, tzinfo=UTC)
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
FOLDER = "candle/venue=binance/symbol=BTC-USDT/timeframe=1h/month=2024-01"


def candle(hour: int, close: str = "101.50000000") -> Candle:
    low, high, volume = Decimal("90.00000001"), Decimal("110.00000000"), Decimal("12345678901234567890.12345678")
    return Candle(START + hour * HOUR, Decimal("100.10000000"), high, low, Decimal(close), volume, None, 42)


def put(connection: Connection, hours: range, close: str = "101.50000000", market: int = 0) -> int:
    """Candles of one configured market; its instrument_id."""
    instrument_id = ensure_instrument(connection, MARKETS[market])
    candles = [candle(hour, close) for hour in hours]
    upsert_candles(connection, instrument_id, "1h", candles, source="first", world="recorded", recorded_at=KNOWN)
    return instrument_id


@pytest.fixture
def instrument_id(writer: Connection) -> int:
    """An instrument with all of January and the first hours of February 2024."""
    return put(writer, range(31 * 24 + 5))


def everything(connection: Connection) -> list[tuple[object, ...]]:
    """Exact text of all candles, provenance included."""
    query = "select c::text from market.candle as c order by instrument_id, timeframe, opened_at"
    return connection.execute(query).fetchall()


def test_archive_drop_restore_ends_in_the_same_rows(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    before = everything(writer)
    manifest = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert (manifest.row_count, manifest.first_at) == (744, START)
    assert manifest.path == f"{FOLDER}/candles.parquet"
    assert drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW) == 744
    assert everything(writer) == before[744:]
    dropped = manifest_of(writer, instrument_id, "1h", JANUARY)
    assert dropped is not None
    assert dropped.dropped_at == NOW
    assert drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW + HOUR) == 0
    assert manifest_of(writer, instrument_id, "1h", JANUARY) == dropped
    assert restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW) == 744
    assert everything(writer) == before
    assert manifest_of(writer, instrument_id, "1h", JANUARY) == manifest
    assert restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW) == 0
    assert writer.execute("select count(*) from market.candle_revision").fetchone() == (0,)


def test_airflows_object_storage_is_a_store_too(
    writer: Connection, tmp_path: Path, instrument_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    from airflow.sdk import ObjectStoragePath

    before = everything(writer)
    store = ObjectStoragePath(f"file://{tmp_path}/archive")
    for _ in range(2):  # the second time over the first one's file
        path = archive_month(writer, store, instrument_id, "1h", JANUARY, NOW).path
        assert drop_archived_month(writer, store, instrument_id, "1h", JANUARY, NOW) == 744
        assert restore_month(writer, store, instrument_id, "1h", JANUARY, NOW) == 744
        assert everything(writer) == before
        damage(tmp_path / "archive" / path)
    names = sorted(path.name for path in (tmp_path / "archive" / FOLDER).iterdir())
    assert names == ["candles.parquet", "manifest.json"]


def test_file_is_exact_parquet_with_a_manifest_beside_it(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    manifest = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    table = pq.read_table(tmp_path / manifest.path, partitioning=None)
    assert str(table.schema.field("low").type) == "decimal128(38, 8)"
    assert str(table["base_volume"][0].as_py()) == "12345678901234567890.12345678"
    assert table["vwap"].null_count == 744
    assert table.schema.metadata[b"symbol"] == b"BTC/USDT"
    beside = json.loads((tmp_path / FOLDER / "manifest.json").read_text())
    assert beside["row_count"] == 744
    assert beside["file_sha256"] == hashlib.sha256((tmp_path / manifest.path).read_bytes()).hexdigest()
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["candles.parquet", "manifest.json"]


def test_open_month_is_refused(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    last_moment = datetime(2024, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)
    with pytest.raises(MonthNotClosedError, match="2024-02 is not closed"):
        archive_month(writer, tmp_path, instrument_id, "1h", FEBRUARY, last_moment)
    assert (
        archive_month(writer, tmp_path, instrument_id, "1h", FEBRUARY, datetime(2024, 3, 1, tzinfo=UTC)).row_count == 5
    )


def test_empty_month_and_odd_days_are_refused(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    with pytest.raises(NothingToArchiveError):
        archive_month(writer, tmp_path, instrument_id, "1h", date(2023, 12, 1), NOW)
    with pytest.raises(ValueError, match="first day"):
        archive_month(writer, tmp_path, instrument_id, "1h", date(2024, 1, 2), NOW)


def test_repeat_leaves_the_file_and_a_revision_renews_it(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    first = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    written = (tmp_path / first.path).stat().st_mtime_ns
    assert archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW + HOUR) == first
    assert (tmp_path / first.path).stat().st_mtime_ns == written
    put(writer, range(1), close="99.00000000")
    second = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW + HOUR)
    assert second.content_sha256 != first.content_sha256
    assert second.archived_at == NOW + HOUR


def test_damaged_file_is_written_anew_while_the_table_has_the_month(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    first = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    damage(tmp_path / first.path)
    again = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert again.content_sha256 == first.content_sha256
    assert drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW) == 744


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_nothing_is_dropped_without_proof(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    before = everything(writer)
    with pytest.raises(ArchiveError, match="has not been archived"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    path = tmp_path / archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).path
    intact = path.read_bytes()
    damage(path)
    with pytest.raises(ArchiveError, match="is not the file that was archived"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    path.unlink()
    with pytest.raises(ArchiveError, match="missing"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    path.write_bytes(intact)
    put(writer, range(7, 8), close="99.00000000")
    with pytest.raises(ArchiveError, match="stays in the table: the archive has"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    put(writer, range(7, 8))
    writer.execute("delete from market.candle where opened_at = %s", (START + 8 * HOUR,))
    with pytest.raises(ArchiveError, match="stays in the table"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    put(writer, range(8, 9))
    assert [row[0] for row in everything(writer)] == [row[0] for row in before]


def test_what_does_not_read_back_equal_does_not_count(
    writer: Connection, tmp_path: Path, instrument_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.warehouse.archive.decode", lambda *given: decode(*given)[:-1])
    with pytest.raises(ArchiveError, match="743 candles, the table 744"):
        archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert manifest_of(writer, instrument_id, "1h", JANUARY) is None
    assert not (tmp_path / FOLDER / "candles.parquet").exists()


def test_dropped_month_that_comes_back_differently_is_not_overwritten(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    put(writer, range(2, 3), close="99.00000000")
    with pytest.raises(ArchiveError, match="restore it first"):
        archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW) == 743
    kept = writer.execute("select opened_at, close, source from market.candle_revision").fetchall()
    assert kept == [(START + 2 * HOUR, Decimal("101.5"), "first")]
    assert archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).row_count == 744


def test_dropped_month_backfilled_again_with_equal_values_is_the_archived_one(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    first = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    candles = [candle(hour) for hour in range(744)]
    upsert_candles(writer, instrument_id, "1h", candles, source="later", world="recorded", recorded_at=NOW)
    assert archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).archived_at == first.archived_at
    assert drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW + HOUR) == 744


def test_series_months_lie_wholly_in_the_window(writer: Connection, instrument_id: int) -> None:
    found = series_months(writer, START, datetime(2024, 3, 1, tzinfo=UTC))
    assert [(each.symbol, each.timeframe, each.month, each.row_count) for each in found] == [
        ("BTC/USDT", "1h", JANUARY, 744),
        ("BTC/USDT", "1h", FEBRUARY, 5),
    ]
    assert [each.month for each in series_months(writer, START + HOUR, datetime(2024, 3, 1, tzinfo=UTC))] == [FEBRUARY]
    assert series_months(writer, START, datetime(2024, 1, 31, tzinfo=UTC)) == []


def test_archive_all_says_first_and_acts_when_told(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    put(writer, range(3), market=1)
    before = everything(writer)
    said = archive_all(writer, tmp_path, JANUARY, NOW)
    assert [str(each) for each in said] == [
        "binance:BTC/USDT 1h 2024-01: 744 candles would be archived",
        "binance:ETH/USDT 1h 2024-01: 3 candles would be archived",
    ]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MonthNotClosedError):
        archive_all(writer, tmp_path, date(2024, 4, 1), NOW)
    done = archive_all(writer, tmp_path, JANUARY, NOW, dry_run=False)
    assert [(each.rows, each.dropped_rows) for each in done] == [(744, 0), (3, 0)]
    assert everything(writer) == before
    done = archive_all(writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True)
    assert [each.dropped_rows for each in done] == [744, 3]
    assert done[1].as_dict()["market"] == "binance:ETH/USDT"
    assert archive_all(writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True) == []


def test_a_month_that_is_still_needed_stays_in_the_table(
    writer: Connection, tmp_path: Path, instrument_id: int
) -> None:
    (kept,) = archive_all(
        writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True, needed_for=lambda _: timedelta(days=61)
    )
    assert (kept.rows, kept.dropped_rows) == (744, 0)
    (dropped,) = archive_all(
        writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True, needed_for=lambda _: timedelta(days=60)
    )
    assert dropped.dropped_rows == 744


def test_a_restored_month_is_news_for_its_consumers(writer: Connection, tmp_path: Path, instrument_id: int) -> None:
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    acknowledge(writer, "features", pending_changes(writer, "features"))
    restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    (change,) = pending_changes(writer, "features")
    assert (change.start, change.end) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert pending_changes(writer, "features") == [change]
