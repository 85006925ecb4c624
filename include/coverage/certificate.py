"""A certificate of completeness: the equation with its evidence and hashes, which anyone can hold a warehouse to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from include.coverage.equation import SeriesCoverage, coverage
from include.coverage.spans import Span, from_ranges, to_range
from include.venues.http import USER_AGENT
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.world import world_of

FORMAT = "coverage-certificate/1"
TOOL = USER_AGENT.split()[0]
CANONICAL_FORM = (
    "candles_sha256: SHA-256 over one line per candle of the month in order of open times, UTF-8, each ended by a line"
    " feed: open time (ISO 8601, +00:00), open, high, low, close, base_volume, quote_volume, trade_count, vwap,"
    " taker_buy_base_volume, taker_buy_quote_volume, joined by |; decimals without exponent or trailing zeros, nothing"
    " for a value that was not supplied. sha256: SHA-256 over this document without it, as JSON with sorted keys and"
    " without spaces, UTF-8."
)


class CertificateError(ValueError):
    """The file is no certificate of ours, or not as it was written."""


def issue(
    connection: Connection,
    found: Sequence[SeriesCoverage],
    generated_at: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> dict[str, Any]:
    """The certificate of what was found at `generated_at` (UTC); start, end: the window asked for, if any."""
    body: dict[str, Any] = {
        "format": FORMAT,
        "tool": TOOL,
        "world": world_of(connection),
        "generated_at": generated_at.isoformat(),
        "window": {"from": _iso(start), "to": _iso(end)},
        "complete": bool(found) and all(series.equation.is_complete for series in found),
        "canonical_form": CANONICAL_FORM,
        "series": [describe(series) | _proof(connection, series) for series in found],
    }
    return body | {"sha256": _sha256(body)}


def describe(series: SeriesCoverage) -> dict[str, Any]:
    """The equation of a series and what is unknown in it, as JSON."""
    extent = series.extent
    return {
        "venue": series.venue,
        "symbol": series.symbol,
        "timeframe": series.timeframe,
        "from": _iso(extent.start if extent else None),
        "to": _iso(extent.end if extent else None),
        "complete": series.equation.is_complete,
        "equation": series.equation._asdict(),
        "months": [{"month": f"{month:%Y-%m}", **each._asdict()} for month, each in series.months.items()],
        "unknown": [
            {**_span(each.span), "candles": each.candles, "reason": each.reason, "evidence": each.evidence}
            for each in series.unknown
        ],
    }


def parse(text: str) -> dict[str, Any]:
    """A certificate from its file. Raises CertificateError where it is none or its own hash is another."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CertificateError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CertificateError(f"not a {FORMAT}")
    body = {key: value for key, value in document.items() if key != "sha256"}
    if document.get("sha256") != _sha256(body):
        raise CertificateError("its own hash does not fit: it was changed after it was issued")
    return document


def differences(connection: Connection, document: dict[str, Any]) -> list[str]:
    """Where the warehouse is no longer what the certificate says, for a person; none where it is.

    The equation is worked out as of the certificate's own time. Raises CertificateError for one without its fields.
    """
    try:
        generated_at = datetime.fromisoformat(document["generated_at"])
        start, end = (datetime.fromisoformat(at) if at else None for at in document["window"].values())
        certified = {(each["venue"], each["symbol"], each["timeframe"]): each for each in document["series"]}
        world = document["world"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CertificateError(f"a field is missing or cannot be read: {error!r}") from error
    if world != world_of(connection):
        return [f"the certificate is of the {world} world, the warehouse of the {world_of(connection)} one"]
    now = issue(connection, coverage(connection, generated_at, start=start, end=end), generated_at, start, end)
    found = {(each["venue"], each["symbol"], each["timeframe"]): each for each in now["series"]}
    told: list[str] = []
    for key, series in certified.items():
        name = "{}:{} {}".format(*key)
        if key not in found:
            told.append(f"{name}: nothing is known of it any more")
            continue
        before = {month["month"]: month for month in series["months"]}
        after = {month["month"]: month for month in found[key]["months"]}
        for month in sorted(before.keys() | after.keys()):
            changed = _changed(before.get(month, {}), after.get(month, {}))
            if changed:
                told.append(f"{name} {month}: {', '.join(changed)}")
    return told


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{field} is {after.get(field)}, was certified as {before.get(field)}"
        for field in sorted(before.keys() | after.keys())
        if before.get(field) != after.get(field)
    ]


def _proof(connection: Connection, series: SeriesCoverage) -> dict[str, Any]:
    """Hashes of the months, the ledger with its evidence, and how many answers there are."""
    if series.extent is None:
        return {"ledger": [], "answers": []}
    values: dict[str, Any] = {
        "instrument_id": series.instrument_id,
        "timeframe": series.timeframe,
        "starts_at": series.extent.start,
        "ends_at": series.extent.end,
        "covers": to_range(series.extent),
    }
    hashes: dict[date, str] = dict(connection.execute(statement("coverage/hash_months.sql"), values))
    hashes |= dict(connection.execute(statement("coverage/select_archived_hashes.sql"), values))
    reasons = connection.execute(statement("coverage/select_reasons.sql"), values)
    answers = connection.execute(statement("coverage/count_answers.sql"), values)
    return {
        "months": [
            {"month": f"{month:%Y-%m}", **each._asdict(), "candles_sha256": hashes.get(month)}
            for month, each in series.months.items()
        ],
        "ledger": [
            {
                "state": state,
                **_span(from_ranges([covers])[0]),
                "reason": reason,
                "recorded_at": recorded_at.isoformat(),
                "source": source,
                "request": request,
                "response_sha256": response,
            }
            for state, covers, reason, recorded_at, source, request, response in reasons
        ],
        "answers": [
            {"source": source, "count": number, "newest": newest.isoformat()} for source, number, newest in answers
        ],
    }


def _span(span: Span) -> dict[str, str]:
    return {"from": span.start.isoformat(), "to": span.end.isoformat()}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _sha256(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
