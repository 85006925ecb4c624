"""Bootstrap and migrations against a real PostgreSQL: repeatable, in turns, and refusing what does not add up."""

from __future__ import annotations

import argparse
import hashlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES, WarehouseDsns, bootstrap
from include.warehouse.command import password_variable, run
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import EARLIER_TEXTS, MIGRATIONS_FOLDER, MigrationError, migrate
from tests.integration.conftest import Before


@pytest.fixture
def owner_of_empty(empty_database: str) -> Iterator[Connection]:
    """Connection to a database no migration has touched."""
    with connect(empty_database) as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations."""
    (tmp_path / "0001_first.sql").write_text("create table ops.first (a integer);")
    (tmp_path / "0002_second.sql").write_text(
        "create table ops.second (a integer); create table ops.third (a integer);"
    )
    return tmp_path


def tables(connection: Connection) -> set[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = 'ops'").fetchall()
    return {row[0] for row in rows}


def test_second_run_applies_nothing(owner_of_empty: Connection, folder: Path) -> None:
    assert migrate(owner_of_empty, folder) == ["0001_first.sql", "0002_second.sql"]
    assert migrate(owner_of_empty, folder) == []
    (folder / "0003_third.sql").write_text("drop table ops.third;")
    assert migrate(owner_of_empty, folder) == ["0003_third.sql"]


def test_migrations_commit_on_an_ordinary_connection_too(empty_database: str, folder: Path) -> None:
    with psycopg.connect(empty_database) as ordinary:
        migrate(ordinary, folder)
        with connect(empty_database) as other:
            assert "second" in tables(other)


def test_open_transaction_is_refused(empty_database: str, folder: Path) -> None:
    with psycopg.connect(empty_database) as ordinary:
        ordinary.execute("select 1")
        with pytest.raises(MigrationError, match="open transaction"):
            migrate(ordinary, folder)


def test_failed_migration_leaves_nothing_and_the_ones_before_stay(owner_of_empty: Connection, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("create table ops.second (a integer); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(owner_of_empty, folder)
    assert tables(owner_of_empty) == {"migration", "first"}


def test_edited_file_is_refused(owner_of_empty: Connection, folder: Path) -> None:
    migrate(owner_of_empty, folder)
    (folder / "0001_first.sql").write_text("create table ops.first (b integer);")
    with pytest.raises(MigrationError, match="edited"):
        migrate(owner_of_empty, folder)


def test_two_runners_take_turns(empty_database: str, folder: Path) -> None:
    (folder / "0001_first.sql").write_text("create table ops.first (a integer); select pg_sleep(0.3);")

    def work(_: int) -> list[str]:
        with connect(empty_database) as connection:
            return migrate(connection, folder)

    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(work, range(4)))
    assert sorted(name for names in applied for name in names) == ["0001_first.sql", "0002_second.sql"]


def test_bootstrap_repeats_and_changes_passwords(
    cluster: PostgresCluster, warehouse: WarehouseDsns, warehouse_template: object
) -> None:
    database = psycopg.conninfo.conninfo_to_dict(warehouse.owner)["dbname"]
    changed = {role: secrets.token_urlsafe(8) for role in ROLES}
    try:
        dsns = bootstrap(cluster.dsn(), str(database), changed)
        for dsn in dsns:
            psycopg.connect(dsn).close()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(warehouse.writer)
    finally:
        bootstrap(cluster.dsn(), str(database), warehouse_template.passwords)  # type: ignore[attr-defined]


def test_bootstrap_works_for_an_administrator_short_of_superuser(
    cluster: PostgresCluster, warehouse_template: object
) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("create role managed_admin login createrole createdb password 'p'")
        connection.execute("grant connect on database postgres to managed_admin")  # other tests close it to all
        try:
            dsns = bootstrap(
                cluster.dsn(user="managed_admin", password="p"),
                "managed",
                warehouse_template.passwords,  # type: ignore[attr-defined]
            )
            with connect(dsns.owner) as owner:
                assert migrate(owner)[0] == "0001_market.sql"
        finally:
            connection.execute('drop database if exists "managed" with (force)')
            connection.execute("revoke warehouse_owner from managed_admin")
            connection.execute("revoke connect on database postgres from managed_admin")
            connection.execute("drop role managed_admin")


def test_writer_loads_and_reader_only_looks(writer: Connection, reader: Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute("insert into ops.world (world) values ('live')")
    reader.execute("set default_transaction_read_only to off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("insert into ops.world (world) values ('live')")
    for forbidden in (
        "create table market.mine (a integer)",
        "create table public.mine (a integer)",
        "delete from ops.migration",
        "delete from market.candle_revision",
        "update ops.world set world = 'live'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(forbidden)
    views = "select count(*) from ohlcv, ticker_snapshots, fear_greed_index, ops.migration"
    assert reader.execute(views).fetchone() == (0,)


def test_stranger_may_not_connect(cluster: PostgresCluster, warehouse: WarehouseDsns) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(warehouse.owner)["dbname"])
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("create role stranger login password 'p'")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(cluster.dsn(database, "stranger", "p"))
        finally:
            connection.execute("drop role stranger")


def test_command_migrates_and_repeats(
    cluster: PostgresCluster, warehouse_template: object, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"test_{secrets.token_hex(6)}"
    environ = {password_variable(r): p for r, p in warehouse_template.passwords.items()}  # type: ignore[attr-defined]
    options = argparse.Namespace(database=name)
    assert run(options, environ) == 1
    assert "set WAREHOUSE_SUPERUSER_DSN" in capsys.readouterr().err
    environ["WAREHOUSE_SUPERUSER_DSN"] = cluster.dsn()
    try:
        assert run(options, environ) == 0
        assert "applied 0001_market.sql" in capsys.readouterr().out
        assert run(options, environ) == 0
        assert "up to date" in capsys.readouterr().out
    finally:
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')
    environ["WAREHOUSE_SUPERUSER_DSN"] = cluster.dsn(password="wrong")
    assert run(options, environ) == 1
    assert "could not be brought up to date" in capsys.readouterr().err


def test_shipped_migrations_are_applied_in_the_template(owner: Connection) -> None:
    files = sorted(path.name for path in MIGRATIONS_FOLDER.glob("*.sql"))
    assert [row[0] for row in owner.execute("select name from ops.migration order by name")] == files


def test_a_database_that_has_an_earlier_text_of_a_migration_goes_on_to_the_same_end(
    warehouse_before: Before, owner: Connection
) -> None:
    """0012 was once released with the view that 0017 has made since."""
    first, since = ((MIGRATIONS_FOLDER / name).read_text() for name in ("0012_mart.sql", "0017_audit_by_keys.sql"))
    begins = first.index("-- One row; what the DAG's last task checks.")
    ends = first.index(";\n", first.index("create view mart.audit"))
    made = since[: since.index(";\n")].replace("create or replace view", "create view")
    earlier = first[:begins] + made + first[ends:]
    assert hashlib.sha256(earlier.encode()).hexdigest() in EARLIER_TEXTS["0012_mart.sql"]
    audit = "select pg_get_viewdef('mart.audit'::regclass)"
    with connect(warehouse_before("0017", {"0012_mart.sql": earlier}).owner) as old:
        assert migrate(old)[0] == "0017_audit_by_keys.sql"
        assert old.execute(audit).fetchone() == owner.execute(audit).fetchone()
