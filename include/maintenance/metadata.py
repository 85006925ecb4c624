"""Airflow's own metadata, trimmed by Airflow's own command: `airflow db clean`, in a process of its own.

A task is not given the metadata database's address, so the command is handed that of a role which may read and delete
the history and nothing else (sql/maintenance/metadata_rights.sql).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import psycopg

from include.maintenance.removed import Removed
from include.warehouse.sql import statement

URL_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# What grows with every run. Airflow trims nothing of it by itself; `dag` and the like do not grow.
HISTORY: tuple[str, ...] = (
    "asset_event",
    "callback",
    "dag_run",
    "dag_version",
    "deadline",
    "import_error",
    "job",
    "log",
    "partitioned_asset_key_log",
    "revoked_token",
    "task_instance",
    "task_instance_history",
    "task_reschedule",
    "task_state_store",
    "trigger",
    "xcom",
)
# Answers of tasks on Celery's workers, which nothing else removes. The first worker makes the tables, after the rights
# were granted: until the next start grants them, the command would be refused, and fail with all it was asked for.
CELERY_RESULTS: tuple[str, ...] = ("celery_taskmeta", "celery_tasksetmeta")
BATCH = 5_000
TIMEOUT_SECONDS = 1_500
_CHECKED = re.compile(r"^Checking table (\w+)$")
_FOUND = re.compile(r"^Found (\d+) rows meeting deletion criteria")


class MetadataError(RuntimeError):
    """`airflow db clean` failed; the message ends with what it said."""


def clean_metadata(
    url: str, older_than: datetime, *, dry_run: bool = True, environ: Mapping[str, str] = os.environ
) -> list[Removed]:
    """Remove history from before `older_than` (UTC), or by default count it; each DAG's newest run stays.

    url: SQLAlchemy address of the metadata database. Rows that go with others by a foreign key (a run's task instances)
    are not counted. CELERY_RESULTS are trimmed where they are there and the role has its rights. What a run of this
    that was killed had set aside is dropped by the next one.
    Raises MetadataError where Airflow refuses or takes longer than TIMEOUT_SECONDS.
    """
    environment = {**environ, URL_VARIABLE: url}
    command = ["clean", "--clean-before-timestamp", older_than.isoformat(), "--tables"]
    command.append(",".join([*HISTORY, *_granted(url)]))
    command += ["--skip-archive", "--yes", "--batch-size", str(BATCH), "--error-on-cleanup-failure"]
    said = _airflow_db([*command, *(["--dry-run"] if dry_run else [])], environment)
    if not dry_run and _is_set_aside(url):
        _airflow_db(["drop-archived", "--yes"], environment)
    return found_rows(said)


def metadata_url(host: str, port: int | None, database: str, user: str, password: str | None) -> str:
    """The parts of a connection as SQLAlchemy's address; the driver is the one Airflow itself uses."""
    return f"postgresql+psycopg2://{quote(user)}:{quote(password or '', safe='')}@{host}:{port or 5432}/{database}"


def found_rows(said: str) -> list[Removed]:
    """What the command's output tells of each table; those without an old row are left out."""
    removed, table = [], ""
    for line in map(str.strip, said.splitlines()):
        if checked := _CHECKED.match(line):
            table = checked[1]
        elif (found := _FOUND.match(line)) and int(found[1]):
            removed.append(Removed(table, int(found[1])))
    return removed


def _granted(url: str) -> list[str]:
    """Those of CELERY_RESULTS that are there and that the role of the address may trim."""
    with _connect(url) as connection:
        found = connection.execute(statement("maintenance/trimmable_tables.sql"), {"names": list(CELERY_RESULTS)})
        return [name for (name,) in found]


def _is_set_aside(url: str) -> bool:
    """Whether a run that was killed left tables of rows it had set aside; asking costs less than Airflow's command."""
    with _connect(url) as connection:
        row = connection.execute(statement("maintenance/tables_set_aside.sql")).fetchone()
    return row is not None and row[0] > 0


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg2://", "postgresql://", 1))


def _airflow_db(arguments: list[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", *arguments],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise MetadataError(f"airflow db {arguments[0]} took longer than {TIMEOUT_SECONDS} s; run it again") from error
    if done.returncode:
        raise MetadataError(f"airflow db {arguments[0]} failed:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout
