"""The pages and what they are made of: files of this package, handed out as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from crypto_market.ui.views import PAGES
from include.api.access import Access
from include.api.app import PREFIX

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
# Nothing from anywhere else, and framed by Airflow's own pages only; the charts write styles into the page.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page(request: Request, name: str) -> Response:
    """One of PAGES."""
    if name not in PAGES:
        raise HTTPException(404, f"there is no page {name}")
    return _html(request, name)


def docs(request: Request) -> Response:
    """The API's description for people, made in their browser from the one for programs."""
    return _html(request, "docs")


def static(request: Request, path: str) -> Response:
    """A script, style or picture of the pages."""
    found = (STATIC / path).resolve()
    if not found.is_relative_to(STATIC) or found.suffix not in KINDS or not found.is_file():
        raise HTTPException(404, f"there is no file {path}")
    return _file(request, found, KINDS[found.suffix])


def routers(access: Access, rights: Callable[..., Any]) -> list[APIRouter]:
    """Pages and what they are made of for whoever may read, the API's description for whoever may see that.

    rights: a FastAPI endpoint that tells a page what its user may see.
    """
    readable = APIRouter(include_in_schema=False, dependencies=[Depends(access.read)])
    readable.add_api_route("/pages/{name}", page)
    readable.add_api_route("/rights", rights)
    readable.add_api_route("/static/{path:path}", static)
    described = APIRouter(include_in_schema=False, dependencies=[Depends(access.docs)])
    described.add_api_route(f"{PREFIX}/docs", docs)
    return [readable, described]


def _html(request: Request, name: str) -> Response:
    return _file(request, HERE / "pages" / f"{name}.html", "text/html")


def _file(request: Request, path: Path, media_type: str) -> Response:
    """The file, or 304 where the browser has it as it is."""
    response = FileResponse(path, headers=HEADERS, media_type=media_type, stat_result=path.stat())
    etag = response.headers["etag"]
    if etag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={**HEADERS, "ETag": etag})
    return response
