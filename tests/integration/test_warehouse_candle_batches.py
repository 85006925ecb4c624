"""Batches of columns in a real PostgreSQL: stored to the byte as the same candles are one by one, by either way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.candles.batch import COLUMNS, CandleBatch, concat
from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.config.markets import MARKETS
from include.warehouse.candles import VALUE_COLUMNS, upsert_candles
from include.warehouse.changes import pending_changes
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.staging import ContradictingRowsError, UpsertCounts

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KNOWN = datetime(2024, 3, 1, tzinfo=UTC)
INT64 = 2**63 - 1
FIGURES = [name for name in COLUMNS if name not in {"opened_at", "trade_count"}]


def batch(minutes: Sequence[int], **figures: int) -> CandleBatch:
    """Sane candles `minutes` after START; figures in units of 10^-8, but for trade_count."""
    usual = {"open": 10 * 10**8, "high": 12 * 10**8, "low": 9 * 10**8 + 1, "close": 11 * 10**8}
    usual |= {"base_volume": 50, "quote_volume": 5 * 10**16, "trade_count": 7}
    usual |= {"taker_buy_base_volume": 0, "taker_buy_quote_volume": 123_456_789} | figures
    opened = (START - EPOCH) // timedelta(milliseconds=1) + 60_000 * np.array(minutes, np.int64)
    return CandleBatch(np.array([opened, *(np.full(len(minutes), usual[name]) for name in COLUMNS[1:])], np.int64))


def put(connection: Connection, candles: Sequence[Candle], known: datetime = KNOWN) -> UpsertCounts:
    instrument_id = ensure_instrument(connection, MARKETS[0])
    return upsert_candles(connection, instrument_id, "1m", candles, source="test", world="recorded", recorded_at=known)


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    """Every column as the bytes the server would send, which tell 1.5 from 1.50."""
    columns = ["opened_at", "recorded_at", *VALUE_COLUMNS]
    sent = ", ".join(
        f"{'numeric_send' if name in FIGURES or name == 'vwap' else 'int8send'}({name})" for name in VALUE_COLUMNS
    )
    query = f"select ({', '.join(columns)})::text, source, {sent} from market.candle order by opened_at"
    return connection.execute(query).fetchall()


def told(connection: Connection) -> list[tuple[datetime, datetime]]:
    return [(change.start, change.end) for change in pending_changes(connection, "anyone")]


def forget(owner: Connection) -> None:
    owner.execute("truncate market.candle, market.candle_revision, ops.change_range cascade")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.integers(1, INT64),
    amounts=st.lists(st.integers(0, INT64), min_size=4, max_size=4),
    count=st.integers(0, INT64),
)
def test_any_figure_is_stored_as_its_decimal_text_would_be(
    writer: Connection, owner: Connection, price: int, amounts: list[int], count: int
) -> None:
    (taker_base, base), (taker_quote, quote) = sorted(amounts[:2]), sorted(amounts[2:])
    prices = {"open": price, "high": price, "low": price, "close": price}
    one = batch([0], **prices, base_volume=base, quote_volume=quote, trade_count=count,
                taker_buy_base_volume=taker_base, taker_buy_quote_volume=taker_quote)  # fmt: skip
    results = []
    # As a list; straight into the table; and through staging, after a candle that a batch replaces.
    for first, second in ((list(one), one), (one, list(one)), (batch([0]), one)):
        forget(owner)
        put(writer, first)
        put(writer, second)
        results.append(stored(writer))
    assert results[0] == results[1] == results[2]
    figures = writer.execute("select open::text, base_volume::text from market.candle").fetchone()
    assert figures == tuple(f"{value // 10**8}.{value % 10**8:08}" for value in (price, base))


def test_a_batch_repeated_or_as_single_candles_writes_nothing(writer: Connection) -> None:
    minutes = batch([*range(100), *range(200, 300)])
    assert put(writer, minutes) == UpsertCounts(new=200)
    before = writer.execute("select xmin, ctid, recorded_at from market.candle order by opened_at").fetchall()
    for repeat in (minutes, list(minutes), minutes[50:150], batch([205])):
        assert put(writer, repeat, KNOWN + MINUTE) == UpsertCounts(unchanged=len(repeat))
    assert writer.execute("select xmin, ctid, recorded_at from market.candle order by opened_at").fetchall() == before
    assert told(writer) == [(START, START + 100 * MINUTE), (START + 200 * MINUTE, START + 300 * MINUTE)]
    writer.execute("select pg_stat_force_next_flush()")
    counted = "select n_tup_ins, n_tup_upd, n_dead_tup from pg_stat_user_tables where relname = 'candle'"
    assert writer.execute(counted).fetchone() == (200, 0, 0)


def test_a_batch_into_a_hole_and_over_its_edge_touches_what_is_new_or_differs(writer: Connection) -> None:
    put(writer, batch([0, 1, 2, 8, 9]))
    assert put(writer, batch([3, 4]), KNOWN + MINUTE) == UpsertCounts(new=2)
    changed = concat([batch([4]), batch([5, 6, 7]), batch([8], close=10 * 10**8)])
    assert put(writer, changed, KNOWN + 2 * MINUTE) == UpsertCounts(new=3, changed=1, unchanged=1)
    minutes = writer.execute("select extract(minute from opened_at)::int from market.candle order by 1").fetchall()
    assert [minute for (minute,) in minutes] == list(range(10))
    kept = writer.execute("select opened_at, close, recorded_at, superseded_at from market.candle_revision").fetchall()
    assert kept == [(START + 8 * MINUTE, Decimal(11), KNOWN, KNOWN + 2 * MINUTE)]
    assert told(writer)[-1] == (START + 8 * MINUTE, START + 10 * MINUTE)
    assert (START + 5 * MINUTE, START + 9 * MINUTE) in told(writer)


def test_a_batch_with_copies_counts_each_candle_once_and_contradictions_are_refused(writer: Connection) -> None:
    assert put(writer, batch([2, 0, 1, 0])) == UpsertCounts(new=3)
    with pytest.raises(ContradictingRowsError):
        put(writer, concat([batch([5]), batch([5], close=10 * 10**8)]))
    assert put(writer, batch([])) == UpsertCounts()
    assert len(stored(writer)) == 3


@pytest.mark.parametrize("before", [[], [0]])
def test_an_insane_batch_and_an_unknown_instrument_write_nothing(writer: Connection, before: list[int]) -> None:
    put(writer, batch(before))
    rows, changes = stored(writer), told(writer)
    with pytest.raises(psycopg.errors.CheckViolation, match="candle_prices_are_sane"):
        put(writer, concat([batch([0, 1]), batch([2], high=10**8)]))
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="instrument"):
        upsert_candles(writer, 999, "1m", batch([0, 1]), source="test", world="recorded", recorded_at=KNOWN)
    assert (stored(writer), told(writer)) == (rows, changes)


def test_an_instrument_goes_without_candles_only(owner: Connection) -> None:
    put(owner, batch([0]))
    owner.execute("truncate ops.change_range cascade")
    for statement in ("delete from market.instrument", "truncate market.instrument cascade"):
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="still ha"):
            owner.execute(statement)
    assert len(stored(owner)) == 1
    forget(owner)
    assert owner.execute("delete from market.instrument").rowcount == 1
