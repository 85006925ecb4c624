"""Feature rows in PostgreSQL's binary COPY format, encoded by numpy column by column: exact, and no loop over rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from include.candles.timeframes import SECONDS

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_SECONDS = 946_684_800  # 2000-01-01 UTC


def binary_rows(features: pd.DataFrame, timeframe: str) -> bytes:
    """A whole COPY stream: opened_at as timestamptz, then every other column of the frame as float8 in its order.

    NaN goes out as NaN; the statement that reads the staging table makes it NULL.
    """
    rows = np.empty(len(features), _row_type(features.shape[1] - 1))
    rows["count"] = features.shape[1]
    rows["opened_at_bytes"] = rows["fields"]["bytes"] = 8
    rows["opened_at"] = (features["bar"].to_numpy(np.int64) * SECONDS[timeframe] - _POSTGRES_EPOCH_SECONDS) * 1_000_000
    rows["fields"]["value"] = features.drop(columns="bar").to_numpy(np.float64)
    return _SIGNATURE + rows.tobytes() + _TRAILER


def _row_type(columns: int) -> np.dtype[np.void]:
    field = [("bytes", ">i4"), ("value", ">f8")]
    return np.dtype([("count", ">i2"), ("opened_at_bytes", ">i4"), ("opened_at", ">i8"), ("fields", field, (columns,))])
