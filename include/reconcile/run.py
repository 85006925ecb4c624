"""Reconciliation of a stretch of time, piece by piece, so that memory does not grow with its length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from include.candles.timeframes import EPOCH, floor, step
from include.metrics import emit
from include.reconcile.judge import Judged, judge
from include.reconcile.model import DaySummary, Finding, Verdict
from include.reconcile.read import Listed, read_instruments, read_panels
from include.reconcile.store import store
from include.reconcile.thresholds import CONTEXT, LOOKAHEAD
from include.warehouse.connection import Connection

DAY = timedelta(days=1)
# Candles per instrument that are judged at a time; their context comes on top.
PIECE = 2000


class Reconciliation(NamedTuple):
    """What was said of [start, end): verdicts other than agreement, by time, and counts per instrument and day."""

    start: datetime
    end: datetime
    verdicts: list[Verdict]
    days: list[DaySummary]

    @property
    def alarms(self) -> list[Verdict]:
        """Verdicts somebody has to look at: outliers, and hours that are missing without an explanation."""
        return [verdict for verdict in self.verdicts if verdict.verdict in {"outlier", "missing"}]


def reconcile(
    connection: Connection,
    start: datetime,
    end: datetime,
    now: datetime,
    bases: Sequence[str] | None = None,
    timeframe: str = "1h",
    *,
    keep: bool = False,
) -> Reconciliation:
    """Compare the venues' candles of all whole UTC days that [start, end) touches, as far as they are settled at `now`.

    A candle is judged once the LOOKAHEAD candles after it are closed. bases: only verdicts on these coins; None: all
    (all are read anyway, for what they say of the quotes). keep: store the verdicts, replacing those of the same days.
    The same candles give the same verdicts, whatever the pieces they are judged in. Times UTC.
    """
    length = step(timeframe)
    begin = floor(start, "1d")
    stop = min(floor(end - timedelta.resolution, "1d") + DAY, floor(now, timeframe) - LOOKAHEAD * length)
    done = Reconciliation(begin, max(begin, stop), [], [])
    listed = read_instruments(connection, timeframe)
    wanted = sorted({each.instrument.base for each in listed} if bases is None else bases)
    for since, until in _pieces(begin, stop, length):
        verdicts, days = _judge_piece(connection, listed, since, until, timeframe, wanted)
        if keep:
            store(
                connection,
                verdicts,
                days,
                bases=wanted,
                timeframe=timeframe,
                start=since,
                end=until,
                recorded_at=now,
            )
            _report(days)
        done.verdicts.extend(verdicts)
        done.days.extend(days)
    return done


def _pieces(start: datetime, end: datetime, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Whole days, about PIECE candles at a time."""
    size = max(1, PIECE * length // DAY) * DAY
    while start < end:
        yield start, min(start + size, end)
        start += size


def _judge_piece(
    connection: Connection,
    listed: Sequence[Listed],
    start: datetime,
    end: datetime,
    timeframe: str,
    bases: Sequence[str],
) -> tuple[list[Verdict], list[DaySummary]]:
    length = step(timeframe)
    panels = read_panels(connection, listed, timeframe, start - 2 * CONTEXT * length, end + LOOKAHEAD * length)
    verdicts: list[Verdict] = []
    days: list[DaySummary] = []
    for each in judge(panels):
        if each.panel.base in bases:
            rows = range((start - EPOCH) // length - each.panel.first, (end - EPOCH) // length - each.panel.first)
            kept = [finding for (row, _), finding in each.findings.items() if row in rows]
            verdicts.extend(_verdict(each, finding, timeframe) for finding in kept)
            days.extend(_days(each, kept, rows, timeframe))
    verdicts.sort(key=lambda v: (v.opened_at, v.base, v.venue, v.symbol))
    days.sort(key=lambda d: (d.day, d.base, d.venue, d.symbol))
    return verdicts, days


def _verdict(each: Judged, finding: Finding, timeframe: str) -> Verdict:
    def basis_points(value: float) -> float | None:
        return None if np.isnan(value) else round(value * 1e4, 2)

    instruments = each.panel.instruments
    instrument = instruments[finding.column]
    return Verdict(
        each.panel.base,
        timeframe,
        EPOCH + (each.panel.first + finding.row) * step(timeframe),
        instrument.instrument_id,
        instrument.venue,
        instrument.symbol,
        finding.verdict,
        finding.reason,
        len(finding.suspects) == 1,
        tuple(f"{instruments[k].venue} {instruments[k].symbol}" for k in finding.suspects),
        basis_points(finding.deviation),
        basis_points(finding.threshold),
        basis_points(finding.basis),
    )


def _days(each: Judged, findings: Sequence[Finding], rows: range, timeframe: str) -> Iterator[DaySummary]:
    length = step(timeframe)
    said: Counter[tuple[datetime, int, str]] = Counter()
    own = np.zeros(each.compared.shape, dtype=np.bool_)
    for finding in findings:
        day = floor(EPOCH + (each.panel.first + finding.row) * length, "1d")
        said[day, finding.column, finding.verdict] += 1
        own[finding.row, finding.column] = True
    present = each.panel.present
    day = floor(EPOCH + (each.panel.first + rows.start) * length, "1d")
    while (first := (day - EPOCH) // length - each.panel.first) < rows.stop:
        part = slice(max(first, rows.start), min(first + max(DAY // length, 1), rows.stop))
        for column, instrument in enumerate(each.panel.instruments):
            silent = present[part, column] & ~own[part, column]
            counts = (
                int((silent & each.compared[part, column]).sum()),
                *(said[day, column, word] for word in ("quote_basis", "outlier", "missing")),
                int((silent & ~each.compared[part, column]).sum()),
            )
            if any(counts):
                yield DaySummary(
                    each.panel.base,
                    timeframe,
                    day,
                    instrument.instrument_id,
                    instrument.venue,
                    instrument.symbol,
                    *counts,
                )
        day += DAY


def _report(days: Sequence[DaySummary]) -> None:
    totals: Counter[tuple[str, str, str]] = Counter()
    for day in days:
        for word in ("agree", "quote_basis", "outlier", "missing", "uncompared"):
            totals[day.venue, day.symbol, word] += getattr(day, word)
    for (venue, symbol, word), candles in totals.items():
        emit.count("crypto.reconcile.candles", candles, venue=venue, symbol=symbol, verdict=word)
