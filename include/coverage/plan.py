"""The smallest plan that makes a warehouse complete again: what to ask for, why, and what has to wait.

In this order, within each venue's own budget of requests: what is unknown; the last closed candles that were not read
again since they settled; and the audit of history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from include.candles.timeframes import floor, step
from include.config.markets import Market
from include.coverage.attest import CONFIRM_AFTER
from include.coverage.audit import due_audits
from include.coverage.equation import ARCHIVED_SHORT, UNCONFIRMED, SeriesCoverage, Unknown, coverage
from include.coverage.spans import Span, from_ranges, intersect, subtract, to_range, union
from include.coverage.step import PURPOSES, REST, SETTLE, UNKNOWN, Step, make_step, page_size
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

BUDGET = 200  # requests to each venue
SETTLE_DELAY = timedelta(hours=1)  # late trades reach a candle within seconds; this leaves room for a sick venue
SETTLE_WINDOW = timedelta(hours=48)


class Plan(NamedTuple):
    """What to do now, in order, and what was put off, with the reason."""

    steps: list[Step]
    deferred: list[tuple[Step, str]]


def plan(connection: Connection, now: datetime, budget: int = BUDGET, venues: Collection[str] = ()) -> Plan:
    """The plan at `now` (UTC) with at most `budget` requests to each venue. It only looks, and is deterministic.

    venues: only theirs; all where none is named.
    """
    found = coverage(connection, now, venues=venues)
    markets = {row[0]: Market(*row[1:]) for row in connection.execute(statement("coverage/select_markets.sql"))}
    wanted: list[Step] = []
    deferred: list[tuple[Step, str]] = []
    for series in found:
        market = markets[series.instrument_id]
        for unknown in series.unknown:
            if why := _why_not_now(unknown, now):
                deferred.append((_step_for([unknown], series, market, now), why))
        repairable = [unknown for unknown in series.unknown if not _why_not_now(unknown, now)]
        wanted += [_step_for(group, series, market, now) for group in _in_one_request(repairable, series)]
        wanted += _settle(connection, series, market, now)
    wanted += due_audits(connection, found, markets, now)
    wanted.sort(key=lambda each: PURPOSES.index(each.purpose))
    return _within_budget(wanted, deferred, budget)


def _why_not_now(unknown: Unknown, now: datetime) -> str | None:
    """Why asking again now cannot help, or None."""
    if unknown.reason == ARCHIVED_SHORT:
        return "the month has to be restored from the archive first"
    if unknown.reason == UNCONFIRMED and unknown.answered_at and unknown.answered_at > now - CONFIRM_AFTER:
        return f"asked less than {CONFIRM_AFTER} ago; a later answer has to confirm it"
    return None


def _in_one_request(unknown: list[Unknown], series: SeriesCoverage) -> Iterator[list[Unknown]]:
    """Unknown ranges in groups that fall into one request each; a month that left the table is never asked for."""
    reach = page_size(series.venue) * step(series.timeframe)
    group: list[Unknown] = []
    for each in unknown:
        between = [Span(group[-1].span.end, each.span.start)] if group else []
        if group and (each.span.end - group[0].span.start > reach or intersect(between, series.spans["archived"])):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _step_for(group: list[Unknown], series: SeriesCoverage, market: Market, now: datetime) -> Step:
    candles = sum(each.candles for each in group)
    reasons = ", ".join(sorted({each.reason.replace("_", " ") for each in group}))
    reason = f"{candles} candle{'s' if candles > 1 else ''} {reasons}"
    return make_step(series, market, UNKNOWN, reason, Span(group[0].span.start, group[-1].span.end), now)


def _settle(connection: Connection, series: SeriesCoverage, market: Market, now: datetime) -> list[Step]:
    """The last closed candles, and those that were said not to exist, where nobody has read them again since."""
    window = Span(floor(now - SETTLE_WINDOW, series.timeframe), floor(now - SETTLE_DELAY, series.timeframe))
    answered = union(span for name in ("observed", "empty", "outage") for span in series.spans[name])
    recent = intersect([window], answered)
    if not recent:
        return []
    values = {
        "instrument_id": series.instrument_id,
        "timeframe": series.timeframe,
        "covers": to_range(window),
        "settle_delay": SETTLE_DELAY,
    }
    row = connection.execute(statement("coverage/select_settled.sql"), values).fetchone()
    unread = subtract(recent, from_ranges(row[0] if row else []))
    if not unread:
        return []
    reason = f"not read again {SETTLE_DELAY} after the close"
    return [make_step(series, market, SETTLE, reason, Span(unread[0].start, unread[-1].end), now)]


def _within_budget(wanted: list[Step], deferred: list[tuple[Step, str]], budget: int) -> Plan:
    """The steps each venue's budget holds; a long one is cut at a request's end, and its rest put off."""
    left: dict[str, int] = defaultdict(lambda: budget)
    steps: list[Step] = []
    put_off = list(deferred)
    for wish in wanted:
        venue, remaining = wish.market.venue, left[wish.market.venue]
        why = f"the budget of {budget} requests to {venue} is spent"
        if wish.requests <= remaining:
            steps.append(wish)
            left[venue] -= wish.requests
        elif remaining > 0 and wish.purpose == UNKNOWN:
            cut = wish.start + remaining * page_size(venue) * step(wish.timeframe)
            steps.append(wish._replace(end=cut, source=REST, requests=remaining))
            put_off.append((wish._replace(start=cut, requests=wish.requests - remaining), why))
            left[venue] = 0
        else:
            put_off.append((wish, why))
    return Plan(steps, put_off)
