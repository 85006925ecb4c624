"""The settings with which scheduler, Redis, workers and database outlast each other's death.

Redis keeps nothing on disk. What is queued or runs is in Airflow's metadata database; a message that dies with Redis,
or with the worker that had taken it, is sent again once its task has been queued for TASK_QUEUED_TIMEOUT.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from include.stack.credentials import Credentials
from include.stack.executor import Executor
from include.stack.layout import Ports

# Longer than the longest task: Redis hands a message that was not acknowledged in this time to another worker.
VISIBILITY_SECONDS = 6 * 3600
# Of Celery itself: what a worker loads before it forks, and how long a result waits for a database, and a message for a
# Redis, that is just being restarted.
CELERY_SETTINGS = {
    "imports": ["include.preload"],
    "result_backend_max_retries": 20,
    "task_publish_retry_policy": {"max_retries": 30, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 1},
}


def broker_url(ports: Ports, credentials: Credentials) -> str:
    return f"redis://:{quote(credentials.redis, safe='')}@127.0.0.1:{ports.redis}/0"


def celery_environment(executor: Executor, ports: Ports, credentials: Credentials, database_url: str) -> dict[str, str]:
    """What CeleryExecutor needs to know; results lie in the metadata database, and survive Redis."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": broker_url(ports, credentials),
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database_url}",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(executor.concurrency),
        # A worker holds no message beyond those it works on, and gives them up only when they are done.
        "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        "AIRFLOW__CELERY__TASK_ACKS_LATE": "True",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(VISIBILITY_SECONDS),
        # The default of 1 s fails tasks for a Redis that is away for two.
        "AIRFLOW__CELERY__OPERATION_TIMEOUT": "10",
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": json.dumps(CELERY_SETTINGS),
        # No task waits in Redis for a slot, as there are as many slots as tasks may be queued: one that is still queued
        # after this long has lost its message.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "15",
    }
