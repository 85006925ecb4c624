"""Coins by their performance on each UTC day."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.serving.deadlines import RANKING_AGE, stale
from include.serving.selection import Answer, Selection, Snapshot
from include.serving.trust import Reason
from include.serving.window import window
from include.warehouse.sql import statement

DAY = timedelta(days=1)
USUAL = 30 * DAY


def rankings(look: Snapshot, start: datetime | None = None, end: datetime | None = None) -> Answer:
    """Rankings of the days that begin in [start, end), UTC; start None for the last 30 days, end None for up to now.

    Complete is the share of the days that are there, from the first to the newest with a rank; a coin without one says
    why. The answer abstains where a day is missing, and, where it reaches to now, where the newest is too old.
    """
    within = window(look, start, end, USUAL)
    row = look.connection.execute(statement("serving/ranking_days.sql"), within.values).fetchone()
    newest, expected, there, first_missing, until = row or (None, 0, 0, None, None)
    trust = look.trust(first_missing or until, 100 * there / expected if expected else None)
    if first_missing:
        text = f"{expected - there} of {expected} days are not ranked at all, first {first_missing:%Y-%m-%d}"
        trust = trust.because(Reason("incomplete", text, first_missing))
    if within.end > look.now - DAY:
        trust = trust.because(stale("the newest ranked day", newest, look.now, RANKING_AGE))
    return Answer(Selection("rankings", within.values, key=("day", "crypto")), trust)
