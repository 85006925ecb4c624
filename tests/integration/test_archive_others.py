"""A store that another warehouse uses too, and a series that cannot be archived: neither costs the others anything."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from include.warehouse.archive import archive_month
from include.warehouse.archive_file import CANDLE, ArchiveError, encode
from include.warehouse.archive_manifest import flaw, manifest_of, manifests
from include.warehouse.archive_run import archive_all, archive_tickers
from include.warehouse.connection import Connection
from tests.integration.archived import (
    BTC,
    ETH,
    HOUR,
    JANUARY,
    KNOWN,
    NOW,
    START,
    archive_everything,
    files,
    flip,
    put_candles,
    put_tickers,
    simple_candles,
    table_hashes,
    tickers,
)

REFUSED = r"parquet holds another month's content.*; move it away or name another archive_uri"
FEBRUARY_TICKERS = tickers(5, HOUR, START + timedelta(days=40))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def forget_manifests(owner: Connection) -> None:
    """The warehouse is another one: rebuilt, or of a second installation."""
    owner.execute("truncate ops.archive_manifest, ops.ticker_manifest")


@pytest.mark.parametrize("known", [False, True], ids=["no manifest", "a manifest of another file"])
def test_the_only_copy_of_another_warehouse_is_never_written_over(
    writer: Connection, owner: Connection, tmp_path: Path, known: bool
) -> None:
    for number, folder in ((40, "theirs"), (7, "ours")):
        put_candles(writer, BTC, simple_candles(number))
        put_tickers(writer, BTC, tickers(number, HOUR))
        if folder == "ours" and not known:
            break
        archive_everything(writer, tmp_path / folder, 1, drop=folder == "theirs")
        if folder == "theirs":
            forget_manifests(owner)
    theirs, held = contents(tmp_path / "theirs"), table_hashes(writer)
    assert len(theirs) == 4
    for timeframe in ("1h", None):
        with pytest.raises(ArchiveError, match=REFUSED):
            archive_month(writer, tmp_path / "theirs", put_tickers(writer, BTC, []), timeframe, JANUARY, NOW)
    assert contents(tmp_path / "theirs") == theirs
    assert len(manifests(writer)) == (2 if known else 0)
    assert table_hashes(writer) == held


def test_equal_content_without_a_manifest_is_archived_again(
    writer: Connection, owner: Connection, tmp_path: Path
) -> None:
    """As after a crash between the file's renaming and its manifest."""
    put_candles(writer, BTC, simple_candles(40))
    archive_everything(writer, tmp_path, 1, drop=False)
    forget_manifests(owner)
    archive_everything(writer, tmp_path, 1, drop=False)
    assert [flaw(tmp_path, each) for each in manifests(writer)] == [None]


def test_the_content_a_manifest_knows_gives_way_to_a_revision(writer: Connection, tmp_path: Path) -> None:
    """The same content in other bytes, as an earlier release would have written it."""
    instrument_id = put_candles(writer, BTC, simple_candles(40))
    manifest = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    rows = [(*each, "first", KNOWN) for each in simple_candles(40)]
    (tmp_path / manifest.path).write_bytes(encode(rows, {"by": "another release"}, CANDLE))
    put_candles(writer, BTC, simple_candles(41))
    assert archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).row_count == 41


def test_what_cannot_be_read_is_replaced_only_where_it_is_ours(
    writer: Connection, owner: Connection, tmp_path: Path
) -> None:
    instrument_id = put_candles(writer, BTC, simple_candles(300))
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    (path,) = files(tmp_path)
    size = len(path.read_bytes())
    for place in (0, *range(30, size, size // 7), size - 1):  # within pages too: told from other content
        flip(path, place)
        manifest = archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
        assert flaw(tmp_path, manifest) is None
    flip(path, -1)
    damaged = path.read_bytes()
    forget_manifests(owner)
    with pytest.raises(ArchiveError, match=REFUSED):
        archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert path.read_bytes() == damaged


def test_a_file_of_a_later_release_is_not_taken_for_a_damaged_one(
    writer: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument_id = put_candles(writer, BTC, simple_candles(40))
    path = tmp_path / archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW).path
    with monkeypatch.context() as later_release:
        later_release.setattr("include.warehouse.archive_file.SCHEMA_VERSION", 3)
        path.write_bytes(encode([(*each, "first", KNOWN) for each in simple_candles(60)], {}, CANDLE))
    theirs = path.read_bytes()
    with pytest.raises(ArchiveError, match=REFUSED):
        archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, NOW)
    assert path.read_bytes() == theirs


def test_a_late_ticker_of_a_dropped_month_holds_up_no_other(writer: Connection, tmp_path: Path) -> None:
    for market in (BTC, ETH):
        put_tickers(writer, market, tickers(5, HOUR))
    archive_everything(writer, tmp_path, 1)
    eth = put_tickers(writer, ETH, tickers(5, HOUR))  # as they were: whole, but not alone in their month
    put_tickers(writer, BTC, tickers(1, HOUR, START + 9 * HOUR))
    put_tickers(writer, BTC, FEBRUARY_TICKERS)
    lost = put_tickers(writer, ETH, tickers(5, HOUR, START + timedelta(days=70)))
    (tmp_path / f"ticker/venue=binance/symbol={ETH.symbol.replace('/', '-')}/month=2023-03").write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"^2 could not be archived or dropped, all else is done: ") as told:
        archive_tickers(writer, tmp_path, NOW, keep_months=1, dry_run=False, drop_rows=True)
    assert f"{BTC.key} tickers 2023-01: " in str(told.value)
    assert "restore it first" in str(told.value)
    assert f"{ETH.key} tickers 2023-03: " in str(told.value)
    left = writer.execute(
        "select instrument_id, count(*) from market.ticker where observed_at < '2023-02-01' group by 1"
    )
    assert dict(left.fetchall())[eth] == 5
    march = date(2023, 3, 1)
    assert manifest_of(writer, lost, None, march) is None
    assert writer.execute("select count(*) from market.ticker").fetchone() == (6 + 5,)
    dropped = {f"{each.month:%Y-%m}" for each in manifests(writer, "ticker") if each.dropped_at}
    assert "2023-02" in dropped


def test_a_month_that_cannot_be_dropped_holds_up_no_later_one(
    writer: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.warehouse import archive

    put_tickers(writer, BTC, [*tickers(5, HOUR), *FEBRUARY_TICKERS])

    def drop(connection: Connection, store: Path, month: date, now: object) -> int:
        if month == JANUARY:
            raise ArchiveError("the table is in use")
        return archive.drop_ticker_month(connection, store, month, NOW)

    monkeypatch.setattr("include.warehouse.archive_run.drop_ticker_month", drop)
    with pytest.raises(ArchiveError, match=r"^1 could not .*: 2023-01: the table is in use$"):
        archive_tickers(writer, tmp_path, NOW, keep_months=1, dry_run=False, drop_rows=True)
    assert writer.execute("select count(*), max(observed_at) < '2023-02-01' from market.ticker").fetchone() == (5, True)


def test_a_series_that_cannot_be_archived_holds_up_no_other(writer: Connection, tmp_path: Path) -> None:
    put_candles(writer, BTC, simple_candles(5))
    archive_all(writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True)
    put_candles(writer, BTC, simple_candles(1))
    eth = put_candles(writer, ETH, simple_candles(5))
    with pytest.raises(ArchiveError, match=rf"^1 could not .*: {BTC.key} 1h 2023-01: .*restore it first$"):
        archive_all(writer, tmp_path, JANUARY, NOW, dry_run=False, drop_rows=True)
    manifest = manifest_of(writer, eth, "1h", JANUARY)
    assert manifest is not None
    assert manifest.dropped_at == NOW
    assert writer.execute("select count(*) from market.candle").fetchone() == (1,)
