"""One coin's rows of mart: flags first, and from them prices, volumes and alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from include.config.transforms import (
    ALERT_AGAIN_BELOW_PERCENT,
    ALERT_PERCENT,
    ALERT_WINDOW,
    DOLLARS,
    NOTIFY_WITHIN,
    OFF_MARKET_PERCENT,
    OFF_MARKET_VENUES,
    PRICE_RULES,
    USUAL_FIGURES,
    USUAL_WITHIN_BARS,
    spike_factors,
)
from include.coverage.spans import Span
from include.transforms.model import AlertCounts, RowCounts, TransformRun
from include.transforms.spans import (
    alerts_reach,
    computable,
    days_reach,
    flags_reach,
    pieces,
    prices_reach,
)
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class Extent(NamedTuple):
    """Open times [first, last] with candles of a timeframe; kept_from: end of what was dropped after archival."""

    first: datetime
    last: datetime
    kept_from: datetime | None

    def whole(self, step: timedelta) -> Span:
        return Span(self.first, self.last + step)


def extents(connection: Connection, crypto: str | None) -> dict[str, Extent]:
    """Extents of a coin (None: of all) by timeframe."""
    rows = connection.execute(statement("transforms/select_extents.sql"), {"crypto": crypto})
    return {timeframe: Extent(first, last, kept_from) for timeframe, first, last, kept_from in rows}


def transform_coin(
    connection: Connection,
    crypto: str,
    instrument_ids: Sequence[int],
    changed: dict[str, list[Span]],
    kept_from: dict[str, datetime | None],
    *,
    recorded_at: datetime,
    because: str,
) -> TransformRun:
    """Bring a coin's rows in line with its candles. Needs an open transaction.

    changed: spans of open times by timeframe. kept_from: `Extent.kept_from` by timeframe. because: `candles`, or
    `definition` where rules changed and not the market.
    """
    about = {"crypto": crypto, "recorded_at": recorded_at}
    flags = RowCounts()
    for timeframe, spans in changed.items():
        flags = flags.plus(_flags(connection, about, timeframe, spans, kept_from[timeframe]))
    hours, kept = changed.get("1h", []), kept_from.get("1h")
    prices = volumes = RowCounts()
    rules = {"price_rules": list(PRICE_RULES)}
    for span in pieces(computable(map(prices_reach, hours), kept)):
        prices = prices.plus(_merge(connection, "upsert_hourly_price.sql", {**about, **rules, **_bounds(span)}))
    for span in pieces(computable(map(days_reach, hours), kept)):
        volumes = volumes.plus(_merge(connection, "upsert_daily_volume.sql", {**about, **_bounds(span)}))
    alerts = AlertCounts()
    for span in pieces(computable(map(alerts_reach, hours), kept)):
        for instrument_id in instrument_ids:
            values = {**about, **rules, **_bounds(span), "instrument_id": instrument_id, "because": because}
            alerts = alerts.plus(_alerts(connection, values))
    return TransformRun(1, 0, flags, prices, volumes, RowCounts(), alerts)


def _flags(
    connection: Connection, about: dict[str, Any], timeframe: str, changed: Iterable[Span], kept_from: datetime | None
) -> RowCounts:
    factors = spike_factors(timeframe)
    values = {
        **about,
        "timeframe": timeframe,
        "usual_bars": USUAL_WITHIN_BARS,
        "wick_factor": factors.wick,
        "jump_factor": factors.jump,
        "off_percent": OFF_MARKET_PERCENT,
        "least_venues": OFF_MARKET_VENUES,
        "dollars": list(DOLLARS),
    }
    counts = RowCounts()
    for span in pieces(computable((flags_reach(each, timeframe) for each in changed), kept_from), timeframe):
        bound = {**values, **_bounds(span)}
        counts = counts.plus(_merge(connection, "upsert_candle_flag.sql", bound, figures=list(USUAL_FIGURES)))
    return counts


def _alerts(connection: Connection, values: dict[str, Any]) -> AlertCounts:
    bound = {
        **values,
        "change_window": ALERT_WINDOW,
        "threshold": ALERT_PERCENT,
        "again_below": ALERT_AGAIN_BELOW_PERCENT,
        "notify_within": NOTIFY_WITHIN,
    }
    row = connection.execute(statement("transforms/upsert_price_alert.sql"), bound).fetchone()
    return AlertCounts(*row) if row else AlertCounts()


def _merge(connection: Connection, name: str, values: dict[str, Any], **names: object) -> RowCounts:
    row = connection.execute(statement(f"transforms/{name}", **names), values).fetchone()
    return RowCounts(*row) if row else RowCounts()


def _bounds(span: Span) -> dict[str, datetime]:
    return {"starts_at": span.start, "ends_at": span.end}
