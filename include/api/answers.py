"""From an answer to a response: pages, forms, trust in body or headers, and what a cache may do with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response

from include.api.formats import JSON, MEDIA_TYPES, accepted, as_json, bulk
from include.api.paging import cursor_of, key_of, rows_after
from include.api.problems import Problem
from include.api.warehouse import TimedConnection
from include.serving.selection import Answer, Rows, Selection, Snapshot, Table
from include.serving.trust import Trust
from include.warehouse.sql import statement

CACHE_CONTROL = "private, no-cache"  # kept by the browser alone, asked about each time: history may be revised
MOST_REASONS_BYTES = 4000  # in a header


def respond(
    request: Request,
    look: Snapshot,
    answer: Answer,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    untrusted: bool = False,
) -> Response:
    """The response to one question.

    limit: rows in a page; None for all that there are. untrusted: an answer that abstains brings its rows all the same.
    Raises Problem 406 for a form that is not ours, 422 for a cursor of another question.
    """
    media_type = accepted(request.headers.get("accept"))
    if media_type is None:
        raise Problem(406, "not-acceptable", f"answers come as {', '.join(MEDIA_TYPES)}")
    after = key_of(answer.selection, cursor)
    shown = untrusted or answer.trust.verdict == "answered"
    if media_type == JSON and isinstance(answer.selection, Selection):
        body, last = _documents(look, answer.selection, limit if shown else 0, after)
    else:
        rows, last = _page(look, answer.selection, limit if shown else 0, after)
        body = bulk(rows, media_type, _in_words(answer.trust)) if media_type != JSON else as_json(rows)
    following = cursor_of(answer.selection, last) if last is not None and shown else None
    link = _link(request, following)
    etag = _etag(media_type, body, answer.trust, following)
    headers = {
        "ETag": etag,
        "Cache-Control": CACHE_CONTROL,
        "Vary": "Accept, Authorization, Cookie",
        "Server-Timing": _timing(request, look),
        **_in_words(answer.trust),
        **({"Link": f'<{link}>; rel="next"'} if link else {}),
    }
    if etag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if media_type == JSON:
        body = _envelope(answer.trust, link, body)
    return Response(body, headers=headers, media_type=media_type)


def _timing(request: Request, look: Snapshot) -> str:
    """Milliseconds spent in the database, and in all since the question came in."""
    spent = {"total": perf_counter() - request.state.asked_at}
    if isinstance(look.connection, TimedConnection):
        spent = {"database": look.connection.seconds, **spent}
    return ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in spent.items())


def trust_document(trust: Trust) -> dict[str, Any]:
    """Trust as the fields of an answer."""
    return {**asdict(trust), "verdict": trust.verdict}


def _documents(
    look: Snapshot, selection: Selection, limit: int | None, after: Any
) -> tuple[bytes, Sequence[Any] | None]:
    text = statement("serving/as_json.sql", selection=selection.file, key=list(selection.key), **selection.names)
    asked = selection.parameters(None if limit is None else limit + 1, after)
    # In binary: psycopg cannot read intervals, of which a key may be, as text in ISO 8601.
    rows = look.connection.execute(text, asked, binary=True).fetchall()
    page = rows if limit is None else rows[:limit]
    body = b"[" + ",".join(row[0] for row in page).encode() + b"]"
    return body, page[-1][1:] if page and len(rows) > len(page) else None


def _page(
    look: Snapshot, selection: Selection | Table, limit: int | None, after: Any
) -> tuple[Rows, Sequence[Any] | None]:
    if isinstance(selection, Table):
        rows = rows_after(selection, after)
    else:
        rows = selection.rows(look.connection, None if limit is None else limit + 1, after)
    page = rows.values if limit is None else rows.values[:limit]
    places = [rows.names.index(name) for name in selection.key]
    last = [page[-1][place] for place in places] if page and len(rows.values) > len(page) else None
    return rows._replace(values=page), last


def _envelope(trust: Trust, link: str | None, data: bytes) -> bytes:
    return orjson.dumps({**trust_document(trust), "next": link, "data": orjson.Fragment(data)})


def _in_words(trust: Trust) -> dict[str, str]:
    """Trust as headers, and as metadata of a schema."""
    reasons = " | ".join(f"{reason.code}: {reason.text}" for reason in trust.reasons)
    values = {
        "Market-Verdict": trust.verdict,
        "Market-Reasons": reasons.encode("ascii", "replace").decode()[:MOST_REASONS_BYTES] or None,
        "Market-As-Of": trust.as_of.isoformat(),
        "Market-World": trust.world,
        "Market-Complete-Until": trust.complete_until and trust.complete_until.isoformat(),
        "Market-Completeness-Percent": trust.completeness_percent,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _etag(media_type: str, body: bytes, trust: Trust, following: str | None) -> str:
    """Weak: two answers with equal rows and equal trust are the same, whenever they were read."""
    lasting = {name: value for name, value in trust_document(trust).items() if name != "as_of"}
    digest = hashlib.sha256(body)
    digest.update(orjson.dumps([media_type, following, lasting]))
    return f'W/"{digest.hexdigest()[:32]}"'


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"
