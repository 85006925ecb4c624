"""Spot snapshots: what a market's ticker said, and what each says now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from include.serving.deadlines import TICKER_AGE, stale
from include.serving.instruments import instrument_of
from include.serving.selection import Answer, Selection, Snapshot, UnknownSubjectError
from include.serving.trust import Reason
from include.serving.window import window
from include.warehouse.sql import statement

USUAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TickerQuestion:
    """Which snapshots: observed in [start, end), UTC; start None for the last day, end None for up to now."""

    venue: str
    symbol: str
    start: datetime | None = None
    end: datetime | None = None


def tickers(look: Snapshot, asked: TickerQuestion) -> Answer:
    """Snapshots by the venue's time. Raises UnknownSubjectError for a market that is not there.

    Complete is the share of the window, from the market's first snapshot on, in which there was one not older than
    TICKER_AGE. The answer abstains where that is not all of it, and where it reaches to now and the newest is too old.
    """
    within = window(look, asked.start, asked.end, USUAL)
    values = {"instrument_id": instrument_of(look, asked.venue, asked.symbol), **within.values}
    judged = {**values, "deadline": TICKER_AGE}
    row = look.connection.execute(statement("serving/ticker_gaps.sql"), judged).fetchone()
    newest, known, without, first_gap, until = row or (None, None, 0.0, None, None)
    percent = 100 * (1 - without / known) if known else None
    trust = look.trust(first_gap or until, percent)
    if first_gap:
        deadline = f"{TICKER_AGE.total_seconds() / 60:.0f} minutes"
        text = f"for {without / 60:.0f} minutes of the window the last snapshot was older than {deadline}"
        trust = trust.because(Reason("incomplete", f"{text}, first at {first_gap:%Y-%m-%d %H:%M} UTC", first_gap))
    if within.end > look.now - TICKER_AGE:
        what = f"the newest ticker of {asked.venue} {asked.symbol}"
        trust = trust.because(stale(what, newest, look.now, TICKER_AGE))
    return Answer(Selection("tickers", values, key=("observed_at",)), trust)


def latest_tickers(look: Snapshot, venue: str | None = None, symbol: str | None = None) -> Answer:
    """The newest snapshot of each market that trades; of those of a venue and with a symbol, if named.

    The answer abstains where one of them is too old, or missing; complete is the share of markets in time. Raises
    UnknownSubjectError where no market is meant.
    """
    values = {"venue": venue, "symbol": symbol, "now": look.now}
    rows = look.connection.execute(statement("serving/ticker_newest.sql"), values).fetchall()
    if not rows:
        raise UnknownSubjectError(f"there is no market {symbol or ''} at {venue or 'any venue'} that trades")
    found = [stale(f"the newest ticker of {row[0]} {row[1]}", row[2], look.now, TICKER_AGE) for row in rows]
    in_time = [row[2] for row, reason in zip(rows, found, strict=True) if reason is None]
    until = min(row[2] for row in rows) if all(row[2] for row in rows) else None
    trust = look.trust(until, 100 * len(in_time) / len(rows)).because(*found)
    return Answer(Selection("tickers_latest", values), trust)
