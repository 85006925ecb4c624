"""What a backfill left behind: the candles' hash, and which worker did which task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from benchmarks.backfill.months import DAG_ID
from include.stack.environment import METADATA_DATABASE
from include.stack.launcher import Stack
from include.warehouse.connection import connect

# Every column but the time we learnt it, and the number that our own database gave the instrument.
CANDLES = """
select
    count(*) as rows,
    md5(string_agg(
        concat_ws('|', i.venue, i.symbol, (to_jsonb(c) - 'recorded_at' - 'instrument_id')::text), E'\\n'
        order by i.venue, i.symbol, c.timeframe, c.opened_at
    )) as md5,
    (select count(*) from market.candle_revision) as revisions
from market.candle as c
join market.instrument as i using (instrument_id)
"""
TASKS = """
select
    run_id, task_id, state, hostname, try_number, start_date as started_at, end_date as ended_at,
    coalesce(state = 'running' and last_heartbeat_at > now() - interval '15 seconds', false) as is_alive
from task_instance
where dag_id = %s and run_id like 'backfill%%' and state is distinct from 'skipped'
"""
RUNS = "select state from dag_run where dag_id = %s and run_id like 'backfill%%'"


@dataclass(frozen=True, slots=True)
class Candles:
    """The whole table market.candle."""

    rows: int
    md5: str
    revisions: int


@dataclass(frozen=True, slots=True)
class Task:
    """One task instance, in its newest try. is_alive: it runs, and was heard of within 15 seconds."""

    run_id: str
    task_id: str
    state: str | None
    hostname: str | None
    try_number: int
    started_at: datetime | None
    ended_at: datetime | None
    is_alive: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.run_id, self.task_id


def candles(stack: Stack) -> Candles:
    with connect(stack.warehouse_dsn()) as connection:
        connection.execute("set timezone to 'UTC'")
        return connection.cursor(row_factory=class_row(Candles)).execute(CANDLES).fetchall()[0]


def tasks(stack: Stack) -> list[Task]:
    """Every task instance of the backfill that was not skipped. Raises psycopg.OperationalError without a database."""
    with psycopg.connect(_metadata(stack), connect_timeout=2) as connection:
        return connection.cursor(row_factory=class_row(Task)).execute(TASKS, (DAG_ID,)).fetchall()


def run_states(stack: Stack) -> list[str]:
    """States of the months' runs. Raises psycopg.OperationalError without a database."""
    with psycopg.connect(_metadata(stack), connect_timeout=2) as connection:
        return [str(state) for (state,) in connection.execute(RUNS, (DAG_ID,))]


def shares(done: list[Task]) -> str:
    """How many tasks each host ran, the busiest first."""
    counted: Counter[Any] = Counter(task.hostname for task in done if task.hostname)
    total = sum(counted.values())
    return ", ".join(f"{host} {count} ({count / total:.0%})" for host, count in counted.most_common())


def _metadata(stack: Stack) -> str:
    return make_conninfo(
        host="127.0.0.1",
        port=stack.ports.postgres,
        dbname=METADATA_DATABASE,
        user="airflow",
        password=stack.credentials.airflow_database,
    )
