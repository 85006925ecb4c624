"""One month of candles as a Parquet file with exact decimals, its hashes, and the store it lies in."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from include.candles.model import Candle
from include.warehouse.candles import VALUE_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: tuple[str, ...] = ("opened_at", *VALUE_COLUMNS, "source", "recorded_at")
TIMES = ("opened_at", "recorded_at")
CONTENT_WIDTH = len(Candle._fields)  # open time and values; source and recorded_at say how we know them
DIGITS = 38  # what a 128 bit decimal holds

ArchivedRow = tuple[Any, ...]  # one candle, in the order of COLUMNS


class StorePath(Protocol):
    """A folder or file of the archive: pathlib.Path and Airflow's ObjectStoragePath both are one."""

    def joinpath(self, *parts: str) -> Any: ...
    def open(self, mode: str) -> Any: ...
    def exists(self) -> bool: ...
    def mkdir(self, *, parents: bool, exist_ok: bool) -> None: ...


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        fixed = format(value, "f")
        return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else str(value)


def content_sha256(rows: Sequence[ArchivedRow]) -> str:
    """Hash of open times and values in order; 1.50 and 1.5 are the same value."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update("|".join(map(_text, row[:CONTENT_WIDTH])).encode() + b"\n")
    return digest.hexdigest()


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    if name in TIMES:
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    if name == "source":
        return pa.array(values, pa.string())
    if name == "trade_count":
        return pa.array(values, pa.int64())
    # The scale of the finest value: a venue that always sends 8 places gets its text back exactly.
    scale = max((-int(value.as_tuple().exponent) for value in values if value is not None), default=0)
    return pa.array(values, pa.decimal128(DIGITS, max(scale, 0)))


def encode(rows: Sequence[ArchivedRow], about: dict[str, str]) -> bytes:
    """A Parquet file of the rows; `about` goes into its metadata.

    Raises pyarrow.ArrowInvalid for a column whose values do not fit 38 digits exactly.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [_column(name, values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)]
    table = pa.Table.from_arrays(columns, names=list(COLUMNS)).replace_schema_metadata(about)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def decode(content: bytes) -> list[ArchivedRow]:
    """The rows of a file made by `encode`. Raises pyarrow.ArrowInvalid for bytes that are none."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content), columns=list(COLUMNS))
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def sha256(content: bytes) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


def first_difference(stored: Sequence[ArchivedRow], expected: Sequence[ArchivedRow], width: int) -> str | None:
    """What differs first in the first `width` columns, for a person; None where all is equal."""
    for left, right in zip(stored, expected, strict=False):
        if left[:width] != right[:width]:
            return f"the archive has {left[:width]}, the table {right[:width]}"
    if len(stored) != len(expected):
        return f"the archive has {len(stored)} candles, the table {len(expected)}"
    return None


def read_bytes(path: StorePath) -> bytes:
    """Content of a file of the store."""
    with path.open("rb") as file:
        content: bytes = file.read()
    return content


def write_bytes(path: StorePath, content: bytes) -> None:
    """Write a file of the store."""
    with path.open("wb") as file:
        file.write(content)
