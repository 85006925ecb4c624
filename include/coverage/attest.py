"""What an answer proves: which candles the venue had, which it did not have, and what the ledger says of those.

An answer is noted once as evidence. A candle it lacks is put down at once as `outage` where an outage is known, or as
`empty` where the venue omits intervals without trades, nothing can come any more and the silence is short. Else one
silence proves nothing: a second answer, CONFIRM_AFTER later or of another source, has to lack it too. Until then it is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from include.candles.batch import CandleBatch
from include.candles.model import Candle
from include.candles.timeframes import ceil, expected_count, floor, step
from include.coverage.outages import known_outages, outage_spans
from include.coverage.spans import Span, from_ranges, intersect, of_opens, subtract, to_range, to_ranges, union, within
from include.venues.capabilities import CAPABILITIES
from include.venues.model import CandlePage
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement

CONFIRM_AFTER = timedelta(hours=1)
SETTLED_AFTER = timedelta(days=1)
# One answer may be wrong: a longer silence, even of a venue that omits intervals without trades, needs a second one.
BELIEVED_SILENCE = timedelta(hours=6)
NEVER = "-infinity"
# A listed market trades: an answer without a single row for longer than this is a fault of the venue and proves
# nothing, unless the venue omits intervals without trades. The longest silence in years of history was 33 hours.
LONGEST_SILENCE = timedelta(days=2)

EMPTY, OUTAGE, OUT_OF_REACH = "empty", "outage", "out_of_reach"


class Entry(NamedTuple):
    """A row of the ledger without its series: why no candle opens in `span`, by which answer, known since when."""

    span: Span
    state: str
    reason: str
    attestation_id: int | None
    recorded_at: datetime


def attest(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    page: CandlePage,
    *,
    venue: str,
    now: datetime,
    omits_empty: bool | None = None,
) -> None:
    """Note the answer and bring the ledger in line with it; the same answer again adds nothing.

    Call it in the transaction that stored the page's candles, after them. venue: our name of the exchange. now: when
    the answer came (UTC). omits_empty: whether this source has no row for an interval without trades; what the venue
    does by default. Raises ValueError for a page whose window is not on open times, psycopg.errors.CheckViolation for
    one whose candles do not lie in it. A page of no open time at all proves nothing.
    """
    if page.start == page.end:
        return
    window = Span(page.start, page.end)
    if (floor(window.start, timeframe), floor(window.end, timeframe)) != window:
        raise ValueError(f"an answer of {timeframe} candles cannot cover {window}")
    absent, refused, unproven = _lacking(page, timeframe)
    values: dict[str, Any] = {
        "instrument_id": instrument_id,
        "timeframe": timeframe,
        "covers": to_range(window),
        "candle_count": len(page.candles),
        "absent": to_ranges(absent),
        "refused": to_ranges(union([*refused, *unproven])),
        "source": page.source,
        "request": page.request,
        "response_sha256": page.response_sha256,
        "recorded_at": now,
    }
    row = connection.execute(statement("coverage/insert_attestation.sql"), values).fetchone()
    if not absent and not (row and row[0]):
        return
    with connection.transaction():
        lock(connection, f"candle {instrument_id} {timeframe}")
        decided: list[Entry] = []
        if absent:
            omits = CAPABILITIES[venue].omits_empty if omits_empty is None else omits_empty
            values["settled_before"] = floor(now - SETTLED_AFTER, timeframe) if omits else NEVER
            values["believed"] = max(BELIEVED_SILENCE, step(timeframe))
            decided = _decide(connection, venue, values)
            if not (omits or page.candles or page.rejected) and window.end - window.start > LONGEST_SILENCE:
                decided = [entry for entry in decided if entry.state != EMPTY]
        came = subtract([window], union([*absent, *unproven]))
        _rewrite(connection, instrument_id, timeframe, window, came, decided)


def record_out_of_reach(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    start: datetime,
    end: datetime,
    reason: str,
    now: datetime,
) -> None:
    """Put down that no source of ours reaches the candles that open in [start, end), for the reason given.

    Only what nothing is known of is marked: no candle, and none that an answer once had. Repeatable; `now` is UTC.
    """
    window = Span(ceil(start, timeframe), floor(end, timeframe))
    if window.start >= window.end:
        return
    with connection.transaction():
        lock(connection, f"candle {instrument_id} {timeframe}")
        values = {"instrument_id": instrument_id, "timeframe": timeframe, "covers": to_range(window)}
        row = connection.execute(statement("coverage/select_reach.sql"), values).fetchone()
        entries = [Entry(span, OUT_OF_REACH, reason, None, now) for span in from_ranges(row[0] if row else [])]
        _rewrite(connection, instrument_id, timeframe, window, [], entries)


def _lacking(page: CandlePage, timeframe: str) -> tuple[list[Span], list[Span], list[Span]]:
    """Open times the page has no row for, those whose row was refused, and those it proves nothing of.

    A refused row without a readable time may be any of the missing ones: then none of them is proven absent.
    """
    window, length = Span(page.start, page.end), step(timeframe)
    if len(page.candles) == expected_count(*window, timeframe):
        return [], [], []
    missing = subtract([window], _present(page.candles, timeframe))
    times = [row.opened_at for row in page.rejected]
    refused = intersect(missing, of_opens((floor(at, timeframe) for at in times if at), length))
    missing = subtract(missing, refused)
    return ([], refused, missing) if None in times else (missing, refused, [])


def _present(candles: Sequence[Candle], timeframe: str) -> list[Span]:
    if isinstance(candles, CandleBatch) and candles.is_ascending and len(candles):
        return [Span(*each) for each in zip(*candles.ranges(timeframe), strict=True)]
    return of_opens((candle.opened_at for candle in candles), step(timeframe))


def _decide(connection: Connection, venue: str, values: dict[str, Any]) -> list[Entry]:
    """Entries for those absences of a noted answer (`values`) that are explained by now."""
    timeframe, now = values["timeframe"], values["recorded_at"]
    values |= {"outages": to_ranges(outage_spans(venue, timeframe)), "confirmed_before": now - CONFIRM_AFTER}
    outage, empty, attestation_id = connection.execute(statement("coverage/decide_absent.sql"), values).fetchone() or (
        [],
        [],
        None,
    )
    reason = f"{values['source']} has no candle"
    return [
        *(
            Entry(span, OUTAGE, str(known), attestation_id, now)
            for known in known_outages(venue)
            for span in intersect(from_ranges(outage), within([Span(known.starts_at, known.ends_at)], timeframe))
        ),
        *(Entry(span, EMPTY, reason, attestation_id, now) for span in from_ranges(empty)),
    ]


def _rewrite(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    window: Span,
    came: Sequence[Span],
    decided: Sequence[Entry],
) -> None:
    """Take what came out of the ledger, put what was decided in; rows that stay as they are are not touched."""
    series = {"instrument_id": instrument_id, "timeframe": timeframe}
    values = {**series, "covers": to_range(window)}
    rows = {
        coverage_id: Entry(from_ranges([covers])[0], *rest)
        for coverage_id, covers, *rest in connection.execute(statement("coverage/select_touching.sql"), values)
    }
    wanted = _merged([*_left(rows.values(), came, decided), *_new(rows.values(), decided)])
    gone = [coverage_id for coverage_id, entry in rows.items() if entry not in wanted]
    kept = {entry for entry in rows.values() if entry in wanted}
    if gone:
        connection.execute("delete from market.coverage where coverage_id = any(%s)", (gone,))
    for entry in wanted:
        if entry not in kept:
            new = {**series, **entry._asdict(), "covers": to_range(entry.span)}
            connection.execute(statement("coverage/insert_coverage.sql"), new)


def _left(rows: Iterable[Entry], came: Sequence[Span], decided: Sequence[Entry]) -> list[Entry]:
    """What stays of the rows: not what came, nor what another state was decided for."""
    left = []
    for row in rows:
        other = [entry.span for entry in decided if entry.state != row.state]
        left += [row._replace(span=span) for span in subtract([row.span], union([*came, *other]))]
    return left


def _new(rows: Iterable[Entry], decided: Sequence[Entry]) -> list[Entry]:
    """What was decided and the rows do not say yet."""
    said = {state: union(row.span for row in rows if row.state == state) for state in (EMPTY, OUTAGE, OUT_OF_REACH)}
    return [entry._replace(span=span) for entry in decided for span in subtract([entry.span], said[entry.state])]


def _merged(entries: Iterable[Entry]) -> list[Entry]:
    """Neighbours of one state and reason as one entry, with the newest of their evidence."""
    merged: list[Entry] = []
    for entry in sorted(entries, key=lambda each: each.span):
        last = merged[-1] if merged else None
        if last and last.span.end == entry.span.start and (last.state, last.reason) == (entry.state, entry.reason):
            newest = max(last, entry, key=lambda each: each.recorded_at)
            merged[-1] = newest._replace(span=Span(last.span.start, entry.span.end))
        else:
            merged.append(entry)
    return merged
