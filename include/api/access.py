"""Who may ask what: FastAPI dependencies that whoever mounts the app brings along."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any


def every_dag() -> Collection[str] | None:
    """No DAG is hidden from anybody."""
    return None


@dataclass(frozen=True, slots=True)
class Access:
    """Each raises fastapi's HTTPException, 401 for nobody and 403 for somebody who may not.

    read: market data, forecasts and their trust. machinery: budgets, circuits and what hosts answered word for word,
    which tell about connections. docs: the description of the API. readable_dags: the ids of the DAGs whose runs the
    one who asks may see, None for all.
    """

    read: Callable[..., Any]
    machinery: Callable[..., Any]
    docs: Callable[..., Any]
    readable_dags: Callable[..., Collection[str] | None] = every_dag
