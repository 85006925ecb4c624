"""An aggregator's view of coins into market.coin_snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from include.venues.model import CoinSnapshot
from include.warehouse.connection import Connection
from include.warehouse.snapshots import upsert_snapshots
from include.warehouse.staging import UpsertCounts


def upsert_coin_snapshots(
    connection: Connection, snapshots: Iterable[CoinSnapshot], *, source: str, world: str, recorded_at: datetime
) -> UpsertCounts:
    """Write snapshots in one transaction; a repeat writes nothing, a figure not supplied erases none.

    recorded_at: our knowledge time (UTC). Raises ContradictingRowsError, WorldMismatchError, and CheckViolation of
    psycopg for an insane figure; nothing is written then.
    """
    return upsert_snapshots(
        connection,
        "market.coin_snapshot",
        CoinSnapshot._fields,
        snapshots,
        source=source,
        world=world,
        recorded_at=recorded_at,
    )
