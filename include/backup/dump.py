"""Make one backup: dumped and hashed from the same snapshot, read back, and restored to a scratch database if asked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from include.backup.client import BackupError, Client, find_client, raise_for
from include.backup.database import TableState, access_of, roles_in, server_major, table_states
from include.backup.files import UNFINISHED, Manifest, dump_path, file_sha256, make_folder, open_private
from include.backup.restore import LOCK, drop_leftovers, prove
from include.clock import Clock
from include.warehouse.connection import Connection, connect, held_lock
from include.warehouse.sql import statement


def backup(
    administrator: str, database: str, folder: Path, clock: Clock, *, restored: bool, say: Callable[[str], None]
) -> tuple[Path, Manifest, datetime | None]:
    """A finished backup of the database: its dump, its manifest, and when it was restored and compared.

    administrator: DSN of a role that may read everything and, for `restored`, create databases. The dump gets its name
    only after pg_restore has read every block. Raises BackupError, psycopg.Error or OSError; then nothing is kept.
    """
    make_folder(folder)
    with connect(administrator) as connection, held_lock(connection, LOCK):
        for leftover in folder.glob(f"*{UNFINISHED}"):
            leftover.unlink()
        drop_leftovers(connection)
        access = access_of(connection, database)
        if access is None:
            raise BackupError(f"there is no database {database!r} on this server")
        client = find_client(server_major(connection))
        started_at = clock.now()
        path = dump_path(folder, database, started_at)
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            tables, roles = _dump(client, make_conninfo(administrator, dbname=database), unfinished)
            client.run("pg_restore", None, "--file=/dev/null", str(unfinished))
            manifest = Manifest(
                database=database,
                server_version=connection.info.server_version,
                started_at=started_at,
                finished_at=clock.now(),
                bytes=unfinished.stat().st_size,
                sha256=file_sha256(unfinished),
                access=access,
                roles=roles,
                tables=tables,
            )
            restored_at = None
            if restored:
                say(f"{database}: restoring into a scratch database and comparing {len(tables)} tables")
                prove(connection, administrator, client, unfinished, manifest)
                restored_at = clock.now()
            manifest.write(path)
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path, manifest, restored_at


def _dump(client: Client, dsn: str, path: Path) -> tuple[dict[str, TableState], tuple[str, ...]]:
    """Write the dump; the state of the tables in the very snapshot it was taken of, whoever writes meanwhile."""
    open_private(path).close()
    with psycopg.connect(dsn, application_name="backup", options="-c timezone=UTC") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        assert snapshot is not None  # noqa: S101 - a function call always answers one row
        options = ["--format=custom", f"--snapshot={snapshot[0]}", f"--file={path}"]
        command, environment = client.command("pg_dump", dsn, *options)
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as dumping:
            try:
                tables = table_states(connection)  # while pg_dump works
                roles = roles_in(connection)
                said = dumping.communicate()[1]
            except BaseException:
                dumping.kill()
                raise
        raise_for("pg_dump", dumping.returncode, said)
    return tables, roles


def record(warehouse: Connection, path: Path, manifest: Manifest, restored_at: datetime | None) -> None:
    """Tell the warehouse, from which the alert on the age of backups reads."""
    values = {
        "database": manifest.database,
        "path": str(path),
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "started_at": manifest.started_at,
        "finished_at": manifest.finished_at,
        "restored_at": restored_at,
    }
    warehouse.execute(statement("backup/insert_backup.sql"), values)
