"""Which server the commands are about and where its backups lie: the environment's, else the embedded stack's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from include.backup.client import BackupError
from include.warehouse.command import ADMINISTRATOR_VARIABLE
from include.warehouse.connection import readable_dsn

FOLDER_VARIABLE = "BACKUP_FOLDER"
DATABASES_VARIABLE = "BACKUP_DATABASES"
DATABASES = "warehouse,airflow,mlflow"


class Place(NamedTuple):
    """An administrator's DSN and the folder of backups."""

    administrator: str
    folder: Path


def folder_of(given: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where backups lie: the option, else the environment, else beside the embedded stack's state."""
    named = given or environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    if environ.get(ADMINISTRATOR_VARIABLE):
        raise BackupError(f"name the folder of backups: --folder, or {FOLDER_VARIABLE} in the environment")
    from include.stack.query import known_layout

    return known_layout(_var(environ)).state / "backup"


@contextmanager
def place(folder: str | None, say: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Iterator[Place]:
    """The server of WAREHOUSE_SUPERUSER_DSN; else the embedded one, started for the block where the stack is down."""
    where = folder_of(folder, environ)
    administrator = environ.get(ADMINISTRATOR_VARIABLE)
    if administrator:
        yield Place(readable_dsn(administrator, ADMINISTRATOR_VARIABLE), where)
        return
    from include.stack.query import known_layout, running_database

    with running_database(known_layout(_var(environ)), say) as (cluster, _):
        yield Place(cluster.dsn(), where)


def _var(environ: Mapping[str, str]) -> Path:
    from include.stack.layout import Layout

    return Layout.from_environment("live", environ).var
