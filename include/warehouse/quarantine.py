"""Rows of a payload that failed validation, kept as they came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from include.candles.model import RejectedRow
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.text import storable
from include.warehouse.world import claim_world


def fingerprint(row: RejectedRow, *about: object) -> bytes:
    """SHA-256 of the rejected row and what it is about; equal exactly for the same rejection."""
    opened_at = row.opened_at.isoformat() if row.opened_at else None
    return hashlib.sha256(json.dumps([row.reason, row.raw, opened_at, *about]).encode()).digest()


def quarantine_rows(
    connection: Connection,
    rejected: Sequence[RejectedRow],
    *,
    source: str,
    request: str,
    world: str,
    recorded_at: datetime,
    dataset: str = "candle",
    instrument_id: int | None = None,
    timeframe: str | None = None,
) -> int:
    """Keep rejected rows in market.quarantine; answers how many were not there yet.

    The same row rejected again for the same reason is kept once, so a repeat writes nothing.
    request: what was asked (URL). recorded_at: our knowledge time (UTC). Raises WorldMismatchError.
    """
    if not rejected:
        return 0
    # A payload that PostgreSQL could not hold as it is is still worth keeping.
    kept = [row._replace(reason=storable(row.reason), raw=storable(row.raw)) for row in rejected]
    by_fingerprint = {fingerprint(row, dataset, source, instrument_id, timeframe): row for row in kept}
    values = {
        "dataset": dataset,
        "source": source,
        "request": request,
        "instrument_id": instrument_id,
        "timeframe": timeframe,
        "recorded_at": recorded_at,
        "fingerprints": list(by_fingerprint),
        "opened_ats": [row.opened_at for row in by_fingerprint.values()],
        "reasons": [row.reason for row in by_fingerprint.values()],
        "raws": [row.raw for row in by_fingerprint.values()],
    }
    with connection.transaction():
        claim_world(connection, world)
        return connection.execute(statement("upsert/insert_quarantine.sql"), values).rowcount
