"""The equation of completeness, per series and month: what is expected, what is there, and why the rest is not.

expected = observed + empty + outage + out of reach + pending + unknown. Complete is what has nothing unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from include.candles.timeframes import step
from include.coverage.spans import Span, by_month, count, from_ranges, intersect, subtract, to_range, union
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

PENDING_FOR = timedelta(minutes=90)  # a live run comes every hour; later than this a candle is overdue

# Reasons why a candle is unknown, in words after its evidence; the columns of sql/coverage/select_series.sql.
DELETED, QUARANTINED, UNCONFIRMED, NEVER_ASKED = "deleted", "quarantined", "unconfirmed", "never_asked"
ARCHIVED_SHORT = "archived_short"


class Equation(NamedTuple):
    """Numbers of candles. observed: in the table, or in the verified archive only (`archived` of them)."""

    expected: int = 0
    observed: int = 0
    archived: int = 0
    empty: int = 0
    outage: int = 0
    out_of_reach: int = 0
    pending: int = 0
    unknown: int = 0

    @property
    def closes(self) -> bool:
        """Whether both sides are equal; anything else is a fault of this program."""
        explained = self.empty + self.outage + self.out_of_reach + self.pending
        return self.expected == self.observed + explained + self.unknown

    @property
    def is_complete(self) -> bool:
        return self.closes and self.unknown == 0

    def __str__(self) -> str:
        archived = f" ({self.archived} archived)" if self.archived else ""
        return (
            f"{self.expected} expected = {self.observed} observed{archived} + {self.empty} empty + {self.outage} outage"
            f" + {self.out_of_reach} out of reach + {self.pending} pending + {self.unknown} unknown"
        )


class Unknown(NamedTuple):
    """Candles nobody can account for. reason: one word of this module. evidence: what is known of it, in words.

    answered_at: when the answer came that speaks best for the reason (UTC); None where nothing was answered.
    """

    span: Span
    candles: int
    reason: str
    evidence: str
    answered_at: datetime | None = None

    def __str__(self) -> str:
        plural = "candle" if self.candles == 1 else "candles"
        return f"{self.span} ({self.candles} {plural}): {self.reason.replace('_', ' ')}, {self.evidence}"


@dataclass(frozen=True, slots=True)
class SeriesCoverage:
    """One series as it stood at `now`. spans: open times by what is known of them, by the equation's words.

    months: the equation by the first day of each month (UTC); their sum is `equation`.
    """

    instrument_id: int
    venue: str
    symbol: str
    timeframe: str
    now: datetime
    spans: dict[str, list[Span]]
    unknown: list[Unknown]
    months: dict[date, Equation]

    @property
    def market(self) -> str:
        return f"{self.venue}:{self.symbol}"

    @property
    def extent(self) -> Span | None:
        """From the first to the last open time that is expected; None where none is."""
        expected = self.spans["expected"]
        return Span(expected[0].start, expected[-1].end) if expected else None

    @property
    def missing(self) -> list[Span]:
        """Expected open times that are not held, for whatever reason."""
        return subtract(self.spans["expected"], union([*self.spans["observed"], *self.spans["archived"]]))

    @property
    def equation(self) -> Equation:
        return Equation._make(map(sum, zip(*self.months.values(), strict=True))) if self.months else Equation()

    @property
    def held_ratio(self) -> float:
        """Share of the expected candles that are held, 0 to 1; 1 where none is expected."""
        return self.equation.observed / self.equation.expected if self.equation.expected else 1.0


def known_series(connection: Connection) -> list[tuple[int, str, str, str]]:
    """instrument_id, venue, symbol and timeframe of every series of which anything is known."""
    return connection.execute(statement("coverage/select_known_series.sql")).fetchall()


def coverage(
    connection: Connection,
    now: datetime,
    *,
    venues: Collection[str] = (),
    markets: Collection[str] = (),
    timeframes: Collection[str] = (),
    start: datetime | None = None,
    end: datetime | None = None,
    pending_for: timedelta = PENDING_FOR,
) -> list[SeriesCoverage]:
    """Coverage of every known series, by venue, symbol and timeframe; only of the venues, markets (`venue:BASE/QUOTE`)
    and timeframes that are named.

    start, end: half-open window of open times instead of the series' own, from its first candle or answer to the newest
    candle that is closed at `now` (UTC) or its delisting; nothing is expected before the listing or after now.
    """
    return [
        series_coverage(connection, *series, now, start=start, end=end, pending_for=pending_for)
        for series in known_series(connection)
        if (not venues or series[1] in venues)
        and (not markets or f"{series[1]}:{series[2]}" in markets)
        and (not timeframes or series[3] in timeframes)
    ]


def series_coverage(
    connection: Connection,
    instrument_id: int,
    venue: str,
    symbol: str,
    timeframe: str,
    now: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    pending_for: timedelta = PENDING_FOR,
) -> SeriesCoverage:
    """Coverage of one series; see `coverage`. Raises LookupError for an instrument that is not there."""
    values: dict[str, Any] = {"instrument_id": instrument_id, "timeframe": timeframe}
    window = {"now": now, "starts_at": start, "ends_at": end, "pending_for": pending_for}
    cursor = connection.execute(statement("coverage/select_series.sql"), {**values, **window})
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise LookupError(f"there is no instrument {instrument_id}")
    names = [column.name for column in cursor.description]
    spans = {name: from_ranges(ranges) for name, ranges in zip(names, row, strict=True)}
    archived = connection.execute(statement("coverage/select_archived.sql"), values).fetchall()
    short = _archived_short(spans, archived, timeframe)
    found = [
        (reason, span, count([span], step(timeframe)))
        for reason in (DELETED, QUARANTINED, UNCONFIRMED, NEVER_ASKED)
        for span in spans[reason]
    ]
    unknown = sorted(_with_evidence(connection, values, found) + short, key=lambda each: each.span)
    return SeriesCoverage(
        instrument_id,
        venue,
        symbol,
        timeframe,
        now,
        spans,
        sorted(unknown, key=lambda each: each.span),
        _months(spans, short, timeframe),
    )


def _archived_short(
    spans: dict[str, list[Span]], archived: Iterable[tuple[datetime, datetime, int]], timeframe: str
) -> list[Unknown]:
    """Archived months whose file holds fewer candles than lie between its first and last and have no reason."""
    short = []
    length = step(timeframe)
    for first, last, rows in archived:
        span = Span(first, last + length)
        if intersect([span], spans["expected"]) != [span]:
            continue  # the window cuts through it: how many candles lie in each part is not known
        returned = count(intersect(spans["observed"], [span]), length)
        lacking = count(intersect(spans["archived"], [span]), length) + returned - max(rows, returned)
        if lacking > 0:
            evidence = f"its month left the table with {rows} candles"
            short.append(Unknown(span, lacking, ARCHIVED_SHORT, evidence))
    return short


def _with_evidence(connection: Connection, values: dict[str, Any], found: list[tuple[str, Span, int]]) -> list[Unknown]:
    if not found:
        return []
    asked = {**values, "spans": [to_range(span) for _, span, _ in found], "reasons": [each[0] for each in found]}
    rows = connection.execute(statement("coverage/select_evidence.sql"), asked).fetchall()
    return [
        Unknown(span, candles, reason, _words(reason, *row), row[2])
        for (reason, span, candles), row in zip(found, rows, strict=True)
    ]


def _words(reason: str, attestation_id: int | None, source: str, recorded_at: datetime, candle_count: int) -> str:
    if attestation_id is None:
        return "no answer covers it"
    answer = f"answer {attestation_id} of {source} at {recorded_at:%Y-%m-%d %H:%M:%S} with {candle_count} candles"
    return {
        DELETED: f"{answer} had it, the table has not",
        QUARANTINED: f"refused in {answer}, see market.quarantine",
        UNCONFIRMED: f"lacking once, in {answer}",
    }.get(reason, "no answer covers it")


def _months(spans: dict[str, list[Span]], short: Iterable[Unknown], timeframe: str) -> dict[date, Equation]:
    """The equation of each month in which a candle is expected."""
    length = step(timeframe)
    counts = {name: by_month(each, length) for name, each in spans.items()}
    lacking = Counter({each.span.start.date().replace(day=1): each.candles for each in short})
    months = {}
    for month in sorted(counts["expected"]):
        archived = counts["archived"][month] - lacking[month]
        unknown = sum(counts[reason][month] for reason in (DELETED, QUARANTINED, UNCONFIRMED, NEVER_ASKED))
        months[month] = Equation(
            expected=counts["expected"][month],
            observed=counts["observed"][month] + archived,
            archived=archived,
            empty=counts["empty"][month],
            outage=counts["outage"][month],
            out_of_reach=counts["out_of_reach"][month],
            pending=counts["pending"][month],
            unknown=unknown + lacking[month],
        )
    return months
