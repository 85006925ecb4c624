"""Candles into market.candle: only what is new or differs is written, what it replaces is kept, others are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from include.candles.batch import CandleBatch
from include.candles.model import Candle
from include.warehouse.connection import Connection, lock
from include.warehouse.copy_binary import candle_rows
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts, copy_binary, make_staging, merge_duplicates, stage
from include.warehouse.world import claim_world

# What every source gives, and what some do not publish.
REQUIRED_COLUMNS: tuple[str, ...] = Candle._fields[1:6]
OPTIONAL_COLUMNS: tuple[str, ...] = Candle._fields[6:]
VALUE_COLUMNS = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
# source -> the source it does not overrule: what a venue publishes as final stays, whichever of the two is read last.
YIELDS_TO = {"binance-rest": "binance-archive"}
STAGING, TARGET = "candle_staging", "market.candle"


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

    candles: a CandleBatch goes the fast way, straight into the table where it holds none of the batch's range; what
    is stored is the same either way. source: where they came from, e.g. `binance-rest`. recorded_at: our knowledge
    time (UTC), at or after each close.

    Which of two sources came last must not matter: a figure that is None takes away no known one while prices and
    volume are the same, and a source of YIELDS_TO overrules no other. Replaced values go to market.candle_revision,
    contiguous written ranges to ops.change_range, whose foreign key vouches for the instrument.

    Raises ContradictingRowsError, WorldMismatchError, and psycopg.errors.CheckViolation for an insane candle or
    ForeignKeyViolation for no instrument of ours; nothing is written then.
    """
    rows = candles
    if not (isinstance(candles, CandleBatch) and candles.is_ascending):
        rows = merge_duplicates(candles, key=lambda candle: candle.opened_at)
    if not rows:
        return UpsertCounts()
    key: dict[str, int | str | datetime] = {"instrument_id": instrument_id, "timeframe": timeframe}
    values = {
        **key,
        "source": source,
        "recorded_at": recorded_at,
        "yields_to": YIELDS_TO.get(source),
        "first_opened_at": rows[0].opened_at,
        "last_opened_at": rows[-1].opened_at,
    }
    with connection.transaction():
        claim_world(connection, world)
        lock(connection, f"candle {instrument_id} {timeframe}")
        if isinstance(rows, CandleBatch) and _is_empty(connection, values):
            same = {**key, "source": source, "recorded_at": recorded_at}
            copy_binary(connection, TARGET, [*Candle._fields, *same], candle_rows(rows, **same))
            starts_at, ends_at = rows.ranges(timeframe)
            written = {**values, "starts_at": starts_at, "ends_at": ends_at}
            connection.execute(statement("upsert/upsert_candle_changes.sql"), written)
            new, changed = len(rows), 0
        else:
            _stage(connection, rows)
            names = {"columns": VALUE_COLUMNS, "required": REQUIRED_COLUMNS, "optional": OPTIONAL_COLUMNS}
            query = statement("upsert/upsert_candle.sql", **names)
            new, changed = connection.execute(query, values).fetchone() or (0, 0)
    return UpsertCounts(new, changed, len(rows) - new - changed)


def _is_empty(connection: Connection, values: dict[str, Any]) -> bool:
    """Whether the table holds no candle from the first to the last of the batch; stays so under the series' lock."""
    row = connection.execute(statement("upsert/upsert_candle_range_is_empty.sql"), values).fetchone()
    return row is not None and bool(row[0])


def _stage(connection: Connection, rows: Sequence[Candle]) -> None:
    if isinstance(rows, CandleBatch):
        make_staging(connection, STAGING, TARGET, Candle._fields)
        copy_binary(connection, STAGING, Candle._fields, candle_rows(rows))
    else:
        stage(connection, STAGING, TARGET, Candle._fields, rows)
