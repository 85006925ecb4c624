"""Old rows of the warehouse's machinery: trimmed in small transactions, so that nobody waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from include.maintenance.removed import Removed
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

BATCH = 10_000


class Trimmed(NamedTuple):
    """A table whose rows age: the setting that says how long they stay, and the column that says since when."""

    setting: str
    table: str
    at: str


# All that may be trimmed by age. Append-only tables (ops.circuit_event, ops.repair_step, market.attestation,
# ml.refusal, all that is sealed) are evidence and stay; changes that every consumer has dealt with are forgotten by
# feature_upsert.
TRIMMED: tuple[Trimmed, ...] = (
    Trimmed("pipeline_runs", "ops.pipeline_run", "finished_at"),
    Trimmed("request_usage", "ops.request_usage", "hour"),
    Trimmed("quarantine", "market.quarantine", "recorded_at"),
)


def trim_rows(
    connection: Connection, keep_days: Mapping[str, float], now: datetime, *, dry_run: bool = True
) -> list[Removed]:
    """Remove rows older than their setting's days at `now` (UTC), or by default count them.

    connection: in autocommit mode; each batch is a transaction of its own. A table without a setting is left alone.
    """
    removed = []
    for each in TRIMMED:
        if each.setting not in keep_days:
            continue
        values = {"older_than": now - timedelta(days=keep_days[each.setting]), "most": BATCH}
        names = {"table": each.table, "at": each.at}
        name = "maintenance/count_old_rows.sql" if dry_run else "maintenance/delete_old_rows.sql"
        count = size = 0
        while True:
            row = connection.execute(statement(name, **names), values).fetchone()
            if row is None:
                raise AssertionError("an aggregate without groups answers one row")
            count, size = count + row[0], size + row[1]
            if dry_run or row[0] < BATCH:
                break
        removed.append(Removed(each.table, count, size))
    return removed
