"""Sealed forecasts, and the newest of each series where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from include.candles.timeframes import floor
from include.config.markets import FORECAST_TIMEFRAME
from include.serving.deadlines import FORECAST_AGE
from include.serving.forecast_state import Series, forecast_series, volatility_reason
from include.serving.selection import (
    BOOL,
    FLOAT,
    INTERVAL,
    NUMERIC,
    TEXT,
    TIME,
    Answer,
    Selection,
    Snapshot,
    Table,
    UnknownSubjectError,
)
from include.serving.trust import Reason, Trust
from include.warehouse.sql import statement

PRICES = ("as_of_price", "predicted_price", "lower_price", "upper_price", "lower_price_95", "upper_price_95")
VOLATILITIES = (
    "predicted_volatility",
    "lower_volatility",
    "upper_volatility",
    "lower_volatility_95",
    "upper_volatility_95",
)
LATEST = {
    "crypto": TEXT,
    "venue": TEXT,
    "symbol": TEXT,
    "timeframe": TEXT,
    "horizon": INTERVAL,
    "state": TEXT,
    "reason_class": TEXT,
    "reason": TEXT,
    "refused_at": TIME,
    "as_of": TIME,
    "timestamp": TIME,
    "is_past": BOOL,
    "made_at": TIME,
    "model": TEXT,
    "model_version": TEXT,
    "is_naive": BOOL,
    "model_age": INTERVAL,
    "trained_at": TIME,
    "coverage": FLOAT,
    **dict.fromkeys(PRICES, NUMERIC),
    "up_probability": FLOAT,
    "volatility_state": TEXT,
    "volatility_reason": TEXT,
    "volatility_model": TEXT,
    "volatility_model_version": TEXT,
    "is_volatility_baseline": BOOL,
    "volatility_model_age": INTERVAL,
    **dict.fromkeys(VOLATILITIES, FLOAT),
}


class ForecastQuestion(NamedTuple):
    """Which forecasts: of a venue, symbol and horizon (ISO 8601; None: all), for targets in [start, end), UTC.

    end: None for all that lie ahead.
    """

    start: datetime
    end: datetime | None = None
    venue: str | None = None
    symbol: str | None = None
    horizon: str | None = None


def forecasts(look: Snapshot, asked: ForecastQuestion) -> Answer:
    """Sealed forecasts by target, with what became of them.

    Where the window reaches beyond now, the answer abstains if the newest forecast of a series does not stand; what is
    past was sealed, and stays answered. Raises UnknownSubjectError where nothing of what was named is forecast.
    """
    found = _known(look, asked.venue, asked.symbol, asked.horizon)
    series: dict[str, list[Any]] = {
        "instrument_ids": [row["instrument_id"] for row, _ in found],
        "timeframes": [row["timeframe"] for row, _ in found],
        "horizons_bars": [row["horizon_bars"] for row, _ in found],
    }
    end = asked.end or look.now + max((row["horizon"] for row, _ in found), default=timedelta()) + FORECAST_AGE
    window = {**series, "starts_at": asked.start, "ends_at": end}
    due_by = floor(look.now - FORECAST_AGE, FORECAST_TIMEFRAME)
    counts = look.connection.execute(statement("serving/forecast_counts.sql"), {**window, "due_by": due_by}).fetchone()
    expected, sealed, first_missing, newest = counts or (0, 0, None, None)
    trust = look.trust(first_missing or newest, 100 * sealed / expected if expected else None)
    if end > look.now:
        trust = _because(trust, [reason for _, reasons in found for reason in reasons])
    if not found:
        trust = trust.because(Reason("nothing_known", "no forecast has been made yet"))
    return Answer(Selection("forecasts", window, key=("timestamp", "venue", "symbol", "horizon")), trust)


def latest_forecasts(look: Snapshot, venue: str | None, symbol: str | None, horizon: str | None) -> Answer:
    """The newest forecast of each series; where it does not stand, no numbers, and the reason.

    Each row speaks for itself: the answer as a whole abstains where no row stands.
    Raises UnknownSubjectError where nothing of what was named is forecast.
    """
    found = _known(look, venue, symbol, horizon)
    rows = [tuple(_latest(look, row, reasons)[name] for name in LATEST) for row, reasons in found]
    standing = sum(not reasons for _, reasons in found)
    starts = [row["as_of"] for row, _ in found if row["as_of"]]
    trust = look.trust(min(starts) if starts else None, 100 * standing / len(found) if found else None)
    if not found:
        trust = trust.because(Reason("nothing_known", "no forecast has been made yet"))
    elif not standing:
        trust = _because(trust, [reason for _, reasons in found for reason in reasons])
    return Answer(Table("forecasts_latest", LATEST, rows, ()), trust)


def _known(
    look: Snapshot, venue: str | None, symbol: str | None, horizon: str | None
) -> list[tuple[Series, list[Reason]]]:
    found = forecast_series(look, venue, symbol, horizon)
    named = " ".join(name for name in (venue, symbol, horizon) if name)
    if named and not found:
        raise UnknownSubjectError(f"no forecast is made of {named}")
    return found


def _because(trust: Trust, reasons: Sequence[Reason]) -> Trust:
    """Each reason once: series of one market share most of theirs."""
    return trust.because(*dict.fromkeys(reasons))


def _latest(look: Snapshot, row: Series, reasons: Sequence[Reason]) -> dict[str, Any]:
    silent = volatility_reason(look, row)
    refusal = next((reason for reason in reasons if reason.code == "refused"), None)
    shown: dict[str, Any] = {
        **row,
        "timestamp": row["target_at"],
        "is_past": row["target_at"] and row["target_at"] <= look.now,
        "state": reasons[0].code if reasons else "served",
        "reason_class": row["reason_class"] if refusal else None,
        "reason": "; ".join(reason.text for reason in reasons) or None,
        "refused_at": refusal and refusal.since,
        "model_age": _age(row["made_at"], row["model_trained_until"]),
        "volatility_state": _volatility_state(row, reasons, silent),
        "volatility_reason": silent,
        "is_volatility_baseline": row["volatility_model"] and row["volatility_model"] == "har",
        "volatility_model_age": _age(row["made_at"], row["volatility_trained_until"]),
    }
    if reasons:
        shown |= dict.fromkeys((*PRICES, "up_probability"))
    if shown["volatility_state"] != "served":
        shown |= dict.fromkeys(VOLATILITIES)
    return shown


def _volatility_state(row: Series, reasons: Sequence[Reason], silent: str | None) -> str:
    if reasons:
        return reasons[0].code
    if row["predicted_volatility"] is None:
        return "refused" if silent else "none"
    return "model_old" if silent else "served"


def _age(made_at: datetime | None, trained_until: datetime | None) -> timedelta | None:
    return made_at - trained_until if made_at and trained_until else None
