"""Candles in PostgreSQL's binary COPY format, encoded by numpy column by column: exact, and no loop over rows.

A NUMERIC goes out as base-10000 digits with 8 decimals, which the server stores as it would the venue's own text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.candles.batch import COLUMNS, PLACES, CandleBatch
from include.candles.model import Candle
from include.candles.timeframes import EPOCH

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_MS = 946_684_800_000  # 2000-01-01 UTC
_MICROSECOND = timedelta(microseconds=1)
_NULL = -1
_DIGITS = 5  # base-10000 digits of an int64 with 8 decimals: three before the point, two after it
_SLICE = 16_384  # rows encoded at once: what they take stays small however many there are
_EXACT = [(name, row) for row, name in enumerate(COLUMNS) if name not in {"opened_at", "trade_count"}]


def candle_rows(batch: CandleBatch, **same: int | str | datetime) -> Iterator[bytes]:
    """A whole COPY stream in pieces: the fields of Candle, then the columns of `same`, equal in every row.

    Of `same` an int goes out as int4, a datetime as timestamptz, a text as itself.
    """
    row = _row(same)
    yield _SIGNATURE
    for first in range(0, len(batch), _SLICE):
        yield _encoded(batch.columns[:, first : first + _SLICE], row)
    yield _TRAILER


def _row(same: dict[str, int | str | datetime]) -> NDArray[Any]:
    """One row with everything in it that all rows share: lengths, NULLs, NUMERIC headers, the columns of `same`."""
    fields: list[Any] = [("count", ">i2")]
    for name in Candle._fields:
        fields.append((f"{name}_bytes", ">i4"))
        if name in {"opened_at", "trade_count"}:
            fields.append((name, ">i8"))
        elif name != "vwap":
            fields += [(f"{name}_head", ">i2", (4,)), (name, ">i2", (_DIGITS,))]
    sent = {name: _sent(value) for name, value in same.items()}
    for name, value in sent.items():
        fields += [(f"{name}_bytes", ">i4"), (name, f"V{len(value)}")]
    row = np.zeros(1, fields)
    row["count"] = len(Candle._fields) + len(sent)
    row["opened_at_bytes"] = row["trade_count_bytes"] = 8
    row["vwap_bytes"] = _NULL
    for name, _ in _EXACT:
        row[f"{name}_bytes"] = 2 * (4 + _DIGITS)
        row[f"{name}_head"] = (_DIGITS, _DIGITS - PLACES // 4 - 1, 0, PLACES)  # digits, weight, sign, decimals
    for name, value in sent.items():
        row[f"{name}_bytes"] = len(value)
        row[name] = np.void(value)
    return row


def _sent(value: int | str | datetime) -> bytes:
    if isinstance(value, datetime):
        microseconds = (value - EPOCH) // _MICROSECOND - _POSTGRES_EPOCH_MS * 1000
        return microseconds.to_bytes(8, "big", signed=True)
    return value.to_bytes(4, "big", signed=True) if isinstance(value, int) else value.encode()


def _encoded(columns: NDArray[np.int64], row: NDArray[Any]) -> bytes:
    rows = np.repeat(row, columns.shape[1])
    values = dict(zip(COLUMNS, columns, strict=True))
    rows["opened_at"] = (values["opened_at"] - _POSTGRES_EPOCH_MS) * 1000
    rows["trade_count"] = values["trade_count"]
    for name, index in _EXACT:
        left = columns[index].view(np.uint64)
        digits = rows[name]
        for place in range(_DIGITS - 1, -1, -1):
            higher = left // np.uint64(10_000)
            digits[:, place] = left - higher * np.uint64(10_000)
            left = higher
    return rows.tobytes()
