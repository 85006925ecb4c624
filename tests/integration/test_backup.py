"""Backups on a real PostgreSQL: what is restored is what was there, with its rights, or nothing is changed."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.backup import client as clients
from include.backup import command
from include.backup.client import BackupError, Client, find_client
from include.backup.database import Access, access_of, differences, table_states
from include.backup.dump import backup
from include.backup.files import MANIFEST, Manifest, backups, dump_path, file_sha256
from include.backup.restore import restore
from include.backup.retention import superfluous
from include.cli import main
from include.clock import SystemClock
from include.features.schema import install_features
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import migrate

AT = datetime(2024, 6, 1, 3, 40, tzinfo=UTC)


def name_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture(autouse=True)
def programs(cluster: PostgresCluster) -> Client:
    """pg_dump and pg_restore that fit the server; skipped, saying so, where there are none."""
    try:
        return find_client(cluster.binaries.major)
    except BackupError as error:
        pytest.skip(str(error))


@pytest.fixture
def filled(warehouse: WarehouseDsns, writer: Connection) -> str:
    """Name of a warehouse with a little of everything that is hard to restore."""
    writer.execute("insert into ops.world (world) values ('synthetic')")
    writer.execute(
        "insert into market.instrument (venue, symbol, venue_symbol, listed_at) "
        "values ('binance', 'BTC/USDT', 'BTCUSDT', '2017-08-17 04:00+00'), "
        "('kraken', 'BTC/USD', 'XBTUSD', '2013-10-06 00:00+00')"
    )
    writer.execute(
        "insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, "
        "base_volume, source) select 1, '1h', at, at + interval '2 hours', 0.10, 0.3000, 0.1, 0.2, 1e-18, 'rest' "
        "from generate_series(timestamptz '2024-01-01 00:00+00', '2024-01-20 00:00+00', '1 hour') as at"
    )
    writer.close()
    return name_of(warehouse.owner)


def take(cluster: PostgresCluster, database: str, folder: Path, *, restored: bool = False) -> tuple[Path, Manifest]:
    path, manifest, restored_at = backup(
        cluster.dsn(), database, folder, SystemClock(), restored=restored, say=lambda _: None
    )
    assert (restored_at is not None) == restored
    return path, manifest


@pytest.fixture
def elsewhere(cluster: PostgresCluster) -> Iterator[str]:
    """Name for a restored database, dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}_restored"
    yield name
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')


def databases(cluster: PostgresCluster) -> set[str]:
    with connect(cluster.dsn()) as connection:
        return {name for (name,) in connection.execute("select datname from pg_database")}


def test_a_restored_warehouse_is_the_same_with_its_rights_and_views(
    cluster: PostgresCluster, warehouse: WarehouseDsns, filled: str, tmp_path: Path, elsewhere: str
) -> None:
    with connect(warehouse.writer) as writer:
        writer.execute("select market.add_ticker_month('2024-03-01')")
        writer.execute(
            "insert into market.ticker (instrument_id, observed_at, recorded_at, last, source) "
            "values (1, '2024-03-05 00:00+00', '2024-03-05 00:00+00', 1.50, 'rest')"
        )
    path, manifest = take(cluster, filled, tmp_path)
    restore(cluster.dsn(), path, database=elsewhere)
    with connect(cluster.dsn(filled)) as before, connect(cluster.dsn(elsewhere)) as after:
        assert differences(table_states(before), table_states(after)) == []
        assert manifest.tables["market.candle"].rows == 457
        for query in (
            "select * from public.ohlcv order by venue, opened_at",
            "select * from public.crypto_prices order by crypto, timestamp",
            "select nspname, relname, relkind, relowner::regrole, relacl::text from pg_class "
            "inner join pg_namespace as n on relnamespace = n.oid where nspname !~ '^pg_' order by 1, 2",
            "select oid::regprocedure::text, proowner::regrole, proacl::text, prosecdef, proconfig from pg_proc "
            "where pronamespace in (select oid from pg_namespace where nspname !~ '^pg_') order by 1",
            "select defaclrole::regrole, defaclnamespace::regnamespace::text, defaclobjtype, defaclacl::text "
            "from pg_default_acl order by 1, 2, 3",
        ):
            assert before.execute(query).fetchall() == after.execute(query).fetchall(), query
        assert access_of(before, filled) == access_of(before, elsewhere)
    with connect(make_conninfo(warehouse.owner, dbname=elsewhere)) as owner:
        assert migrate(owner) == []
        assert install_features(owner) is False
    with connect(make_conninfo(warehouse.writer, dbname=elsewhere)) as writer:
        row = writer.execute(
            "insert into market.instrument (venue, symbol, venue_symbol, listed_at) "
            "values ('coinbase', 'BTC/USD', 'BTC-USD', '2015-07-20 00:00+00') returning instrument_id"
        ).fetchone()
        assert row == (3,), "identities go on where they were"
        assert writer.execute("select market.add_ticker_month('2024-04-01')").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute("update market.candle_revision set close = 1")
    with (
        connect(make_conninfo(warehouse.reader, dbname=elsewhere)) as reader,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        reader.execute("delete from market.candle")


def test_a_backup_is_of_one_moment_whoever_writes_meanwhile(
    cluster: PostgresCluster, warehouse: WarehouseDsns, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.backup import dump

    def hash_after_another_writer(connection: Connection) -> object:
        with connect(warehouse.writer) as writer:
            writer.execute("delete from market.candle where opened_at < '2024-01-10 00:00+00'")
        return table_states(connection)

    monkeypatch.setattr(dump, "table_states", hash_after_another_writer)
    _, manifest = take(cluster, filled, tmp_path, restored=True)
    assert manifest.tables["market.candle"].rows == 457


def test_a_database_that_is_there_is_kept_unless_told_and_while_it_is_used(
    cluster: PostgresCluster, warehouse: WarehouseDsns, filled: str, tmp_path: Path
) -> None:
    path, _ = take(cluster, filled, tmp_path)
    there = databases(cluster)
    with connect(warehouse.writer) as writer:
        writer.execute("delete from market.candle")
        with pytest.raises(BackupError, match=r"in use by warehouse_writer \(crypto-market\): stop them first"):
            restore(cluster.dsn(), path, replace=True)
    with pytest.raises(BackupError, match="holds tables: --replace"):
        restore(cluster.dsn(), path)
    with connect(warehouse.reader) as reader:
        assert reader.execute("select count(*) from market.candle").fetchone() == (0,)
    restore(cluster.dsn(), path, replace=True)
    with connect(warehouse.reader) as reader:
        assert reader.execute("select count(*) from market.candle").fetchone() == (457,)
    assert databases(cluster) == there


def test_one_wrong_byte_is_refused_before_anything_is_touched(
    cluster: PostgresCluster, filled: str, tmp_path: Path, elsewhere: str
) -> None:
    path, _ = take(cluster, filled, tmp_path)
    sound = path.read_bytes()
    assert main(["backups", "--folder", str(tmp_path)]) == 0
    for at in (0, len(sound) // 2, len(sound) - 1):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(BackupError, match="is not what was backed up"):
            restore(cluster.dsn(), path, database=elsewhere)
        assert main(["backups", "--folder", str(tmp_path)]) == 1
    assert elsewhere not in databases(cluster)


def test_a_restore_that_differs_never_takes_the_place(
    cluster: PostgresCluster, warehouse: WarehouseDsns, filled: str, tmp_path: Path
) -> None:
    path, _ = take(cluster, filled, tmp_path)
    text = path.with_suffix(MANIFEST).read_text()
    path.with_suffix(MANIFEST).write_text(text.replace(" 457,", " 458,"))
    there = databases(cluster)
    with pytest.raises(BackupError, match=r"market\.candle: 457 rows instead of 458"):
        restore(cluster.dsn(), path, replace=True)
    assert databases(cluster) == there


def test_what_a_killed_restore_left_is_cleared_away(cluster: PostgresCluster, filled: str, tmp_path: Path) -> None:
    there = databases(cluster)
    with connect(cluster.dsn()) as connection:
        for left in ("lost_restoring_0123abcd", "lost_restoring_0123abcd_old"):
            connection.execute(f"create database {left}")
    take(cluster, filled, tmp_path)
    assert databases(cluster) == there


def test_a_missing_role_is_named(cluster: PostgresCluster, filled: str, tmp_path: Path, elsewhere: str) -> None:
    path, manifest = take(cluster, filled, tmp_path)
    assert {"warehouse_owner", "warehouse_reader", "warehouse_writer"} <= set(manifest.roles)
    text = path.with_suffix(MANIFEST).read_text()
    path.with_suffix(MANIFEST).write_text(text.replace('"warehouse_writer"', '"nobody_here"'))
    with pytest.raises(BackupError, match="not there: nobody_here"):
        restore(cluster.dsn(), path, database=elsewhere)


def test_the_command_records_what_it_made_and_keeps_it_private(
    cluster: PostgresCluster,
    warehouse: WarehouseDsns,
    filled: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "held"
    monkeypatch.setenv("WAREHOUSE_SUPERUSER_DSN", cluster.dsn())
    (folder).mkdir()
    (folder / "warehouse_20200101T000000Z.dump.part").write_text("what a killed backup left")
    given = ["--databases", f"{filled},absent", "--warehouse", filled, "--folder", str(folder)]
    assert main(["backup", *given, "--verify"]) == 1, "one of two databases is not there"
    said = capsys.readouterr()
    assert "absent: there is no database 'absent'" in said.err
    assert "restored and compared" in said.out
    ((path, manifest),) = backups(folder, unexpected)
    assert sorted(each.name for each in folder.iterdir()) == [path.name, path.with_suffix(MANIFEST).name]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with connect(warehouse.reader) as reader:
        rows = reader.execute("select database, path, bytes, sha256, restored_at > finished_at from ops.backup")
        assert rows.fetchall() == [(filled, str(path), path.stat().st_size, manifest.sha256, True)]
    assert main(["backups", "--folder", str(folder)]) == 0
    assert path.name in capsys.readouterr().out


def unexpected(path: Path, error: BackupError) -> None:
    raise AssertionError(f"{path}: {error}")


def lay(folder: Path, database: str, at: datetime) -> Path:
    """A backup of one byte, as far as retention and the list look at it."""
    path = dump_path(folder, database, at)
    path.write_bytes(b"x")
    access = Access("nobody", ())
    Manifest(database, 170000, at, at, 1, file_sha256(path), access=access, roles=(), tables={}).write(path)
    return path


def test_retention_goes_on_for_databases_that_succeeded_and_past_what_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: PostgresCluster
) -> None:
    monkeypatch.setenv("WAREHOUSE_SUPERUSER_DSN", cluster.dsn())
    days = [AT + timedelta(days=10 * number) for number in range(3)]
    sound, failing = ([lay(tmp_path, database, day) for day in days] for database in ("sound", "failing"))
    bare, torn, odd = (lay(tmp_path, "sound", AT - timedelta(days=number)) for number in (1, 2, 3))
    bare.with_suffix(MANIFEST).unlink()
    torn.with_suffix(MANIFEST).write_text('{"database":')
    odd.with_suffix(MANIFEST).write_text(odd.with_suffix(MANIFEST).read_text().replace('"tables": {}', '"tables": []'))

    def one(where: object, database: str, options: object) -> None:
        if database == "failing":
            raise BackupError("no room")

    monkeypatch.setattr(command, "one", one)
    given = ["--folder", str(tmp_path), "--keep-days", "1", "--keep-months", "0"]
    assert main(["backup", "--databases", "failing,sound", *given]) == 1
    assert set(tmp_path.glob("*.dump")) == {sound[-1], *failing, bare, torn, odd}
    said = capsys.readouterr()
    assert "failing: no room" in said.err
    assert all(f"{each.with_suffix(MANIFEST)}: no manifest" in said.err for each in (bare, torn, odd))
    assert main(["backups", "--folder", str(tmp_path)]) == 1
    listed = capsys.readouterr().out.splitlines()
    assert sum(line.endswith("sound") for line in listed) == 4
    assert [line.split()[3] for line in listed if "UNREADABLE" in line] == sorted(map(str, (bare, torn, odd)))
    assert main(["backup", "--databases", "sound", *given]) == 0, "an old unreadable manifest is no failed backup"


def test_no_password_stands_in_arguments(cluster: PostgresCluster, programs: Client) -> None:
    command, environment = programs.command("pg_dump", cluster.dsn(), "--format=custom")
    assert cluster.password not in " ".join(command)
    assert environment["PGPASSWORD"] == cluster.password


def test_a_full_disk_leaves_nothing_and_says_why(
    cluster: PostgresCluster, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.backup import dump

    def full(unfinished: Path) -> object:
        unfinished.symlink_to("/dev/full")
        return open(os.devnull, "wb")

    monkeypatch.setattr(dump, "open_private", full)
    with pytest.raises(BackupError, match="No space left on device"):
        take(cluster, filled, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_older_client_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in clients.PROGRAMS:
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.9'\n")
        program.chmod(0o755)
    environ = {"PG_BIN": str(tmp_path), "PATH": ""}
    with pytest.raises(BackupError, match=r"PostgreSQL 17, and pg_dump must not be older .* postgresql-client-17"):
        find_client(17, environ)
    assert find_client(15, environ) == Client(tmp_path, 15)


def held(*days: str) -> list[tuple[Path, Manifest]]:
    template = Manifest("warehouse", 170000, AT, AT, 1, "", access=None, roles=(), tables={})  # type: ignore[arg-type]
    return [(Path(day), replace(template, started_at=datetime.fromisoformat(f"{day}:00+00:00"))) for day in days]


def test_the_newest_of_each_day_and_month_is_kept() -> None:
    days = ["2024-01-01T03", "2024-01-31T03", "2024-02-10T03", "2024-02-11T03", "2024-02-11T04", "2024-03-01T03"]
    assert superfluous(held(*days), 2, 0) == [Path(day) for day in reversed(days[:4])]
    assert superfluous(held(*days), 1, 3) == [Path("2024-02-11T03"), Path("2024-02-10T03"), Path("2024-01-01T03")]
    assert superfluous(held(*days[:1]), 1, 0) == []
    recent = held("2024-03-01T02", "2024-03-01T03", "2024-03-03T03")
    assert superfluous(recent, 1, 0) == [Path("2024-03-01T02")], "two days are kept whole"
    with pytest.raises(ValueError, match="at least 1"):
        superfluous([], 0, 1)
