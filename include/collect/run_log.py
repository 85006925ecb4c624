"""ops.pipeline_run: which run wrote which rows, so that every number can be traced to the task that brought it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.collect.outcome import CollectOutcome
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The task instance at work, in Airflow's names; its window where it has one."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1
    window_starts_at: datetime | None = None
    window_ends_at: datetime | None = None


def log_run(
    connection: Connection,
    task: TaskRun,
    outcomes: list[CollectOutcome],
    finished_at: datetime,
    work_seconds: float | None = None,
    wait_seconds: float | None = None,
) -> None:
    """Add the task's sums to those of its try; call it once for each time the try was at work.

    work_seconds: how long it was; wait_seconds: how much of that it waited for a source's request budget.
    """
    values = {
        **{name: getattr(task, name) for name in TaskRun.__slots__},
        "rows_new": sum(o.new for o in outcomes),
        "rows_changed": sum(o.changed for o in outcomes),
        "rows_unchanged": sum(o.unchanged for o in outcomes),
        "rows_rejected": sum(o.rejected for o in outcomes),
        "work_seconds": work_seconds,
        "wait_seconds": wait_seconds,
        "finished_at": finished_at,
    }
    connection.execute(statement("upsert/pipeline_run.sql"), values)
