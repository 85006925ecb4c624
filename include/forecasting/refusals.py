"""Why there is no forecast: a class for counting, a sentence for people, and a row that the views show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from include.forecasting.targets import Target
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class ReasonClass(StrEnum):
    """What ml.refusal calls a reason.

    NO_FEATURES: there is no candle with features yet. STALE: the newest features are too old. INCOMPLETE: something
    that is usually known of the newest candle is not. REWRITING: features are being replaced at this moment. LATE: the
    target is not ahead any more. SHORT_HISTORY: too few outcomes are known for an interval. OLD_MODEL: the champion is
    past its limit. UNUSABLE_MODEL: the champion cannot be loaded, or forecasts no number.
    """

    NO_FEATURES = "no_features"
    STALE = "stale"
    INCOMPLETE = "incomplete"
    REWRITING = "rewriting"
    LATE = "late"
    SHORT_HISTORY = "short_history"
    OLD_MODEL = "old_model"
    UNUSABLE_MODEL = "unusable_model"


class ForecastRefusedError(Exception):
    """There will be no forecast; the message says why."""

    def __init__(self, reason_class: ReasonClass, reason: str) -> None:
        super().__init__(reason)
        self.reason_class = reason_class


def record_refusal(
    connection: Connection,
    series: dict[str, object],
    horizon_bars: int,
    target: Target,
    error: ForecastRefusedError,
    now: datetime,
) -> None:
    """Write the refusal at `now` (UTC); the same reason again is only counted. series: instrument_id and timeframe."""
    values = {
        **series,
        "horizon_bars": horizon_bars,
        "target": str(target),
        "reason_class": str(error.reason_class),
        "reason": str(error),
        "now": now,
    }
    connection.execute(statement("forecast/upsert_refusal.sql"), values)
