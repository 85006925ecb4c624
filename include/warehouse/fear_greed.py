"""The Fear & Greed index into market.fear_greed: replaced values are kept, consumers are told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from include.venues.model import FearGreed
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts, merge_duplicates, stage
from include.warehouse.world import claim_world


def upsert_fear_greed(
    connection: Connection, days: Iterable[FearGreed], *, source: str, world: str, recorded_at: datetime
) -> UpsertCounts:
    """Write days in one transaction; a repeat writes nothing at all.

    Contiguous days that were written become changes of the dataset `fear_greed`. recorded_at: our knowledge time (UTC).
    Raises ContradictingRowsError, WorldMismatchError, and CheckViolation of psycopg for a value outside 0..100.
    """
    rows = merge_duplicates(days, key=lambda each: each.day)
    if not rows:
        return UpsertCounts()
    with connection.transaction():
        claim_world(connection, world)
        lock(connection, "market.fear_greed")
        stage(connection, "fear_greed_staging", "market.fear_greed", FearGreed._fields, rows)
        written = connection.execute(
            statement("upsert/upsert_fear_greed.sql"), {"source": source, "recorded_at": recorded_at}
        ).fetchone()
    new, changed = written or (0, 0)
    return UpsertCounts(new, changed, len(rows) - new - changed)
