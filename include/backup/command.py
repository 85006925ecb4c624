"""`backup`: dump every database, prove the dumps, forget the oldest."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from include.backup.client import BackupError
from include.backup.dump import backup, record
from include.backup.files import backups
from include.backup.place import DATABASES, DATABASES_VARIABLE, FOLDER_VARIABLE, Place, place
from include.backup.retention import delete, superfluous
from include.clock import SystemClock
from include.stack.layout import StackError
from include.stack.postgres import PostgresError
from include.warehouse.command import ADMINISTRATOR_VARIABLE
from include.warehouse.connection import connect

KEEP_DAYS, KEEP_MONTHS = 14, 6
REFUSALS = (BackupError, PostgresError, StackError, psycopg.Error, OSError, ValueError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    environ = os.environ
    add = parser.add_argument
    add("--databases", default=environ.get(DATABASES_VARIABLE, DATABASES), help="comma-separated (default %(default)s)")
    add("--warehouse", default="warehouse", help="the database that keeps the record of backups (default %(default)s)")
    add("--folder", help=f"where backups lie (default: {FOLDER_VARIABLE}, else beside the embedded stack's state)")
    add("--verify", action="store_true", help="restore each dump into a scratch database and compare every table")
    keep = partial(add, type=int)
    keep("--keep-days", default=environ.get("BACKUP_KEEP_DAYS", KEEP_DAYS), help="daily backups kept (%(default)s)")
    keep("--keep-months", default=environ.get("BACKUP_KEEP_MONTHS", KEEP_MONTHS), help="monthly ones (%(default)s)")
    parser.epilog = f"Environment: {ADMINISTRATOR_VARIABLE}, or nothing for the embedded stack's own server."


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> int:
    """0 where every database was backed up; 1, with the reason on standard error, where any was not.

    The oldest backups are forgotten of those databases alone that have a new one.
    """
    done, failed = [], []
    try:
        with place(options.folder, say) as where:
            for database in options.databases.split(","):
                try:
                    one(where, database, options)
                    done.append(database)
                except REFUSALS as error:  # the other databases still get theirs
                    say(f"error: {database}: {error}")
                    failed.append(database)
            held = [each for each in backups(where.folder, unreadable) if each[1].database in done]
            for path in superfluous(held, options.keep_days, options.keep_months):
                delete(path)
                print(f"deleted {path.name}: older than what is kept")
    except REFUSALS as error:
        say(f"error: {error}")
        return 1
    return 1 if failed else 0


def unreadable(_: Path, error: BackupError) -> None:
    say(f"warning: {error}; the dump is kept, whatever its age")


def one(where: Place, database: str, options: argparse.Namespace) -> Path:
    """Back one database up and record it; the dump."""
    path, manifest, restored_at = backup(
        where.administrator, database, where.folder, SystemClock(), restored=options.verify, say=say
    )
    with connect(make_conninfo(where.administrator, dbname=options.warehouse)) as warehouse:
        record(warehouse, path, manifest, restored_at)
    rows = sum(state.rows for state in manifest.tables.values())
    seconds = (manifest.finished_at - manifest.started_at).total_seconds()
    proof = (
        f"restored and compared in {(restored_at - manifest.finished_at).total_seconds():.1f} s"
        if restored_at
        else "read back"
    )
    print(
        f"{path}: {manifest.bytes / 1e6:.1f} MB, {rows} rows in {len(manifest.tables)} tables, {seconds:.1f} s, {proof}"
    )
    return path
