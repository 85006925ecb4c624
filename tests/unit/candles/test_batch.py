"""Columns of candles behave as the list of the candles they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.candles.batch import COLUMNS, CandleBatch, closed, concat, is_sound
from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.candles.validate import split_valid

START = datetime(2024, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INT64 = 2**63 - 1
scaled = st.one_of(st.integers(0, INT64), st.integers(0, 3))  # small ones, so that figures meet and are 0
minute = st.integers(-2, 12)


def opened(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def batch(*rows: list[int]) -> CandleBatch:
    """Of rows in the order of COLUMNS."""
    return CandleBatch(np.array(rows, np.int64).reshape(len(rows), len(COLUMNS)).T)


def flat(at: datetime, price: int = 10**9) -> list[int]:
    return [opened(at), price, price, price, price, 5, 6, 7, 1, 2]


@given(st.lists(st.tuples(minute, *[scaled] * 9), max_size=6))
def test_it_is_the_sequence_of_its_candles_with_all_their_decimals(rows: list[tuple[int, ...]]) -> None:
    columns = batch(*([opened(START) + row[0] * 60_000, *row[1:]] for row in rows))
    candles = [
        Candle(
            START + row[0] * MINUTE,
            *(Decimal(f"{figure // 10**8}.{figure % 10**8:08}") for figure in row[1:7]),
            trade_count=row[7],
            taker_buy_base_volume=Decimal(f"{row[8] // 10**8}.{row[8] % 10**8:08}"),
            taker_buy_quote_volume=Decimal(f"{row[9] // 10**8}.{row[9] % 10**8:08}"),
        )
        for row in rows
    ]
    assert columns == candles
    assert candles == list(columns)
    assert str(candles) == str(list(columns))  # equal is 1.5 to 1.50, but their texts differ
    assert columns[1:3] == candles[1:3]
    assert [columns[at] for at in range(-len(rows), len(rows))] == candles + candles
    assert concat([columns[:2], columns[2:], []]) == candles
    assert isinstance(concat([columns, columns]), CandleBatch) == bool(rows)
    assert concat([candles, columns]) == candles + candles
    now = START + 3 * MINUTE
    assert closed(columns, "1m", now) == [candle for candle in candles if candle.opened_at + MINUTE <= now]


@st.composite
def nearly_sound(draw: st.DrawFn) -> list[list[int]]:
    """Up to three candles, mostly ascending, mostly flat, with a figure or two that may be too low or too high."""
    rows = []
    for at in draw(st.one_of(st.sampled_from([[0], [0, 1], [0, 9], [1, 2, 3]]), st.lists(minute, max_size=3))):
        row = [opened(START) + at * 60_000, *[2] * 9]
        for column in draw(st.lists(st.integers(0, 9), max_size=2)):
            row[column] += draw(st.sampled_from([1, -1, -2, 30_000] if column else [1, -1, 30_000, 3_600_000]))
        rows.append(row)
    return rows


@settings(max_examples=500)
@given(nearly_sound(), st.integers(-1, 1))
def test_it_is_sound_exactly_where_no_row_is_refused_merged_or_moved(rows: list[list[int]], part: int) -> None:
    columns = batch(*rows)
    start, end = START + timedelta(microseconds=part), START + 10 * MINUTE + timedelta(microseconds=part)
    good, rejected = split_valid([(candle, "") for candle in columns], "1m", start, end)
    assert is_sound(columns, "1m", start, end) == (columns == good and not rejected)


def test_a_sound_batch_is_said_to_be() -> None:
    """The property above could hold for a judge that refuses everything."""
    columns = batch(flat(START), flat(START + MINUTE))
    assert is_sound(columns, "1m", START, START + 2 * MINUTE)
    assert not is_sound(columns, "5m", START, START + 2 * MINUTE)
    assert not is_sound(batch(flat(START, price=0)), "1m", START, START + MINUTE)


def test_ranges_end_where_a_candle_is_missing() -> None:
    columns = batch(*(flat(START + at * MINUTE) for at in (0, 1, 2, 5, 7, 8)))
    starts, ends = columns.ranges("1m")
    assert [(start - START) // MINUTE for start in starts] == [0, 5, 7]
    assert [(end - START) // MINUTE for end in ends] == [3, 6, 9]
    assert columns.is_ascending
    assert not concat([columns, columns]).is_ascending  # type: ignore[attr-defined]


def test_it_differs_from_other_candles_and_other_things() -> None:
    columns = batch(flat(START))
    assert columns != batch(flat(START, 10**9 + 1))
    assert columns != [columns[0], columns[0]]
    assert columns != [columns[0]._replace(vwap=Decimal(1))]
    assert columns != "candle"
    assert "Decimal('10.00000000')" in repr(columns)
    with pytest.raises(TypeError, match="unhashable"):
        hash(columns)


@pytest.mark.parametrize(
    "columns", [np.zeros((3, 10), np.int64), np.zeros(10, np.int64), np.zeros((len(COLUMNS), 1), np.float64)]
)
def test_columns_of_another_shape_or_kind_are_refused(columns: np.ndarray) -> None:
    with pytest.raises(ValueError, match="10 rows of int64 were expected"):
        CandleBatch(columns)
