"""Receipts, worlds and instruments in a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from include.config.markets import MARKETS
from include.features import upsert
from include.transforms import run
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.changes import CONSUMERS, KEPT_FOR, Change, acknowledge, forget_consumed, pending_changes
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


def change(connection: Connection, dataset: str, instrument_id: int | None, recorded_at: datetime) -> int:
    row = connection.execute(
        "insert into ops.change_range (dataset, instrument_id, timeframe, starts_at, ends_at, recorded_at) "
        "values (%s, %s, %s, %s, %s, %s) returning change_id",
        (dataset, instrument_id, "1h" if instrument_id else None, AT, AT + HOUR, recorded_at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def held(connection: Connection, table: str = "change_range") -> set[int]:
    return {row[0] for row in connection.execute(f"select change_id from ops.{table}")}


def test_what_all_have_dealt_with_is_forgotten_and_nothing_else(writer: Connection, instrument_id: int) -> None:
    """Every set of receipts a change may have, old and young."""
    now, consumers = AT + KEPT_FOR, CONSUMERS["candle"]
    expected = set()
    for recorded_at in (AT - timedelta(microseconds=1), AT):
        for signed in (some for size in range(4) for some in itertools.combinations(consumers, size)):
            id_ = change(writer, "candle", instrument_id, recorded_at)
            for consumer in (*signed, "somebody"):
                acknowledge(writer, consumer, [Change(id_, instrument_id, "1h", AT, AT + HOUR)])
            if recorded_at < AT and signed == consumers:
                expected.add(id_)
        for dataset, consumer in (("fear_greed", "features"), ("fear_greed", "transforms"), ("other", "features")):
            id_ = change(writer, dataset, None, recorded_at)
            acknowledge(writer, consumer, [Change(id_, None, None, AT, AT + HOUR)])
            if recorded_at < AT and (dataset, consumer) == ("fear_greed", "features"):
                expected.add(id_)
    before = held(writer)
    assert (len(expected), len(before)) == (2, 22)
    assert forget_consumed(writer, now) == 0, "the newest ids stay"
    assert forget_consumed(writer, now, kept_ids=0) == 2
    assert held(writer) == before - expected
    assert not held(writer, "change_receipt") & expected
    assert forget_consumed(writer, now, kept_ids=0) == 0


def test_the_newest_ids_stay_whatever_their_age(writer: Connection) -> None:
    ids = [change(writer, "fear_greed", None, AT) for _ in range(4)]
    ids.append(change(writer, "other", None, AT))
    acknowledge(writer, "features", pending_changes(writer, "features", "fear_greed"))
    assert forget_consumed(writer, AT + 300 * KEPT_FOR, kept_ids=3) == 2
    assert held(writer) == set(ids[2:])


def test_who_consumes_changes_is_known_where_they_are_forgotten() -> None:
    transforms = (run.CONSUMER, run.RANKING_CONSUMER)
    assert {"candle": (upsert.CONSUMER, *transforms), "fear_greed": (upsert.CONSUMER,)} == CONSUMERS


def test_a_change_that_was_forgotten_meanwhile_needs_no_receipt(writer: Connection) -> None:
    for _ in range(2):
        change(writer, "fear_greed", None, AT)
    gone, there = pending_changes(writer, "features", "fear_greed")
    writer.execute("delete from ops.change_range where change_id = %s", (gone.change_id,))
    acknowledge(writer, "features", [gone, there])
    assert held(writer, "change_receipt") == {there.change_id}


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
