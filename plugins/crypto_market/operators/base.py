"""What the operators of this repository share: a warehouse, a clock, a window, and an account of what they wrote."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.gates import seconds_waited
from crypto_market.hooks.warehouse import warehouse
from crypto_market.retry import put_off
from crypto_market.window import Cadence, Window, window

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.clock import Clock
    from include.collect.outcome import CollectOutcome
    from include.warehouse.connection import Connection


def as_bool(value: bool | str) -> bool:
    """A templated switch: a DAG without native rendering turns it into text, and the text `False` is not false.

    Raises ValueError for anything that is not clearly one or the other.
    """
    named = {"true": True, "false": False}.get(str(value).lower())
    if named is None:
        raise ValueError(f"{value!r} is neither true nor false")
    return named


class WarehouseOperator(BaseOperator):
    """Works on the warehouse.

    :param warehouse_conn_id: Airflow connection of the warehouse (templated)
    """

    template_fields: Sequence[str] = ("warehouse_conn_id",)

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id


class CollectOperator(WarehouseOperator):
    """Brings observations of one source into the warehouse for the run's window.

    :param cadence: window of a run without a data interval: the last full hour, day or month
    """

    def __init__(self, *, cadence: Cadence = "hour", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cadence: Cadence = cadence

    @abstractmethod
    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterable[CollectOutcome]:
        """Do the work, part by part. May raise NothingToCollect, which skips the task with its reason."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from include.clock import clock_from_environment
        from include.collect.outcome import NothingToCollect

        watch = Stopwatch()
        clock = clock_from_environment()
        span = window(context, self.cadence)
        self.log.info("window %s", span)
        outcomes: list[CollectOutcome] = []
        with warehouse(self.warehouse_conn_id) as connection:
            try:
                with put_off(context):
                    outcomes.extend(self.collect(connection, span, clock))
            except NothingToCollect as reason:
                raise AirflowSkipException(str(reason)) from reason
            finally:  # also of a try that failed: what it stored before stays
                account(connection, context, outcomes, clock, watch, span)
        for outcome in outcomes:
            self.log.info("%s", outcome)
        return [outcome.as_dict() for outcome in outcomes]


class Stopwatch:
    """Seconds since it was made: at work, and of those asleep for a request budget."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._waited = seconds_waited()

    def read(self) -> tuple[float, float]:
        work = time.monotonic() - self._began
        return work, min(work, seconds_waited() - self._waited)


def account(
    connection: Connection,
    context: Context,
    outcomes: Sequence[CollectOutcome],
    clock: Clock,
    watch: Stopwatch,
    span: Window | None = None,
) -> None:
    """Put down in ops.pipeline_run, and count, what a task brought; nothing for a task that brought nothing."""
    from include.collect.run_log import log_run
    from include.metrics import emit

    if outcomes:
        log_run(connection, task_run(context, span), list(outcomes), clock.now(), *watch.read())
    for outcome in outcomes:
        for result in ("new", "changed", "unchanged"):
            emit.count("crypto.ingest.rows", getattr(outcome, result), dataset=outcome.dataset, result=result)
        emit.count("crypto.ingest.rows", outcome.rejected, dataset=outcome.dataset, result="quarantined")


def task_run(context: Context, span: Window | None = None) -> Any:
    """The task instance at work, for ops.pipeline_run."""
    from include.collect.run_log import TaskRun

    ti = context["ti"]
    start, end = span or (None, None)
    return TaskRun(
        ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index, ti.try_number, start, end
    )
