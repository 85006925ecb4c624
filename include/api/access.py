"""Who may ask what: FastAPI dependencies that whoever mounts the app brings along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Access:
    """Each raises fastapi's HTTPException, 401 for nobody and 403 for somebody who may not.

    read: market data, forecasts and their trust. machinery: budgets, circuits and what hosts answered word for word,
    which tell about connections. docs: the description of the API.
    """

    read: Callable[..., Any]
    machinery: Callable[..., Any]
    docs: Callable[..., Any]
