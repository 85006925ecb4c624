"""LocalExecutor whose tasks find their libraries loaded (`include.preload`)."""

from __future__ import annotations

import importlib

from airflow.executors.local_executor import LocalExecutor


class PreloadedLocalExecutor(LocalExecutor):
    """Airflow's own; the processes it forks have the libraries already."""

    def start(self) -> None:
        importlib.import_module("include.preload")  # here, since whoever only names the executor needs none of them
        super().start()
