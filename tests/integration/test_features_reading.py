"""Columns of floats out of a real PostgreSQL: to the bit, and nothing is guessed."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from include.features import reading
from include.features.reading import read_floats
from include.warehouse.connection import Connection


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of SQL in place of the repository's."""
    monkeypatch.setattr(reading, "statement", lambda name: (tmp_path / name).read_text())
    return tmp_path


def test_floats_come_to_the_bit_and_in_order(reader: Connection, asked: Path) -> None:
    drawn = [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in range(2**52, 2**63, 2**55 + 12345)]
    (asked / "q.sql").write_text(
        "select x::float8, n::float8 from unnest(%(drawn)s::float8[]) with ordinality as t (x, n) order by n desc"
    )
    frame = read_floats(reader, "q.sql", {"drawn": drawn}, ("x", "n"))
    assert frame["x"].tobytes() == np.array(drawn[::-1]).tobytes()
    assert frame["n"].tolist() == list(range(len(drawn), 0, -1))


def test_no_row_is_an_empty_frame_and_nan_is_nan(reader: Connection, asked: Path) -> None:
    (asked / "none.sql").write_text("select 1::float8 as x where false")
    assert len(read_floats(reader, "none.sql", {}, ("x",))["x"]) == 0
    (asked / "nan.sql").write_text("select 'NaN'::float8 as x")
    assert np.isnan(read_floats(reader, "nan.sql", {}, ("x",))["x"][0])


@pytest.mark.parametrize("column", ["null::float8", "1::numeric", "1::int"])
def test_null_and_other_types_are_refused(reader: Connection, asked: Path, column: str) -> None:
    (asked / "bad.sql").write_text(f"select {column} as x")
    with pytest.raises(ValueError, match=r"NULL|as float8"):
        read_floats(reader, "bad.sql", {}, ("x",))
