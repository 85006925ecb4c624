"""How fresh each dataset is, against the deadline that is alerted on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from include.config.markets import MARKETS
from include.serving.deadlines import (
    FEATURE_LAG,
    FORECAST_AGE,
    MODEL_AGE,
    RANKING_AGE,
    SENTIMENT_AGE,
    TICKER_AGE,
    candle_age,
)
from include.serving.selection import BOOL, FLOAT, TEXT, TIME, Answer, Snapshot, Table
from include.serving.trust import Reason
from include.warehouse.sql import statement

COLUMNS = {
    "dataset": TEXT,
    "subject": TEXT,
    "newest_at": TIME,
    "age_seconds": FLOAT,
    "deadline_seconds": FLOAT,
    "is_stale": BOOL,
}
CONFIGURED = {(market.venue, market.symbol) for market in MARKETS}
DEADLINES = {
    "features": FEATURE_LAG,
    "tickers": TICKER_AGE,
    "sentiment": SENTIMENT_AGE,
    "rankings": RANKING_AGE,
    "forecasts": FORECAST_AGE,
    "models": MODEL_AGE,
}


def freshness(look: Snapshot) -> Answer:
    """A row per dataset and subject of which anything is there; what is not configured any more has no deadline.

    Ages are behind now; those of features behind the newest candle of their series.
    """
    found = look.connection.execute(statement("serving/newest.sql")).fetchall()
    rows = sorted(_row(look.now, *each) for each in found)
    trust = look.trust(None, None)
    if not rows:
        trust = trust.because(Reason("nothing_known", "nothing has been collected yet"))
    return Answer(Table("pipeline", COLUMNS, rows, ("dataset", "subject")), trust)


def _row(
    now: datetime,
    dataset: str,
    venue: str | None,
    symbol: str | None,
    detail: str | None,
    newest_at: datetime,
    candle_at: datetime | None,
) -> tuple[Any, ...]:
    age = (candle_at or now) - newest_at
    deadline = _deadline(dataset, venue, symbol, detail)
    subject = " ".join(part for part in (venue, symbol, detail) if part) or "all"
    return (
        dataset,
        subject,
        newest_at,
        age.total_seconds(),
        deadline.total_seconds() if deadline else None,
        deadline is not None and age > deadline,
    )


def _deadline(dataset: str, venue: str | None, symbol: str | None, detail: str | None) -> timedelta | None:
    if venue and (venue, symbol) not in CONFIGURED:
        return None
    return candle_age(detail or "") if dataset == "candles" else DEADLINES[dataset]
