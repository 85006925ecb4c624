"""Verdicts into the warehouse: a repeated reconciliation writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include.reconcile.model import DaySummary, Verdict
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import stage

_VERDICT_COLUMNS = (
    "base",
    "timeframe",
    "opened_at",
    "instrument_id",
    "verdict",
    "reason",
    "is_attributed",
    "suspects",
    "deviation_bps",
    "threshold_bps",
    "basis_bps",
)
_DAY_COLUMNS = (
    "base",
    "timeframe",
    "day",
    "instrument_id",
    "agree",
    "quote_basis",
    "outlier",
    "missing",
    "uncompared",
)


def store(
    connection: Connection,
    verdicts: Sequence[Verdict],
    days: Sequence[DaySummary],
    *,
    bases: Sequence[str],
    timeframe: str,
    start: datetime,
    end: datetime,
    recorded_at: datetime,
) -> tuple[int, int]:
    """Make the stored verdicts of the bases in [start, end) these, in one transaction; (written, removed).

    recorded_at (UTC) is kept where nothing differs.
    """
    with connection.transaction():
        lock(connection, f"reconciliation {timeframe}")
        stage(
            connection,
            "reconciliation_staging",
            "market.reconciliation",
            _VERDICT_COLUMNS,
            ((*v[:4], *v[6:9], list(v.suspects), *v[10:]) for v in verdicts),
        )
        values = {
            "bases": list(bases),
            "timeframe": timeframe,
            "starts_at": start,
            "ends_at": end,
            "recorded_at": recorded_at,
        }
        row = connection.execute(statement("reconcile/replace_verdicts.sql"), values).fetchone()
        stage(
            connection,
            "reconciliation_day_staging",
            "market.reconciliation_day",
            _DAY_COLUMNS,
            ((d.base, d.timeframe, d.day.date(), d.instrument_id, *d[6:]) for d in days),
        )
        connection.execute(statement("reconcile/upsert_days.sql"), {"recorded_at": recorded_at})
    written, gone = row or (0, 0)
    return int(written), int(gone)
