"""The data API and the pages inside Airflow's api-server, behind its login."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from crypto_market.hooks.warehouse import warehouse_dsn
from crypto_market.ui.access import AIRFLOW
from crypto_market.ui.pages import router
from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import clock_from_environment

CONNECTION = "warehouse_reader"  # a role that can only read


def application() -> FastAPI:
    """What is mounted under the prefix of the views."""
    app = create_app(Warehouse(lambda: warehouse_dsn(CONNECTION), clock_from_environment), AIRFLOW)
    app.include_router(router, dependencies=[Depends(AIRFLOW.read)])
    return app
