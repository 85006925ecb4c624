"""What became of sealed forecasts, once the candle they were about has closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement

# No transaction that writes candles lasts as long.
REVISION_MARGIN = timedelta(days=1)


class ScoreRun(NamedTuple):
    """Scores written: of forecasts that matured, and of those whose window has a candle that came or changed since."""

    new: int
    changed: int


def score_matured(connection: Connection, now: datetime) -> ScoreRun:
    """Score every forecast whose target was reached by `now` (UTC) and whose candle is there; a repeat writes nothing.

    A forecast whose candle is missing stays unscored until the candle comes; one of volatility is scored without it
    until all of the window's candles are there.
    """
    with connection.transaction():
        lock(connection, "forecast scores")
        row = connection.execute(
            statement("forecast/upsert_score.sql"), {"now": now, "margin": REVISION_MARGIN}
        ).fetchone()
    return ScoreRun(*row) if row else ScoreRun(0, 0)
