"""Candles into market.candle: only what is new or differs is written, what it replaces is kept, others are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include.candles.model import Candle
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts, merge_duplicates, stage
from include.warehouse.world import claim_world

VALUE_COLUMNS: tuple[str, ...] = Candle._fields[1:]


def upsert_candles(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    candles: Sequence[Candle],
    *,
    source: str,
    world: str,
    recorded_at: datetime,
) -> UpsertCounts:
    """Write closed candles of one instrument and timeframe, in one transaction; a repeat writes nothing at all.

    source: where they came from, e.g. `binance klines`. recorded_at: our knowledge time (UTC), at or after each close.
    Replaced values go to market.candle_revision, contiguous written ranges to ops.change_range.
    Raises ContradictingRowsError, WorldMismatchError, and psycopg.errors.CheckViolation for an insane candle;
    nothing is written then.
    """
    rows = merge_duplicates(candles, key=lambda candle: candle.opened_at)
    if not rows:
        return UpsertCounts()
    with connection.transaction():
        claim_world(connection, world)
        lock(connection, f"candle {instrument_id} {timeframe}")
        stage(connection, "candle_staging", "market.candle", Candle._fields, rows)
        values = {
            "instrument_id": instrument_id,
            "timeframe": timeframe,
            "source": source,
            "recorded_at": recorded_at,
        }
        written = connection.execute(statement("upsert/upsert_candle.sql", columns=VALUE_COLUMNS), values).fetchone()
    new, changed = written or (0, 0)
    return UpsertCounts(new, changed, len(rows) - new - changed)
