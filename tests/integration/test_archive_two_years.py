"""Two years of two markets and of tickers leave for files and come back: the tables' hashes are what they were."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from include.clock import FixedClock
from include.warehouse import archive_command
from include.warehouse.archive import archive_month, drop_archived_month, restore_month
from include.warehouse.archive_file import ArchiveError
from include.warehouse.archive_manifest import manifest_of, manifests
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from tests.integration.archived import (
    BTC,
    ETH,
    JANUARY,
    NOW,
    archive_everything,
    files,
    flip,
    put_candles,
    put_tickers,
    simple_candles,
    table_hashes,
    tickers,
    two_years,
)


@pytest.fixture
def recorded() -> Path | None:
    """Folder of recorded market data, None where this machine has none."""
    folder = Path(os.environ.get("MARKET_DATA_DIR") or Path(__file__).parents[3] / "shared" / "data").absolute()
    return folder if (folder / "MANIFEST.md").exists() else None


@pytest.fixture
def command(warehouse: WarehouseDsns, tmp_path: Path) -> Any:
    """`command("verify", …)`: the exit status of `python -m include.cli archive …` on the test's warehouse."""

    def run(*arguments: str, store: str = "") -> int:
        parser = argparse.ArgumentParser()
        archive_command.add_arguments(parser)
        options = parser.parse_args([*arguments, "--dsn", warehouse.writer])
        environ = {"AIRFLOW_VAR_ARCHIVE_URI": store or f"file://{tmp_path}/archive"}
        return archive_command.run(options, environ, FixedClock(NOW))

    return run


def test_two_years_leave_and_come_back_with_the_same_hash(
    writer: Connection, tmp_path: Path, recorded: Path | None, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for market in (BTC, ETH):
        for timeframe in ("1h", "1d"):
            put_candles(writer, market, two_years(recorded, market, timeframe), timeframe)
        put_tickers(writer, market, tickers(731 * 2, timedelta(hours=12)))
    before = table_hashes(writer)
    candles, snapshots = (int(str(before[table][0])) for table in ("market.candle", "market.ticker"))
    assert (candles in (36_548, 36_550), snapshots) == (True, 2_924)  # recorded: an hour the venue lost

    archive_everything(writer, tmp_path / "archive", 24)
    assert [count for count, _ in table_hashes(writer).values()] == [0, 0, 0]
    assert len(files(tmp_path / "archive")) == 24 * 6
    left = writer.execute("select count(*) from pg_inherits where inhparent = 'market.ticker'::regclass").fetchone()
    assert left == (0,)

    assert command("verify") == 0
    promised = f"144 of 144 files are what was archived ({candles + snapshots:,} rows promised)"
    assert promised in capsys.readouterr().out
    assert command("restore", "--market", ETH.key, "--series", "tickers", "--month", "2024-02", "--act") == 0
    assert "1 of 1 months restored, 58 rows" in capsys.readouterr().out
    assert command("restore") == 0
    said = f"143 months, {candles + snapshots - 58:,} rows; nothing was done, --act restores them"
    assert said in capsys.readouterr().out
    assert table_hashes(writer)["market.candle"][0] == 0
    assert command("restore", "--act") == 0
    assert table_hashes(writer) == before
    assert command("restore", "--act") == 0
    assert "0 of 0 months restored" in capsys.readouterr().out
    assert not [each for each in manifests(writer) if each.dropped_at]


@pytest.fixture
def month(writer: Connection) -> dict[str, tuple[object, ...]]:
    """A few January candles and tickers of two markets; the tables' hashes."""
    for market in (BTC, ETH):
        put_candles(writer, market, simple_candles(60))
        put_tickers(writer, market, tickers(40, timedelta(minutes=5)))
    return table_hashes(writer)


def test_ranges_and_markets_are_chosen(
    writer: Connection, tmp_path: Path, command: Any, capsys: pytest.CaptureFixture[str], month: object
) -> None:
    assert command("list") == 2
    assert "no such month" in capsys.readouterr().err
    put_candles(writer, BTC, simple_candles(31 * 24 + 9))
    archive_everything(writer, tmp_path / "archive", 2)
    assert command("list", "--series", "1h", "--from", "2023-01", "--to", "2023-03") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:4] for line in lines[1:]] == [
        ["binance:BTC/USDT", "1h", "2023-01", "744"],
        ["binance:ETH/USDT", "1h", "2023-01", "60"],
        ["binance:BTC/USDT", "1h", "2023-02", "9"],
    ]
    assert "archive alone since 2025-04-01" in " ".join(lines[1])
    assert command("restore", "--from", "2023-02", "--act") == 0
    assert writer.execute("select count(*) from market.candle").fetchone() == (9,)
    assert command("verify", "--market", "binance:XRP/USDT") == 2
    assert command("verify", store="s3://bucket/archive") == 2
    assert "s3" in capsys.readouterr().err


@pytest.mark.parametrize("dropped", [True, False], ids=["archive alone", "still in the table"])
def test_one_flipped_byte_is_refused_by_all(
    writer: Connection,
    tmp_path: Path,
    command: Any,
    capsys: pytest.CaptureFixture[str],
    month: dict[str, tuple[object, ...]],
    dropped: bool,
) -> None:
    archive_everything(writer, tmp_path / "archive", 1, drop=dropped)
    candles, ticker = files(tmp_path / "archive")[0], files(tmp_path / "archive")[-1]
    assert (candles.name, ticker.name) == ("candles.parquet", "tickers.parquet")
    for place in (0, 4, 300, -1):
        for path in (candles, ticker):
            flip(path, place)
        assert command("verify") == 1
        assert capsys.readouterr().out.count("its SHA-256 differs") == 2
        if place != -1:
            for path in (candles, ticker):
                flip(path, place)
            assert command("verify") == 0
    if dropped:
        assert command("restore", "--act") == 1
        assert "2 of 4 months restored, 100 rows" in capsys.readouterr().out
        for path in (candles, ticker):
            flip(path, -1)
        assert command("restore", "--act") == 0
    else:
        instrument_id = manifests(writer)[0].instrument_id
        with pytest.raises(ArchiveError, match="is not the file that was archived"):
            drop_archived_month(writer, tmp_path / "archive", instrument_id, "1h", JANUARY, NOW)
    assert table_hashes(writer) == month
    archive_everything(writer, tmp_path / "archive", 1)
    assert command("verify") == 0
    assert table_hashes(writer)["market.ticker"][0] == 0


def test_a_missing_file_or_manifest_is_named(
    writer: Connection, tmp_path: Path, command: Any, capsys: pytest.CaptureFixture[str], month: object
) -> None:
    archive_everything(writer, tmp_path / "archive", 1, drop=False)
    lost = files(tmp_path / "archive")
    lost[0].unlink()
    (lost[1].parent / "manifest.json").unlink()
    (lost[2].parent / "manifest.json").write_text('{"row_count": 40}')
    (lost[3].parent / "manifest.json").write_text((lost[2].parent / "manifest.json").read_text()[:9])
    assert command("verify") == 1
    out = capsys.readouterr().out
    assert f"{lost[0].relative_to(tmp_path / 'archive')} is missing" in out
    assert f"the manifest.json beside {lost[1].relative_to(tmp_path / 'archive')} is missing" in out
    assert out.count("cannot be read") == 2
    assert "0 of 4 files are what was archived" in out
    archive_everything(writer, tmp_path / "archive", 1)
    assert command("verify") == 0


def test_a_file_of_an_unknown_schema_is_refused(
    writer: Connection, owner: Connection, tmp_path: Path, month: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument_id = put_candles(writer, BTC, simple_candles(60))
    monkeypatch.setattr("include.warehouse.archive_file.SCHEMA_VERSION", 3)
    with pytest.raises(ArchiveError, match="schema version 3 is unknown"):
        archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    monkeypatch.undo()
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    owner.execute("update ops.archive_manifest set schema_version = 3")
    with pytest.raises(ArchiveError, match="has schema version 3, unknown here: use the release"):
        drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    with pytest.raises(ArchiveError, match="unknown"):
        restore_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)


@pytest.mark.parametrize("kind", ["fsspec", "airflow"])
def test_an_object_store_keeps_them_as_well(
    writer: Connection, month: dict[str, tuple[object, ...]], kind: str, command: Any, tmp_path: Path
) -> None:
    uri = f"memory://{tmp_path.name}/archive"
    if kind == "airflow":
        from airflow.sdk import ObjectStoragePath
        from airflow.sdk.io import attach

        attach("memory", fs=UPath(uri).fs)
        archive_everything(writer, ObjectStoragePath(uri), 1)
    else:
        archive_everything(writer, UPath(uri), 1)
    assert table_hashes(writer)["market.candle"][0] == 0
    assert command("verify", store=uri) == 0
    assert command("restore", "--act", store=uri.replace("//", "//name-of-a-connection@")) == 0
    assert table_hashes(writer) == month
    names = {path.name for path in UPath(uri).rglob("*") if path.is_file()}
    assert names == {"candles.parquet", "tickers.parquet", "manifest.json"}


def test_who_writes_to_a_series_does_not_wait_for_its_file(
    writer: Connection, warehouse: WarehouseDsns, tmp_path: Path, month: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.warehouse import archive_store
    from include.warehouse.connection import connect

    instrument_id = put_candles(writer, BTC, simple_candles(60))
    wrote: list[int] = []

    def write_bytes(path: object, content: bytes) -> None:
        if not wrote:  # the first time, while the file is written
            with connect(warehouse.writer) as other:
                other.execute("set lock_timeout = '2s'")
                wrote.append(put_candles(other, BTC, simple_candles(90)))
        archive_store.write_bytes(path, content)  # type: ignore[arg-type]

    monkeypatch.setattr("include.warehouse.archive.write_bytes", write_bytes)
    assert archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).row_count == 90
    assert wrote == [instrument_id]
    manifest = manifest_of(writer, instrument_id, "1h", JANUARY)
    assert manifest is not None
    assert manifest.schema_version == 2
