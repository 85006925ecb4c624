"""The pages and what they are made of: files of this package, handed out as they are."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from crypto_market.ui.views import PAGES

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

router = APIRouter(include_in_schema=False)


def _static() -> dict[str, Path]:
    """What may be handed out, by its path below /static."""
    return {
        path.relative_to(HERE / "static").as_posix(): path
        for path in (HERE / "static").rglob("*")
        if path.suffix in KINDS
    }


@router.get("/pages/{name}")
def page(name: str) -> FileResponse:
    """One of PAGES, as HTML."""
    if name not in PAGES:
        raise HTTPException(404, f"there is no page {name}")
    return FileResponse(HERE / "pages" / f"{name}.html", headers=HEADERS, media_type="text/html")


@router.get("/static/{path:path}")
def static(path: str) -> FileResponse:
    """A script, style or picture of the pages."""
    found = _static().get(path)
    if found is None:
        raise HTTPException(404, f"there is no file {path}")
    return FileResponse(found, headers=HEADERS, media_type=KINDS[found.suffix])
