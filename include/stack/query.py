"""One-off use of a stack's databases, whether the stack is up or not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psycopg

from include.stack import databases
from include.stack.credentials import Credentials, load_or_create
from include.stack.environment import (
    DEVELOPMENT_DATABASE,
    METADATA_DATABASE,
    STACK_VARIABLE,
    WAREHOUSE_DATABASE,
    child_environment,
    stack_environment,
)
from include.stack.executor import last_executor
from include.stack.launcher import read_lock
from include.stack.layout import Layout, Ports, StackError, last_world
from include.stack.postgres import PostgresCluster

Say = Callable[[str], None]


def known_layout(var: Path) -> Layout:
    """Layout of the world that ran last. Raises StackError before any did."""
    world = last_world(var)
    if world is None:
        raise StackError("nothing has run here yet: start with `make demo` (replayed data) or `make up` (live)")
    return Layout(var, world)


@contextmanager
def running_database(layout: Layout, say: Say) -> Iterator[tuple[PostgresCluster, Credentials]]:
    """The stack's database; started for the length of the block where the stack is down."""
    ports = Ports.from_environment()
    credentials, _ = load_or_create(layout.credentials)
    cluster = PostgresCluster(layout.postgres_data, ports.postgres, credentials.postgres)
    if read_lock(layout.var):
        yield cluster, credentials
        return
    say("the stack is down: starting its database for this query")
    cluster.initialise()
    # Marked as ours: where this process is killed, the next start or `make down` ends its server.
    marked = databases.server_environment({**os.environ, STACK_VARIABLE: str(layout.var)})
    process = cluster.start(layout.logs / "postgres.log", marked)
    try:
        databases.prepare(cluster, credentials)
        yield cluster, credentials
    finally:
        cluster.stop(process)


def print_csv(var: Path, query: str, say: Say) -> int:
    """Run one statement on the warehouse and write its rows to standard output as CSV; an exit status."""
    with running_database(known_layout(var), say) as (cluster, credentials):
        dsn = cluster.dsn(WAREHOUSE_DATABASE, "warehouse_reader", credentials.warehouse_reader)
        try:
            with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
                with connection.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout with csv header") as copy:
                    for block in copy:
                        sys.stdout.buffer.write(block)
                sys.stdout.flush()
        except psycopg.Error as error:
            say(f"error: {error}")
            return 1
    return 0


def development_environment(var: Path, database: Literal["development", "live"], say: Say) -> dict[str, str]:
    """Variables for the `airflow` command.

    The development database keeps `airflow dags test` apart from a live scheduler, which would join in on its runs.
    Raises StackError where the stack is down.
    """
    layout, ports = known_layout(var), Ports.from_environment()
    if not read_lock(var):
        raise StackError("the stack is down: `make up` (live) or `make demo` (replayed data) first")
    credentials, _ = load_or_create(layout.credentials)
    name = DEVELOPMENT_DATABASE if database == "development" else METADATA_DATABASE
    environment = stack_environment(layout, ports, credentials, metadata=name, executor=last_executor(var))
    if database == "development":
        databases.migrate_airflow(layout, child_environment(environment), say, suffix="-development")
    # Without the mark: what a person starts in that terminal is theirs, and no sweep may end it.
    unmarked = {name: value for name, value in environment.items() if name != STACK_VARIABLE}
    return {**unmarked, "PATH": child_environment({})["PATH"]}
