"""The pages and what they are made of: files of this package, handed out as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from crypto_market.ui.views import PAGES
from include.api.access import Access
from include.api.app import PREFIX

HERE = Path(__file__).parent
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


def _static() -> dict[str, Path]:
    """What may be handed out, by its path below /static."""
    return {
        path.relative_to(HERE / "static").as_posix(): path
        for path in (HERE / "static").rglob("*")
        if path.suffix in KINDS
    }


def page(name: str) -> FileResponse:
    """One of PAGES."""
    if name not in PAGES:
        raise HTTPException(404, f"there is no page {name}")
    return _html(name)


def docs() -> FileResponse:
    """The API's description for people, made in their browser from the one for programs."""
    return _html("docs")


def static(path: str) -> FileResponse:
    """A script, style or picture of the pages."""
    found = _static().get(path)
    if found is None:
        raise HTTPException(404, f"there is no file {path}")
    return FileResponse(found, headers=HEADERS, media_type=KINDS[found.suffix])


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


def _html(name: str) -> FileResponse:
    return FileResponse(HERE / "pages" / f"{name}.html", headers=HEADERS, media_type="text/html")
