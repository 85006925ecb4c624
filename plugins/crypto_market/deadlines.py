"""By when a run has to be done, and what happens where it is not: a warning, a counter, and the product's notifier.

Airflow notices a missed deadline in the scheduler and runs `deadline_missed` in the executor, as it would a task.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

CONNECTION_ID = "deadline_alerts"
# Airflow 3.3.2 refuses callbacks every stored connection: this one has to be in the environment of the executor.
VARIABLE = f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"
SWITCH = "CRYPTO_MARKET_DEADLINES"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MissedDeadline:
    """A run that was not done in time; times as Airflow writes them, in UTC."""

    dag_id: str
    run_id: str
    queued_at: str
    deadline: str

    @property
    def message(self) -> str:
        """One line for people."""
        return f"{self.dag_id}: run {self.run_id}, queued at {self.queued_at}, was not done by {self.deadline}"

    def as_dict(self) -> dict[str, Any]:
        """Fields as plain text, for templates."""
        return asdict(self)


EXAMPLE = MissedDeadline("ohlcv_hourly", "scheduled__2024-06-01", "2024-06-01T01:02:00Z", "2024-06-01T01:22:00Z")


def done_within(interval: timedelta) -> DeadlineAlert | None:
    """The deadline of each run of a DAG, counted from when the run was queued.

    None where nobody waits for one: under `airflow dags test`, and with CRYPTO_MARKET_DEADLINES=off for `dag.test()`.
    Airflow 3.3.2 fails there for any DAG with a deadline, after the run has succeeded.
    """
    if sys.argv[1:3] == ["dags", "test"] or os.environ.get(SWITCH) == "off":
        return None
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, interval, SyncCallback(deadline_missed))


def deadline_missed(context: dict[str, Any]) -> None:
    """Say which run is late: in the log, as a metric, and to the notifier that the connection `deadline_alerts` names.

    Raises NotifierConfigurationError, and what the notifier raises; the run itself does not notice.
    """
    from crypto_market.notifications import sender
    from include.metrics import emit

    run = context["dag_run"]
    missed = MissedDeadline(
        run["dag_id"], run["dag_run_id"], str(run["queued_at"]), str(context["deadline"]["deadline_time"])
    )
    _log.warning("deadline missed: %s", missed.message)
    emit.count("crypto.deadline.missed", dag_id=missed.dag_id)
    if os.environ.get(VARIABLE):
        sender({"run_id": missed.run_id}, CONNECTION_ID, EXAMPLE)(missed)
