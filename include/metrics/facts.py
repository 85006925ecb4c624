"""What publish_facts works out for the facts page: figures that take more than a look into an index."""

from __future__ import annotations

from datetime import datetime

from include.config.markets import MARKETS
from include.coverage.equation import coverage
from include.metrics import emit
from include.metrics.births import births
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def publish_facts(connection: Connection, now: datetime) -> int:
    """Keep completeness and skill for sql/facts to read, and declare the counters; how many series were counted.

    `now` (UTC) decides what is expected.
    """
    configured = {(market.venue, market.symbol) for market in MARKETS}
    counted = coverage(connection, now)
    store = statement("metrics/store_coverage.sql")
    with connection.transaction():
        for series in counted:
            values = {
                "instrument_id": series.instrument_id,
                "timeframe": series.timeframe,
                "expected": series.equation.expected,
                "observed": series.equation.observed,
                "unknown": series.equation.unknown,
                "is_configured": (series.venue, series.symbol) in configured,
                "counted_at": now,
            }
            connection.execute(store, values)
        connection.execute(statement("metrics/store_served_skill.sql"))
    emit.declare(births())
    return len(counted)
