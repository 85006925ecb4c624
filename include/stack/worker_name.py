"""The name under which a worker of the embedded stack reports: several share one machine, hence one host name."""

from __future__ import annotations

import os

WORKER_VARIABLE = "CRYPTO_MARKET_WORKER"


def worker_name() -> str:
    """For Airflow's `hostname_callable`. Raises KeyError outside a worker."""
    return os.environ[WORKER_VARIABLE]
