"""What the warehouse knows about its own freshness and completeness, sent as gauges."""

from __future__ import annotations

from datetime import datetime

from include.coverage.equation import coverage
from include.metrics import emit
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def publish_facts(connection: Connection, now: datetime) -> int:
    """Send every gauge whose value lies in the warehouse; how many there were. `now` decides what is expected."""
    sent = 0
    for metric, labels, value in connection.execute(statement("metrics/newest.sql")):
        emit.gauge(metric, value, **labels)
        sent += 1
    for series in coverage(connection, now):
        labels = {"venue": series.venue, "symbol": series.symbol, "timeframe": series.timeframe}
        emit.gauge("crypto.coverage.unknown", series.equation.unknown, **labels)
        emit.gauge("crypto.coverage.held_ratio", series.held_ratio, **labels)
        sent += 2
    return sent
