"""What tickers and coin snapshots share: rows observed at an instant, keyed by what and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts, merge_duplicates, stage
from include.warehouse.world import claim_world

KEY_COLUMNS = 2  # what was observed, and when


def upsert_snapshots(
    connection: Connection,
    target: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
    *,
    source: str,
    world: str,
    recorded_at: datetime,
) -> UpsertCounts:
    """Write rows whose first two `columns` are the key of the table `target`, in one transaction."""
    merged = merge_duplicates(rows, key=lambda row: row[:KEY_COLUMNS])
    if not merged:
        return UpsertCounts()
    staging = f"{target.split('.')[1]}_staging"
    upsert = statement(
        "upsert/upsert_snapshot.sql",
        staging=staging,
        target=target,
        keys=columns[:KEY_COLUMNS],
        columns=columns[KEY_COLUMNS:],
    )
    with connection.transaction():
        claim_world(connection, world)
        lock(connection, target)
        stage(connection, staging, target, columns, merged)
        written = connection.execute(upsert, {"source": source, "recorded_at": recorded_at}).fetchone()
    new, changed = written or (0, 0)
    return UpsertCounts(new, changed, len(merged) - new - changed)
