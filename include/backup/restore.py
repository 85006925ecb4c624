"""Restore a backup: into a database of its own first, compared to the byte, and only then under the old name."""

from __future__ import annotations

import secrets
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import make_conninfo

from include.backup.client import BackupError, Client, find_client
from include.backup.database import (
    Access,
    access_of,
    create_database,
    differences,
    drop_database,
    is_empty,
    refuse_missing_roles,
    server_major,
    table_states,
)
from include.backup.files import Manifest, refuse_other_bytes
from include.warehouse.connection import Connection, connect, held_lock
from include.warehouse.sql import statement

LOCK = "backup or restore"  # held by whoever has a scratch database, so that others are leftovers


def prove(connection: Connection, administrator: str, client: Client, path: Path, manifest: Manifest) -> None:
    """Restore into a scratch database, compare every table, drop it again. Raises BackupError for a difference."""
    scratch = scratch_name(manifest.database)
    try:
        _fill(connection, administrator, client, path, manifest, scratch, manifest.access)
    finally:
        drop_database(connection, scratch)


def restore(administrator: str, path: Path, *, database: str | None = None, replace: bool = False) -> Manifest:
    """Bring the database of a dump back, with owners and rights; `database`: under another name.

    A database that is there and holds tables is replaced only on `replace`, and only while nobody is connected to it.
    Raises BackupError or psycopg.Error; until the very last step what was there stays as it was.
    """
    manifest = Manifest.read(path)
    refuse_other_bytes(path, manifest)
    target = database or manifest.database
    scratch = scratch_name(target)
    with connect(administrator) as connection, held_lock(connection, LOCK):
        drop_leftovers(connection)
        client = find_client(server_major(connection))
        refuse_missing_roles(connection, manifest.roles)
        present = access_of(connection, target)
        if present is not None:
            _refuse_if_in_the_way(connection, administrator, target, replace)
        try:
            _fill(connection, administrator, client, path, manifest, scratch, present or manifest.access)
            _take_the_place(connection, scratch, target)
        finally:
            drop_database(connection, scratch)
    return manifest


def scratch_name(database: str) -> str:
    """A name nobody else uses; 63 characters at most, or PostgreSQL would cut it."""
    return f"{database[:40]}_restoring_{secrets.token_hex(4)}"


def drop_leftovers(connection: Connection) -> None:
    """Drop what a killed backup or restore left: half a copy, or what a finished restore had replaced."""
    for (name,) in connection.execute(statement("backup/select_leftovers.sql")).fetchall():
        drop_database(connection, name)


def _fill(
    connection: Connection,
    administrator: str,
    client: Client,
    path: Path,
    manifest: Manifest,
    scratch: str,
    access: Access,
) -> None:
    create_database(connection, scratch, access)
    dsn = make_conninfo(administrator, dbname=scratch)
    client.run("pg_restore", dsn, "--exit-on-error", "--jobs=2", str(path))
    with connect(dsn) as restored:
        wrong = differences(manifest.tables, table_states(restored))
    if wrong:
        raise BackupError("the restored database is not what was backed up:\n" + "\n".join(wrong[:20]))


def _refuse_if_in_the_way(connection: Connection, administrator: str, target: str, replace: bool) -> None:
    row = connection.execute(statement("backup/select_sessions.sql"), {"database": target}).fetchone()
    if row and row[0]:
        raise BackupError(f"database {target} is in use by {row[0]}: stop them first; nothing was changed")
    with connect(make_conninfo(administrator, dbname=target)) as present:
        if not is_empty(present) and not replace:
            raise BackupError(
                f"database {target} holds tables: --replace drops them, --database NAME restores beside it; "
                "nothing was changed"
            )


def _take_the_place(connection: Connection, scratch: str, target: str) -> None:
    """Exchange the names in one transaction, then drop what was there."""
    new, name, old = sql.Identifier(scratch), sql.Identifier(target), sql.Identifier(f"{scratch}_old")
    there = access_of(connection, target) is not None
    with connection.transaction():
        if there:
            connection.execute(sql.SQL("alter database {} rename to {}").format(name, old))
        connection.execute(sql.SQL("alter database {} rename to {}").format(new, name))
    if there:
        drop_database(connection, f"{scratch}_old")
