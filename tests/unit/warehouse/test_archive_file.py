"""Candles survive a Parquet file exactly, and their hash does not depend on how a number is written."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH
from include.warehouse.archive_file import (
    CANDLE,
    TICKER,
    ArchiveError,
    content_sha256,
    decode,
    encode,
    first_difference,
)

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


def test_every_value_keeps_its_own_decimal_places() -> None:
    mixed = [
        (AT, Decimal("1.50"), Decimal("1.5"), *ROW[3:]),
        (AT, Decimal("20"), Decimal("0.00000001"), Decimal("1.0"), *ROW[4:]),
    ]
    content = encode(mixed, {})
    stored = decode(content)
    assert [[str(value) for value in row] for row in stored] == [[str(value) for value in row] for row in mixed]
    names = pq.read_schema(io.BytesIO(content)).names
    assert [name for name in names if name.endswith("_places")] == ["open_places", "high_places", "low_places"]


def rewritten(version: str | None) -> bytes:
    """A file as another release would have written it."""
    table = pq.read_table(io.BytesIO(encode([ROW], {"venue": "v"})))
    metadata = {"venue": "v"} if version is None else {"schema_version": version}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()


def test_files_of_before_the_version_was_noted_are_read() -> None:
    assert decode(rewritten(None)) == decode(rewritten("1")) == [ROW]


def test_files_of_an_unknown_schema_and_no_files_at_all_are_refused() -> None:
    with pytest.raises(ArchiveError, match=r"schema version 3 is unknown here \(1 and 2 are read\): use the release"):
        decode(rewritten("3"))
    for garbage in (b"", b"PAR1", encode([ROW], {})[:-9]):
        with pytest.raises(ArchiveError, match="not a readable file of candles"):
            decode(garbage)
    with pytest.raises(ArchiveError, match="not a readable file of tickers"):
        decode(encode([ROW], {}), TICKER)
