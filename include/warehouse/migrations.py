"""Applies sql/migrations/NNNN_name.sql in order, once each, and refuses a history that does not add up."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from psycopg.pq import TransactionStatus

from include.warehouse.connection import Connection, lock
from include.warehouse.sql import SQL_FOLDER, statement

MIGRATIONS_FOLDER = SQL_FOLDER / "migrations"
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
# Texts that once stood under a name and that later migrations bring to the same end: a database that has one goes on.
EARLIER_TEXTS: dict[str, frozenset[str]] = {
    # mart.audit as 0017_audit_by_keys.sql makes it now.
    "0012_mart.sql": frozenset({"501c41b085464146265d862ac40fd16b5e0d0978726040ea4fd5e846bef25177"}),
}


class MigrationError(RuntimeError):
    """Files and the database's history contradict each other; nothing was changed by the refused migration."""


class Migration(NamedTuple):
    """One migration file."""

    name: str
    sha256: str
    text: str


def read_migrations(folder: Path = MIGRATIONS_FOLDER) -> list[Migration]:
    """All migration files in order. Raises MigrationError for a misnamed file or a number used twice."""
    found: dict[str, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if not match:
            raise MigrationError(f"{path.name}: migrations are named NNNN_what_it_does.sql")
        if match[1] in found:
            raise MigrationError(f"{path.name} and {found[match[1]].name} share the number {match[1]}")
        content = path.read_bytes()
        found[match[1]] = Migration(path.name, hashlib.sha256(content).hexdigest(), content.decode())
    return list(found.values())


def pending(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """Migrations still to apply, given what was applied (name -> sha256).

    Raises MigrationError where an applied file is missing or edited, or a new one sorts before an applied one.
    """
    files = {migration.name: migration for migration in migrations}
    for name, sha256 in applied.items():
        if name not in files:
            raise MigrationError(
                f"{name} was applied to this database, but the file is missing: is this an older checkout?"
            )
        if sha256 not in {files[name].sha256, *EARLIER_TEXTS.get(name, ())}:
            raise MigrationError(
                f"{name} was edited after it was applied; undo the edit and add a new migration instead"
            )
    waiting = [migration for migration in migrations if migration.name not in applied]
    newest = max(applied, default="")
    for migration in waiting:
        if migration.name < newest:
            raise MigrationError(
                f"{migration.name} sorts before {newest}, which is applied already; give it a higher number"
            )
    return waiting


def migrate(connection: Connection, folder: Path = MIGRATIONS_FOLDER) -> list[str]:
    """Bring the database up to date as its owner; answers the names applied now, in order.

    Each migration commits by itself together with its row in ops.migration. Several runners may start at once: they
    take turns. Raises MigrationError (see `pending`), and psycopg.Error where a migration fails and leaves nothing.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise MigrationError("migrate needs a connection without an open transaction")
    migrations = read_migrations(folder)
    done: list[str] = []
    while True:
        with connection.transaction():
            lock(connection, "warehouse migrations")
            connection.execute(statement("bootstrap/create_migration_table.sql"))
            rows = connection.execute("select name, sha256 from ops.migration").fetchall()
            waiting = pending(migrations, dict(rows))
            if not waiting:
                return done
            first = waiting[0]
            connection.execute(first.text)
            connection.execute("insert into ops.migration (name, sha256) values (%s, %s)", (first.name, first.sha256))
        done.append(first.name)
