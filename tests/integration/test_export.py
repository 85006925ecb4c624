"""Public views as CSV files against a real PostgreSQL: every view, every figure, nothing half-written."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from include.clock import FixedClock
from include.warehouse import export, export_command
from include.warehouse.archive_file import ArchiveError
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from include.warehouse.export import export_view
from include.warehouse.views import VIEWS
from tests.integration.archived import BTC, ETH, NOW, START, put_candles, put_tickers, simple_candles, tickers


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_every_view_is_exported_by_its_key(writer: Connection, tmp_path: Path) -> None:
    for view, key in VIEWS.items():
        exported = export_view(writer, tmp_path, view, NOW, start=START)
        assert (exported.rows, exported.path) == (0, f"export/{view}_20230101T0000_open.csv")
        assert set(key) < set((tmp_path / exported.path).read_text().rstrip().split(","))


def test_the_views_of_the_database_are_these(reader: Connection) -> None:
    rows = reader.execute("select table_name::text from information_schema.views where table_schema = 'public'")
    # A state without a time, and a filling of gaps that is a consumer's own choice.
    assert {row[0] for row in rows} - set(VIEWS) == {"forecast_status", "ohlcv_filled"}


def test_rows_of_a_window_in_order_with_exact_figures(writer: Connection, tmp_path: Path) -> None:
    for market in (ETH, BTC):
        put_candles(writer, market, simple_candles(50))
    put_tickers(writer, BTC, tickers(4, timedelta(minutes=5)))
    end = START + timedelta(hours=48)
    exported = export_view(writer, tmp_path, "ohlcv", NOW, start=START + timedelta(hours=1), end=end)
    path = tmp_path / "export" / "ohlcv_20230101T0100_20230103T0000.csv"
    rows = read(path)
    assert [exported.rows, len(rows)] == [94, 94]
    assert [rows[0]["symbol"], rows[0]["opened_at"], rows[46]["opened_at"], rows[47]["symbol"]] == [
        "BTC/USDT",
        "2023-01-01T01:00:00Z",
        "2023-01-02T23:00:00Z",
        "ETH/USDT",
    ]
    assert (rows[0]["low"], rows[0]["vwap"], rows[0]["world"]) == ("90.00000001", "", "recorded")
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside["sha256"] == exported.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (beside["rows"], beside["view"]) == (94, "ohlcv")
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, path.with_suffix(".json").name]
    export_view(writer, tmp_path, "ticker_snapshots", NOW)
    times = [row["observed_at"] for row in read(tmp_path / "export" / "ticker_snapshots.csv")]
    assert times[:2] == ["2023-01-01T00:00:00Z", "2023-01-01T00:05:00.001001Z"]


def test_a_query_that_ends_early_leaves_the_file_of_before(
    writer: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_candles(writer, BTC, simple_candles(3))
    before = export_view(writer, tmp_path, "ohlcv", NOW)
    monkeypatch.setattr(export, "_query", lambda *_: "select 1 / (3 - n) from generate_series(1, 5) as n")
    with pytest.raises(psycopg.errors.DivisionByZero):
        export_view(writer, tmp_path, "ohlcv", NOW)
    assert hashlib.sha256((tmp_path / before.path).read_bytes()).hexdigest() == before.sha256


def test_only_views_that_are_offered(writer: Connection, tmp_path: Path) -> None:
    for name in ("market.candle", "ohlcv; drop table x", "pg_authid"):
        with pytest.raises(ArchiveError, match="is not exported; there are ohlcv"):
            export_view(writer, tmp_path, name, NOW)


def test_the_command_writes_where_it_is_told(
    writer: Connection, warehouse: WarehouseDsns, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_candles(writer, BTC, simple_candles(3))
    parser = argparse.ArgumentParser()
    export_command.add_arguments(parser)
    given = [
        "ohlcv",
        "daily_rankings",
        "--from",
        "2023-01-01",
        "--out",
        str(tmp_path / "out"),
        "--dsn",
        warehouse.reader,
    ]
    assert export_command.run(parser.parse_args(given), {}, FixedClock(datetime(2024, 1, 1, tzinfo=UTC))) == 0
    assert "ohlcv: 3 rows in export/ohlcv_20230101T0000_open.csv, SHA-256 " in capsys.readouterr().out
    assert export_command.run(parser.parse_args(["ohlcv", "--dsn", warehouse.reader]), {}) == 1
    assert "name the archive" in capsys.readouterr().err
