"""Each hole of a series: which candles are not held, why, and which answer said so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from include.candles.timeframes import step
from include.coverage.equation import PENDING_FOR, SeriesCoverage
from include.coverage.spans import count, from_ranges, intersect, to_range
from include.serving.completeness import complete_until, percent_held
from include.serving.coverage import counted_until_now
from include.serving.selection import INT, TEXT, TIME, Answer, Snapshot, Table
from include.warehouse.sql import statement

COLUMNS = {
    "venue": TEXT,
    "symbol": TEXT,
    "timeframe": TEXT,
    "starts_at": TIME,
    "ends_at": TIME,
    "candles": INT,
    "state": TEXT,
    "reason": TEXT,
    "evidence": TEXT,
    "answered_at": TIME,
}
PENDING_MINUTES = int(PENDING_FOR.total_seconds() // 60)


def coverage_holes(
    look: Snapshot, venue: str, symbol: str, timeframe: str, start: datetime | None, end: datetime | None
) -> Answer:
    """A row per hole of the window [start, end) of open times, or of all that is expected; cut to the window.

    state: `empty`, `outage`, `out_of_reach`, `pending` or `unknown`. evidence: in words.
    Raises UnknownSubjectError for a market that is not there.
    """
    counted = counted_until_now(look, venue, symbol, timeframe, start, end)
    holes = [*_explained(look, counted), *_pending(counted), *_unknown(counted)]
    holes.sort(key=lambda hole: (*hole[:2], *hole[3:5]))
    values = {"venue": venue, "symbol": symbol, "timeframe": timeframe, "starts_at": start, "ends_at": end}
    rows = [(venue, symbol, timeframe, *hole) for hole in holes]
    table = Table("coverage_holes", COLUMNS, rows, ("starts_at", "ends_at", "state", "reason"), values)
    return Answer(table, look.trust(complete_until(counted), percent_held([counted])))


def _explained(look: Snapshot, counted: SeriesCoverage) -> Iterator[tuple[Any, ...]]:
    if counted.extent is None:
        return
    asked = {
        "instrument_id": counted.instrument_id,
        "timeframe": counted.timeframe,
        "covers": to_range(counted.extent),
    }
    rows = look.connection.execute(statement("coverage/select_reasons.sql"), asked).fetchall()
    for state, covers, reason, known_at, source, request, sha256 in rows:
        # The ledger may say why a candle is not there that has come since: what is held is no hole.
        for span in intersect(from_ranges([covers]), counted.spans[state]):
            candles = count([span], step(counted.timeframe))
            said = _answer(source, request, known_at, sha256)
            yield (*span, candles, state, reason, said, known_at)


def _answer(source: str | None, request: str | None, at: datetime, sha256: str | None) -> str:
    if source is None or request is None or sha256 is None:
        return f"no source of ours reaches it, as was known at {at:%Y-%m-%d %H:%M} UTC"
    host = urlsplit(request).hostname or request
    return f"answer of {host} ({source}) at {at:%Y-%m-%d %H:%M} UTC, SHA-256 {sha256[:16]}, without it"


def _pending(counted: SeriesCoverage) -> Iterator[tuple[Any, ...]]:
    for span in counted.spans["pending"]:
        candles = count([span], step(counted.timeframe))
        reason = f"closed less than {PENDING_MINUTES} minutes ago"
        yield (*span, candles, "pending", reason, "no answer has had it yet", None)


def _unknown(counted: SeriesCoverage) -> Iterator[tuple[Any, ...]]:
    for each in counted.unknown:
        yield (*each.span, each.candles, "unknown", each.reason.replace("_", " "), each.evidence, each.answered_at)
