"""The Fear & Greed index."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.serving.deadlines import SENTIMENT_AGE, stale
from include.serving.selection import Answer, Selection, Snapshot
from include.serving.window import window
from include.warehouse.sql import statement

USUAL = timedelta(days=365)
DAY = timedelta(days=1)


def sentiment(look: Snapshot, start: datetime | None = None, end: datetime | None = None) -> Answer:
    """Values whose day begins in [start, end), UTC; start None for the last year, end None for up to now.

    Complete is the share of the days that have a value, from the first one known on; the publisher left out a few for
    ever. The answer abstains where it reaches to now and the newest value is too old, or there is none.
    """
    within = window(look, start, end, USUAL)
    judged = {**within.values, "overdue_before": look.now - SENTIMENT_AGE}
    row = look.connection.execute(statement("serving/sentiment_days.sql"), judged).fetchone()
    published_at, expected, held, until = row or (None, 0, 0, None)
    trust = look.trust(until, 100 * held / expected if expected else None)
    if within.end > look.now - DAY:
        what = "the newest value of the Fear & Greed index"
        trust = trust.because(stale(what, published_at, look.now, SENTIMENT_AGE))
    return Answer(Selection("sentiment", within.values, key=("timestamp",)), trust)
