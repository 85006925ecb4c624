"""The data API over a test's warehouse, asked without Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel

from include.api.access import Access
from include.api.app import MACHINERY, OF_DAGS, READABLE, create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock


def everybody() -> None:
    """Access that refuses nobody; who may what is tested where Airflow answers."""


EVERYBODY = Access(everybody, everybody, everybody)
API = "/api/v1"


def shape_of(path: str) -> type[BaseModel]:
    """How the answers of a path are described; a field that is not is an error."""
    routers = (*READABLE, *OF_DAGS, *MACHINERY)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    (found,) = (route.responses[200]["model"] for route in routes if route.path == f"/{path}")
    shape: type[BaseModel] = found
    return shape


@contextmanager
def serving(dsn: str, now: datetime) -> Iterator[tuple[TestClient, FixedClock]]:
    """A client of the API over the warehouse at a time that stands still, and that time."""
    clock = FixedClock(now)
    warehouse = Warehouse(lambda: dsn, lambda: clock)
    try:
        yield TestClient(create_app(warehouse, EVERYBODY), raise_server_exceptions=False), clock
    finally:
        warehouse.close()
