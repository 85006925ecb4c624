"""Indicators and features of a coin's hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.features.registry import NAMES
from include.serving.candles import (
    CandleQuestion,
    archived,
    counted_within,
    overdue,
    rows_percent,
    rows_until,
)
from include.serving.completeness import unexplained
from include.serving.deadlines import FEATURE_LAG, features_behind
from include.serving.selection import Answer, Selection, Snapshot, UnknownSubjectError
from include.serving.trust import Reason, Trust
from include.serving.window import Window, window
from include.warehouse.sql import statement

HOUR = timedelta(hours=1)
USUAL = 500 * HOUR


@dataclass(frozen=True, slots=True)
class FeatureQuestion:
    """Which hours: closed in [start, end), UTC; start None for the last 500, end None for up to now.

    columns: of the feature registry, in the answer's order; all of them where none is named.
    """

    crypto: str
    start: datetime | None = None
    end: datetime | None = None
    columns: Sequence[str] = ()


def features(look: Snapshot, asked: FeatureQuestion) -> Answer:
    """Hours by their close, of the market that speaks for the coin. Raises UnknownSubjectError for another coin.

    The answer abstains where the hours' candles would, and where their features are missing or lag behind the candles.
    """
    instrument_id, venue, symbol = _speaks_for(look, asked.crypto)
    within = window(look, asked.start, asked.end, USUAL)
    values = {"crypto": asked.crypto, **within.values}
    names = {"columns": list(asked.columns or NAMES)}
    trust = _trust(look, CandleQuestion(venue, symbol, "1h"), instrument_id, within)
    return Answer(Selection("features", values, key=("timestamp",), names=names), trust)


def _speaks_for(look: Snapshot, crypto: str) -> tuple[int, str, str]:
    """instrument_id, venue and symbol."""
    found = look.connection.execute(statement("serving/feature_markets.sql")).fetchall()
    known = {coin: (instrument_id, venue, symbol) for coin, instrument_id, venue, symbol in found}
    if crypto not in known:
        raise UnknownSubjectError(f"there are no features of {crypto}; known: {', '.join(known) or 'none yet'}")
    return known[crypto]


def _trust(look: Snapshot, market: CandleQuestion, instrument_id: int, within: Window) -> Trust:
    opened = Window(within.start - HOUR, within.end - HOUR)
    counted = counted_within(look, market, instrument_id, opened)
    values = {"instrument_id": instrument_id, "starts_at": opened.start, "ends_at": opened.end}
    due = {**values, "due_before": look.now - FEATURE_LAG}
    row = look.connection.execute(statement("serving/feature_gaps.sql"), due).fetchone()
    newest, candle, lacking, first_lacking, missing, first_missing = row or (None, None, 0, None, 0, None)
    percent, until = rows_percent(counted), rows_until(counted)
    if percent:
        percent = max(0.0, percent - 100 * lacking / counted.equation.expected)
    until = min([at + HOUR for at in (until, first_lacking) if at], default=None)
    trust = look.trust(until, percent).because(unexplained(counted), archived(counted))
    if missing:
        text = f"{missing} hours whose candles are held have no features, first that opened at {first_missing} UTC"
        trust = trust.because(Reason("incomplete", text, first_missing))
    if within.end > look.now - HOUR:
        behind = features_behind(f"{market.venue} {market.symbol} 1h", newest, candle)
        trust = trust.because(overdue(look, market, instrument_id), behind)
    return trust
