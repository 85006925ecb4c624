"""What became of sealed forecasts, once the candle they were about has closed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement


class ScoreRun(NamedTuple):
    """Scores written: of forecasts that matured, and of those whose candle the venue has revised since."""

    new: int
    changed: int


def score_matured(connection: Connection, now: datetime) -> ScoreRun:
    """Score every forecast whose target was reached by `now` (UTC) and whose candle is there; a repeat writes nothing.

    A forecast whose candle is missing stays unscored until the candle comes.
    """
    with connection.transaction():
        lock(connection, "forecast scores")
        row = connection.execute(statement("forecast/upsert_score.sql"), {"now": now}).fetchone()
    return ScoreRun(*row) if row else ScoreRun(0, 0)
