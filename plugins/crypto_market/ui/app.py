"""The data API and the pages inside Airflow's api-server, behind its login."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import FastAPI

from crypto_market.hooks.warehouse import warehouse_dsn
from crypto_market.ui.access import AIRFLOW, rights
from crypto_market.ui.pages import routers
from include.api.app import create_app
from include.api.problems import Problem
from include.api.warehouse import Warehouse
from include.clock import clock_from_environment

CONNECTION = "warehouse_reader"  # a role that can only read


def application() -> FastAPI:
    """What is mounted under the prefix of the views."""
    return create_app(Warehouse(_dsn, clock_from_environment), AIRFLOW, routers(AIRFLOW, rights))


def _dsn() -> str:
    """Raises Problem 503 where Airflow has no such connection."""
    try:
        return warehouse_dsn(CONNECTION)
    except AirflowNotFoundException as error:
        detail = f"Airflow has no connection {CONNECTION}; docs/how-to/go-live.md says how to give it"
        raise Problem(503, "warehouse-away", detail) from error
