"""The data API: an ASGI application that whoever mounts it gives a warehouse and says who may ask."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI

from include.api import problems
from include.api.access import Access
from include.api.routes import candles
from include.api.warehouse import Warehouse

PREFIX = "/api/v1"
VERSION = "1.0.0"

READABLE = (candles.router,)
MACHINERY: tuple[APIRouter, ...] = ()


def create_app(warehouse: Warehouse, access: Access) -> FastAPI:
    """The application; its paths begin with PREFIX, and none of them answers without `access`."""
    app = FastAPI(
        title="Crypto market data and forecasts",
        version=VERSION,
        summary="Every answer says how far it can be trusted.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.warehouse = warehouse
    problems.install(app)
    for router in READABLE:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(access.read)])
    for router in MACHINERY:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(access.machinery)])
    return app
