"""Receipts, worlds and instruments in a real PostgreSQL."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from include.config.markets import MARKETS
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.changes import acknowledge, forget_consumed, pending_changes
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.world import WorldMismatchError, claim_world, world_of

AT = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSERT = (
    "insert into ops.change_range (dataset, instrument_id, timeframe, starts_at, ends_at, recorded_at)"
    " values ('candle', %s, '1h', %s, %s, %s)"
)


@pytest.fixture
def instrument_id(writer: Connection) -> int:
    return ensure_instrument(writer, MARKETS[0])


def test_late_commit_of_a_lower_id_is_not_lost(
    warehouse: WarehouseDsns, writer: Connection, instrument_id: int
) -> None:
    with connect(warehouse.writer) as slow:
        with slow.transaction():
            slow.execute(INSERT, (instrument_id, AT, AT + HOUR, AT))  # the lower id, not yet committed
            writer.execute(INSERT, (instrument_id, AT + HOUR, AT + 2 * HOUR, AT))
            seen = pending_changes(writer, "features")
            assert [change.start for change in seen] == [AT + HOUR]
            acknowledge(writer, "features", seen)
        late = pending_changes(writer, "features")
    assert [change.start for change in late] == [AT]
    assert late[0].change_id < seen[0].change_id


def test_receipts_are_per_consumer_and_repeatable(writer: Connection, instrument_id: int) -> None:
    writer.execute(INSERT, (instrument_id, AT, AT + HOUR, AT))
    changes = pending_changes(writer, "features")
    acknowledge(writer, "features", changes)
    acknowledge(writer, "features", changes)
    assert pending_changes(writer, "features") == []
    assert pending_changes(writer, "transforms") == changes
    acknowledge(writer, "transforms", [])
    assert pending_changes(writer, "transforms") == changes


def test_only_old_changes_seen_by_all_are_forgotten(writer: Connection, instrument_id: int) -> None:
    for hour in range(3):
        writer.execute(INSERT, (instrument_id, AT + hour * HOUR, AT + (hour + 1) * HOUR, AT + hour * HOUR))
    changes = pending_changes(writer, "a")
    acknowledge(writer, "a", changes)
    acknowledge(writer, "b", [changes[0], changes[2]])
    assert forget_consumed(writer, ["a", "b"], older_than=AT + 2 * HOUR) == 1
    assert [change.change_id for change in pending_changes(writer, "c")] == [c.change_id for c in changes[1:]]
    assert writer.execute(
        "select count(*) from ops.change_receipt where change_id = %s", (changes[0].change_id,)
    ).fetchone() == (0,)
    with pytest.raises(ValueError, match="consumers"):
        forget_consumed(writer, [], older_than=AT)


def test_first_write_decides_the_world(writer: Connection) -> None:
    assert world_of(writer) is None
    claim_world(writer, "synthetic")
    claim_world(writer, "synthetic")
    assert world_of(writer) == "synthetic"
    with pytest.raises(WorldMismatchError, match="holds the synthetic world; recorded data"):
        claim_world(writer, "recorded")


def test_unknown_world_is_refused(writer: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        claim_world(writer, "imagined")


def test_instrument_is_stored_once_and_follows_the_configuration(writer: Connection) -> None:
    first = ensure_instrument(writer, MARKETS[0])
    before = writer.execute("select xmin from market.instrument").fetchall()
    assert ensure_instrument(writer, MARKETS[0]) == first
    assert writer.execute("select xmin from market.instrument").fetchall() == before
    renamed = dataclasses.replace(MARKETS[0], venue_symbol="XBTUSDT")
    assert ensure_instrument(writer, renamed) == first
    assert writer.execute("select venue_symbol, base, quote from market.instrument").fetchone() == (
        "XBTUSDT",
        "BTC",
        "USDT",
    )
    assert ensure_instrument(writer, MARKETS[1]) != first
