"""Who runs the tasks: what may be chosen, and that a queue never forms where nobody would see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.stack.executor import Executor, last_executor
from include.stack.layout import StackError


def test_the_scheduler_runs_the_tasks_unless_told_otherwise() -> None:
    assert Executor.from_environment({}) == Executor(slots=4, workers=0)
    assert not Executor.from_environment({"AIRFLOW_EXECUTOR": "LocalExecutor", "AIRFLOW_WORKERS": "3"}).is_celery


def test_celery_has_two_workers_unless_told_otherwise() -> None:
    chosen = {"AIRFLOW_EXECUTOR": "CeleryExecutor"}
    assert Executor.from_environment(chosen) == Executor(slots=4, workers=2)
    assert Executor.from_environment({**chosen, "AIRFLOW_WORKERS": "5", "AIRFLOW_PARALLELISM": "9"}) == Executor(9, 5)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("AIRFLOW_EXECUTOR", "celery"),
        ("AIRFLOW_PARALLELISM", "0"),
        ("AIRFLOW_WORKERS", "two"),
        ("AIRFLOW_WORKERS", "-1"),
    ],
)
def test_what_cannot_be_is_named(variable: str, text: str) -> None:
    with pytest.raises(StackError, match=f"{variable}='{text}'"):
        Executor.from_environment({"AIRFLOW_EXECUTOR": "CeleryExecutor", variable: text})


@pytest.mark.parametrize("slots", range(1, 12))
@pytest.mark.parametrize("workers", range(1, 5))
def test_the_workers_have_room_for_every_task_that_may_be_queued(slots: int, workers: int) -> None:
    # Otherwise a task could wait in Redis longer than TASK_QUEUED_TIMEOUT, and be taken for lost.
    assert Executor(slots, workers).concurrency * workers >= slots


def test_the_last_executor_is_remembered(tmp_path: Path) -> None:
    assert not last_executor(tmp_path).is_celery
    Executor(6, 3).note(tmp_path)
    assert last_executor(tmp_path) == Executor(6, 3)
