"""Feature rows in PostgreSQL's binary COPY format, encoded by numpy column by column: exact, and no loop over rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from include.candles.timeframes import SECONDS

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
_TRAILER = b"\xff\xff"
_SLICE = 512  # rows encoded at once; more do not fit into a processor's cache
_POSTGRES_EPOCH_SECONDS = 946_684_800  # 2000-01-01 UTC


def binary_rows(features: Mapping[str, npt.NDArray[Any]], timeframe: str) -> Iterator[bytes]:
    """A whole COPY stream in pieces: `bar` as opened_at, a timestamptz, then every other column as float8 in its order.

    NaN goes out as NaN; the statement that reads the staging table makes it NULL.
    """
    opened_at = (features["bar"] * SECONDS[timeframe] - _POSTGRES_EPOCH_SECONDS) * 1_000_000
    columns = [values for name, values in features.items() if name != "bar"]
    row = _row(len(columns))
    yield _SIGNATURE
    for first in range(0, len(opened_at), _SLICE):
        rows = np.repeat(row, min(_SLICE, len(opened_at) - first))
        rows["opened_at"] = opened_at[first : first + _SLICE]
        for place, values in enumerate(columns):
            rows["fields"]["value"][:, place] = values[first : first + _SLICE]
        yield rows.tobytes()
    yield _TRAILER


@cache
def _row(columns: int) -> npt.NDArray[np.void]:
    """One row with everything in it that all rows share: lengths and the number of fields."""
    field = [("bytes", ">i4"), ("value", ">f8")]
    fields = [("count", ">i2"), ("opened_at_bytes", ">i4"), ("opened_at", ">i8"), ("fields", field, (columns,))]
    row = np.zeros(1, np.dtype(fields))
    row["count"] = 1 + columns
    row["opened_at_bytes"] = row["fields"]["bytes"] = 8
    return row
