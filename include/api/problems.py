"""Errors as problem details (RFC 9457): `application/problem+json` with type, title, status, detail and instance."""

from __future__ import annotations

import logging
from http import HTTPStatus

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from include.api.headers import DATA
from include.api.warehouse import STATEMENT_SECONDS
from include.serving.selection import UnknownSubjectError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"


class Problem(Exception):
    """An answer that is a problem. slug: its kind, the end of the problem's `type`."""

    def __init__(self, status: int, slug: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail, self.headers = status, slug, detail, headers or {}


def problem(
    request: Request, status: int, slug: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer; instance is the path that was asked, without its query."""
    content = {
        "type": f"urn:crypto-market:problem:{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every error of the app as a problem; what nobody foresaw is logged and told without a word of its own."""

    @app.exception_handler(Problem)
    def told(request: Request, error: Problem) -> JSONResponse:
        return problem(request, error.status, error.slug, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: HTTPException) -> JSONResponse:
        slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem(request, error.status_code, slug, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        said = [f"{'.'.join(map(str, each['loc'][1:])) or each['loc'][0]}: {each['msg']}" for each in error.errors()]
        return problem(request, 422, "invalid-question", "; ".join(said))

    @app.exception_handler(UnknownSubjectError)
    def of_unknown(request: Request, error: UnknownSubjectError) -> JSONResponse:
        return problem(request, 404, "unknown-subject", str(error))

    @app.exception_handler(psycopg.DataError)
    def of_values(request: Request, error: psycopg.DataError) -> JSONResponse:
        return problem(request, 422, "invalid-question", "a parameter or the cursor has a value that cannot be read")

    @app.exception_handler(psycopg.errors.QueryCanceled)
    def of_time(request: Request, error: psycopg.errors.QueryCanceled) -> JSONResponse:
        detail = f"the answer took longer than {STATEMENT_SECONDS} seconds; ask for a shorter window"
        return problem(request, 503, "too-slow", detail, {"Retry-After": RETRY_SECONDS})

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(OSError)
    def of_warehouse(request: Request, error: Exception) -> JSONResponse:
        log.error("the warehouse or the world's clock does not answer: %s", type(error).__name__)
        detail = "the warehouse does not answer; see the runbook database-down"
        return problem(request, 503, "warehouse-away", detail, {"Retry-After": RETRY_SECONDS})

    @app.exception_handler(psycopg.errors.DivisionByZero)  # a DataError, but no asker's
    @app.exception_handler(Exception)
    def of_fault(request: Request, error: Exception) -> JSONResponse:
        log.exception("a fault of this program answering %s", request.url.path, exc_info=error)
        detail = "a fault of this program; the api-server's log says which"
        return problem(request, 500, "fault", detail, DATA)  # this answer is made outside of SecurityHeaders
