"""A full disk, and kill -9 at every third step of archiving and dropping: nothing is lost, and a repeat completes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.warehouse import archive, archive_manifest, archive_store
from include.warehouse.archive import archive_month, restore_month
from include.warehouse.archive_file import ArchiveError
from include.warehouse.archive_manifest import flaw, manifests
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from include.warehouse.export import export_view
from tests.integration.archived import (
    BTC,
    JANUARY,
    NOW,
    archive_everything,
    put_candles,
    put_tickers,
    simple_candles,
    table_hashes,
    tickers,
)

Hashes = dict[str, tuple[object, ...]]


@pytest.fixture
def before(writer: Connection) -> Hashes:
    """A few January candles and tickers; the tables' hashes."""
    put_candles(writer, BTC, simple_candles(50))
    put_tickers(writer, BTC, tickers(40, timedelta(minutes=5)))
    return table_hashes(writer)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB; skipped where this process may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def archive_until_full(writer: Connection, store: Path, before: Hashes) -> None:
    """Archiving ends with the system's own reason; the tables are as they were, and nothing is left lying about."""
    with pytest.raises(ArchiveError, match=r"could not be written: No space left on device; nothing was removed"):
        archive_everything(writer, store, 1)
    assert table_hashes(writer) == before
    assert manifests(writer) == []
    assert [path for path in store.rglob("*.parquet*") if path.is_file()] == []


def test_a_disk_that_is_full(writer: Connection, small_disk: Path, before: Hashes) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(60 << 10))
    archive_until_full(writer, small_disk / "archive", before)
    filler.unlink()
    archive_everything(writer, small_disk / "archive", 1)
    assert table_hashes(writer)["market.candle"][0] == 0


def test_a_device_that_is_full(writer: Connection, tmp_path: Path, before: Hashes) -> None:
    """The same without a mount: the kernel's device on which no byte has room stands where the file is written."""
    folder = tmp_path / "candle" / "venue=binance" / "symbol=BTC-USDT" / "timeframe=1h" / "month=2023-01"
    folder.mkdir(parents=True)
    (folder / "candles.parquet.writing").symlink_to("/dev/full")
    archive_until_full(writer, tmp_path, before)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "ohlcv.csv.writing").symlink_to("/dev/full")
    with pytest.raises(ArchiveError, match="No space left on device"):
        export_view(writer, tmp_path, "ohlcv", NOW)
    assert list((tmp_path / "export").iterdir()) == []
    archive_everything(writer, tmp_path, 1)
    assert table_hashes(writer)["market.candle"][0] == 0


def deadly(step: int, patch: Callable[[Any, str, Any], None]) -> Callable[[], int]:
    """This process kills itself at its step-th step: within a write, about a renaming, after a statement.

    With step 0 at none. Answers what tells how many were made.
    """
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    execute, write_bytes, put = psycopg.Connection.execute, archive_store.write_bytes, archive_store.put

    def executing(*given: Any, **named: Any) -> Any:
        answer = execute(*given, **named)
        tick()
        return answer

    def writing(path: Any, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        tick()
        write_bytes(path, content)
        tick()

    def putting(*given: Any) -> None:
        tick()
        put(*given)
        tick()

    patch(psycopg.Connection, "execute", executing)
    for module in (archive, archive_manifest):
        patch(module, "write_bytes", writing)
        patch(module, "put", putting)
    return lambda: done


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked process; its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


def killed(child: int) -> bool:
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def nothing_is_lost(connection: Connection, store: Path, before: Hashes) -> None:
    """Every row is in a table, or in a whole file whose month is noted as having left."""
    left = [each for each in manifests(connection) if each.dropped_at]
    assert [flaw(store, each) for each in left] == [None] * len(left)
    held = sum(int(str(count)) for count, _ in table_hashes(connection).values())
    assert held + sum(each.row_count for each in left) == sum(int(str(count)) for count, _ in before.values())


def completes(connection: Connection, store: Path, before: Hashes) -> None:
    """A repeat archives and drops what is left to do; restored, the tables are what they were."""
    archive_everything(connection, store, 1)
    assert table_hashes(connection)["market.candle"][0] == table_hashes(connection)["market.ticker"][0] == 0
    for each in manifests(connection):
        restore_month(connection, store, each.instrument_id, each.timeframe, each.month, NOW)
    assert table_hashes(connection) == before


def test_killed_at_every_third_step(
    writer: Connection,
    owner: Connection,
    warehouse: WarehouseDsns,
    tmp_path: Path,
    before: Hashes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every third: each costs a run and a repeat, and steps side by side leave nearly the same behind."""
    with monkeypatch.context() as patched:
        made = deadly(0, patched.setattr)
        archive_everything(writer, tmp_path / "whole", 1)
        last = made()
    assert last > 40, "a run has some forty steps"

    def work(step: int, store: Path) -> None:
        with connect(warehouse.writer) as connection:
            deadly(step, setattr)
            archive_everything(connection, store, 1)

    completes(writer, tmp_path / "whole", before)
    for step in sorted({*range(1, last, 3), last}):
        owner.execute("truncate ops.archive_manifest, ops.ticker_manifest")
        store = tmp_path / str(step)
        assert killed(in_child(lambda step=step, store=store: work(step, store)))  # type: ignore[misc]
        nothing_is_lost(writer, store, before)
        completes(writer, store, before)
    owner.execute("truncate ops.archive_manifest, ops.ticker_manifest")
    assert not killed(in_child(lambda: work(last + 1, tmp_path / "end"))), "the last step was the last"
    nothing_is_lost(writer, tmp_path / "end", before)


def test_killed_at_any_time(writer: Connection, warehouse: WarehouseDsns, tmp_path: Path, before: Hashes) -> None:
    put_candles(writer, BTC, simple_candles(59 * 24))
    put_tickers(writer, BTC, tickers(59 * 24, timedelta(hours=1)))
    whole = table_hashes(writer)

    def work() -> None:
        with connect(warehouse.writer) as connection:
            archive_everything(connection, tmp_path, 2)

    for wait in (0.02, 0.05, 0.08, 0.12, 0.2, 0.3):
        child = in_child(work)
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
        killed(child)
        nothing_is_lost(writer, tmp_path, whole)
    archive_everything(writer, tmp_path, 2)
    for each in manifests(writer):
        restore_month(writer, tmp_path, each.instrument_id, each.timeframe, each.month, NOW)
    assert table_hashes(writer) == whole


def test_a_change_between_file_and_drop_is_noticed(writer: Connection, tmp_path: Path, before: Hashes) -> None:
    instrument_id = put_tickers(writer, BTC, tickers(40, timedelta(minutes=5)))
    archive_month(writer, tmp_path, instrument_id, None, JANUARY, NOW)
    put_tickers(writer, BTC, tickers(41, timedelta(minutes=5)))
    with pytest.raises(ArchiveError, match="stays in the table: the archive has 40 tickers, the table 41"):
        archive.drop_ticker_month(writer, tmp_path, JANUARY, NOW)
    assert table_hashes(writer)["market.ticker"][0] == 41
