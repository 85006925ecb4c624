"""Candles survive a Parquet file exactly, and their hash does not depend on how a number is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH
from include.warehouse.archive_file import CANDLE, ArchiveError, content_sha256, decode, encode, first_difference

AT = datetime(2024, 1, 1, tzinfo=UTC)
ROW = (AT, *map(Decimal, ("1.50", "2", "1", "1.25", "10")), None, 7, None, None, None, "source", AT)

decimals = st.decimals(min_value=0, max_value=10**20, places=8)
times = st.integers(0, 4 * 10**15).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))
rows = st.tuples(
    times,
    *[decimals] * 5,
    st.none() | decimals,
    st.none() | st.integers(0, 2**62),
    *[st.none() | decimals] * 3,
    st.text(),
    times,
)


@given(st.lists(rows, min_size=1, max_size=5))
def test_any_rows_survive_the_file(given_rows: list[tuple[object, ...]]) -> None:
    stored = decode(encode(given_rows, {"venue": "v"}))
    assert stored == given_rows
    assert [format(row[1], "f") for row in stored] == [format(row[1], "f") for row in given_rows]
    assert content_sha256(stored) == content_sha256(given_rows)


def test_hash_is_of_values_not_of_their_writing() -> None:
    same = (AT, Decimal("1.500"), Decimal("2.0"), *ROW[3:-2], "another source", AT.replace(year=2030))
    assert content_sha256([same]) == content_sha256([ROW])
    for position in range(1, 8):
        other = (*ROW[:position], Decimal(3), *ROW[position + 1 :])
        assert content_sha256([other]) != content_sha256([ROW])
    assert content_sha256([ROW, ROW]) != content_sha256([ROW])
    assert content_sha256([(AT, Decimal("10"), *ROW[2:])]) != content_sha256([(AT, Decimal("1"), *ROW[2:])])


def test_more_digits_than_the_file_can_hold_are_refused() -> None:
    row = (AT, Decimal("1." + "1" * 30), Decimal("1" * 20), *ROW[3:])
    wide = (AT, Decimal("1" * 20), *ROW[2:])
    with pytest.raises(ArchiveError, match="open does not fit 38 digits"):
        encode([row, wide], {})


def test_first_difference_is_named() -> None:
    other = (*ROW[:1], Decimal(9), *ROW[2:])
    assert first_difference([ROW], [ROW], len(CANDLE.columns)) is None
    assert "Decimal('9')" in str(first_difference([ROW], [other], len(CANDLE.columns)))
    assert first_difference([ROW], [ROW, ROW], len(CANDLE.columns)) == "the archive has 1 candles, the table 2"
