"""Ways into the application that answer with no data: its description, and whatever is nowhere."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import Match, Route

from include.api.access import Access


def describe(app: FastAPI, path: str, access: Access) -> None:
    """The OpenAPI document of the application under this path."""

    def description(request: Request) -> JSONResponse:
        servers = [{"url": request.scope.get("root_path") or "/"}]
        return JSONResponse({**app.openapi(), "servers": servers}, headers={"Cache-Control": "private, no-cache"})

    app.add_api_route(path, description, dependencies=[Depends(access.docs)], include_in_schema=False)


def refuse_the_rest(app: FastAPI, access: Access) -> None:
    """Every other path and method; to be called last. Who is nobody learns that alone, not which paths there are."""

    def nothing_here(request: Request) -> Response:
        allowed = _methods(app, request)
        if allowed:
            raise HTTPException(405, f"it is asked by {', '.join(allowed)} alone", {"Allow": ", ".join(allowed)})
        raise HTTPException(404, "there is nothing of that name")

    app.add_api_route("/{path:path}", nothing_here, dependencies=[Depends(access.read)], include_in_schema=False)
    route: Any = app.routes[-1]
    route.methods.clear()  # none named: all of them, also those that nobody has heard of


def _methods(app: FastAPI, request: Request) -> list[str]:
    """By which methods the path could have been asked."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    found = (route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL)
    return sorted({method for route in found for method in route.methods or ()})
