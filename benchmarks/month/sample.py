"""What a running stack holds now: memory, open files, log bytes, rows of Airflow's metadata, databases, files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from include.stack.environment import METADATA_DATABASE, MLFLOW_DATABASE, WAREHOUSE_DATABASE
from include.stack.layout import Layout
from include.stack.processes import SessionBook, is_alive, members

DATABASES = (METADATA_DATABASE, WAREHOUSE_DATABASE, MLFLOW_DATABASE)
Figures = dict[str, float]


def processes(layout: Layout) -> dict[psutil.Process, int]:
    """Every living process of a stack, and the pid of its component's first one.

    Not by the mark in their environment: who names himself anew (Airflow's api-server, the processes of its tasks,
    PostgreSQL's) writes over that. Nor by session alone: PostgreSQL's processes each lead one of their own.
    """
    leaders = SessionBook(layout.sessions).sessions()
    found = {process: os.getsid(process.pid) for process in members(leaders)}
    for leader in leaders:
        with suppress(psutil.NoSuchProcess):
            found |= dict.fromkeys(filter(is_alive, psutil.Process(leader).children(recursive=True)), leader)
    return found


def of_processes(layout: Layout, components: dict[int, str]) -> Figures:
    """Memory (PSS bytes: shared pages count once) and open files, of all and by component; most of one process.

    components: names by the pid of each component's first process.
    """
    found: Figures = {"memory_bytes": 0, "open_files": 0, "open_files_of_one_process": 0, "processes": 0}
    for process, leader in processes(layout).items():
        try:
            name = components.get(leader, "others")
            memory, files = process.memory_full_info().pss, process.num_fds()
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            continue
        for key, value in (("memory_bytes", memory), ("open_files", files)):
            found[key] += value
            found[f"{key}.{name}"] = found.get(f"{key}.{name}", 0) + value
        for key in ("open_files_of_one_process", f"open_files_of_one_process.{name}"):
            found[key] = max(found.get(key, 0), files)
        found["processes"] += 1
    return found


def of_files(layout: Layout) -> Figures:
    """Bytes of task logs, of the components' own logs, and of all the stack wrote beside its databases."""
    of_worlds = layout.logs / "tasks"
    tasks, components = size(layout.task_logs), size(layout.logs, without=of_worlds)
    return {
        "log_bytes": tasks + components + size(of_worlds, without=layout.task_logs),
        "log_bytes.tasks": tasks,
        "log_bytes.components": components,
        "state_bytes": size(layout.state, without=layout.postgres_data),
    }


def size(folder: Path, without: Path | None = None) -> int:
    """Bytes of all files below a folder but those below another; what vanishes meanwhile is passed over."""
    total = 0
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if Path(path, name) != without]
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def of_databases(dsn: str) -> Figures:
    """Bytes of each database, and rows of every table of Airflow's metadata, counted. dsn: superuser, any database."""
    found: Figures = {}
    with psycopg.connect(dsn, dbname=METADATA_DATABASE, autocommit=True) as connection:
        for name in DATABASES:
            row = connection.execute("select pg_database_size(%s)", (name,)).fetchone()
            found[f"database_bytes.{name}"] = row[0] if row else 0
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        counts = {table: _rows(connection, table) for (table,) in tables}
    found["database_bytes"] = sum(found[f"database_bytes.{name}"] for name in DATABASES)
    found["metadata_rows"] = sum(counts.values())
    return found | {f"metadata_rows.{table}": rows for table, rows in counts.items() if rows}


def _rows(connection: psycopg.Connection[tuple[int]], table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    return row[0] if row else 0
