"""What every DAG of this repository has in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param

# Airflow checks the format `date-time` in its form alone; a request to its API is held to this.
INSTANT = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$"
)

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "market-data",
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=30),
}

DAG_DEFAULTS: dict[str, Any] = {
    "catchup": False,
    "render_template_as_native_obj": True,  # a list given as param arrives as a list
    "default_args": TASK_DEFAULTS,
}


def window_params() -> dict[str, Param]:
    """Params `start` and `end`: an explicit window in place of the run's own."""
    text = "UTC, e.g. 2024-06-01T00:00:00Z; leave both empty for the run's own data interval"
    schema: dict[str, Any] = {"type": ["null", "string"], "format": "date-time", "pattern": INSTANT}
    return {
        "start": Param(None, title="Start (inclusive)", description=text, **schema),
        "end": Param(None, title="End (exclusive)", description=text, **schema),
    }
