"""The data API: an ASGI application that whoever mounts it gives a warehouse and says who may ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from time import perf_counter

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from include.api import problems
from include.api.access import Access
from include.api.headers import SecurityHeaders
from include.api.routes import (
    alerts,
    candles,
    chart,
    coverage,
    features,
    forecasts,
    instruments,
    machinery,
    models,
    pipeline,
    rankings,
    revisions,
    sentiment,
    tickers,
)
from include.api.warehouse import Warehouse
from include.api.ways_in import describe, refuse_the_rest

PREFIX = "/api/v1"
VERSION = "1.0.0"

READABLE = (
    alerts.router,
    candles.router,
    chart.router,
    coverage.router,
    features.router,
    forecasts.router,
    instruments.router,
    models.router,
    pipeline.router,
    rankings.router,
    revisions.router,
    sentiment.router,
    tickers.router,
)
OF_DAGS = (pipeline.of_dags,)
MACHINERY = (machinery.router,)


class Stopwatch:
    """Notes when a question came in, for the header Server-Timing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["asked_at"] = perf_counter()
        await self.app(scope, receive, send)


def create_app(warehouse: Warehouse, access: Access, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The application: nothing of it, known or not, answers without `access`.

    The API's paths begin with PREFIX, its description is PREFIX/openapi.json. pages: what lies beside; each brings its
    own access.
    """
    app = FastAPI(
        title="Crypto market data and forecasts",
        version=VERSION,
        summary="Every answer says how far it can be trusted.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.warehouse = warehouse
    app.add_middleware(Stopwatch)
    app.add_middleware(SecurityHeaders)
    problems.install(app)

    seen = Depends(access.readable_dags)  # an annotation, which is a text, could not name it

    def note_dags(request: Request, dags: Collection[str] | None = seen) -> None:
        request.state.readable_dags = dags

    for router in READABLE:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(access.read)])
    for router in OF_DAGS:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(access.read), Depends(note_dags)])
    for router in MACHINERY:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(access.machinery)])
    for router in pages:
        app.include_router(router)
    describe(app, f"{PREFIX}/openapi.json", access)
    refuse_the_rest(app, access)
    return app
