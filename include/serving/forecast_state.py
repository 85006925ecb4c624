"""Whether the newest forecast of a series stands, and if not, why: what it rests on is old, incomplete or not right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from include.coverage.equation import series_coverage
from include.serving.completeness import unexplained
from include.serving.deadlines import FORECAST_AGE, MODEL_AGE, candle_age, stale
from include.serving.selection import Snapshot
from include.serving.trust import Reason
from include.warehouse.sql import statement

DAY = timedelta(days=1)  # before the newest candle: what a forecast rests on most
Series = Mapping[str, Any]  # a row of sql/serving/forecast_series.sql


def forecast_series(
    look: Snapshot, venue: str | None, symbol: str | None, horizon: str | None
) -> list[tuple[Series, list[Reason]]]:
    """Each series that is forecast or was refused, with the reasons why its newest forecast does not stand, the cause
    first; only of what is named. horizon: ISO 8601."""
    values = {"venue": venue, "symbol": symbol, "horizon": horizon}
    # In binary: psycopg cannot read intervals as text where they are written in ISO 8601.
    cursor = look.connection.execute(statement("serving/forecast_series.sql"), values, binary=True)
    names = [column.name for column in cursor.description or []]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    markets = {(row["instrument_id"], row["timeframe"]): row for row in found}
    holes = {key: _holes(look, row) for key, row in markets.items()}
    return [(row, list(_reasons(look, row, holes[row["instrument_id"], row["timeframe"]]))) for row in found]


def _reasons(look: Snapshot, row: Series, holes: Reason | None) -> Iterator[Reason]:
    market, timeframe = f"{row['venue']} {row['symbol']}", row["timeframe"]
    forecast = f"the forecast of {market} {_ahead(row)}"
    as_of, candle, features = row["as_of"], row["candle_closed_at"], row["features_closed_at"]
    old = [
        stale(f"the newest {timeframe} candle of {market}", candle, look.now, candle_age(timeframe)),
        # What is no older than what it is made from is not to blame.
        stale(f"the newest {timeframe} candle with features of {market}", features, look.now, FORECAST_AGE)
        if features is None or candle is None or features < candle
        else None,
    ]
    yield from (reason for reason in old if reason)
    if holes:
        yield holes
    if row["features_lacking"]:
        text = f"{row['features_lacking']} of the last day's {timeframe} candles of {market} lack features"
        yield Reason("incomplete", text, features - DAY)
    if row["last_refused_at"] and (as_of is None or row["last_refused_at"] > row["made_at"]):
        yield Reason("refused", f"{forecast} was refused: {row['reason']}", row["last_refused_at"])
    if as_of is None or features is None or as_of < features or not any(old):
        late = stale(f"what {forecast} starts from", as_of, look.now, FORECAST_AGE)
        if late:
            yield late
    if row["trained_at"] and (
        aged := stale(f"the newest training for {forecast}", row["trained_at"], look.now, MODEL_AGE)
    ):
        yield replace(aged, code="model_old")
    if row["is_sealed"] is False:
        yield Reason("unverified", f"{forecast} is not what was sealed; see `python -m include.cli verify-forecasts`")


def volatility_reason(look: Snapshot, row: Series) -> str | None:
    """Why the newest forecast of a series says nothing of volatility; None where it does, or never would."""
    refused_at = row["volatility_refused_at"]
    if row["predicted_volatility"] is None:
        return row["volatility_reason"] if refused_at and refused_at >= row["made_at"] else None
    if row["volatility_trained_at"]:
        aged = stale("the newest training of its volatility", row["volatility_trained_at"], look.now, MODEL_AGE)
        return aged.text if aged else None
    return None


def _holes(look: Snapshot, row: Series) -> Reason | None:
    closed_at = row["candle_closed_at"]
    if closed_at is None:
        return None
    counted = series_coverage(
        look.connection,
        row["instrument_id"],
        row["venue"],
        row["symbol"],
        row["timeframe"],
        look.now,
        start=closed_at - DAY,
        end=closed_at,
    )
    reason = unexplained(counted)
    where = f"in the last day of {row['venue']} {row['symbol']}, {row['timeframe']}"
    return reason and replace(reason, text=f"{where}: {reason.text}")


def _ahead(row: Series) -> str:
    hours = int(row["horizon"].total_seconds() // 3600)
    return "an hour ahead" if hours == 1 else f"{hours} hours ahead"
