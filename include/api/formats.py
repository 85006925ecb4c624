"""An answer in the form its asker accepts: JSON, or for bulk CSV, an Arrow stream or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.serving.selection import Rows

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (JSON, CSV, ARROW, PARQUET)

# PostgreSQL's types by object id (pg_type.dat); what is not here is text.
_ARROW_TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    700: pa.float64(),
    701: pa.float64(),
    1009: pa.list_(pa.string()),
    1082: pa.date32(),
    1184: pa.timestamp("us", "UTC"),
    1186: pa.duration("us"),
    1700: pa.decimal128(38, 18),
}


def accepted(header: str | None) -> str | None:
    """The media type to answer in: the best-liked of ours; JSON where everything is welcome; None where none is."""
    if not header:
        return JSON
    liked: list[tuple[float, int, str]] = []
    for place, each in enumerate(header.split(",")):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        found = [ours for ours in MEDIA_TYPES if name in {ours, "*/*", ours.split("/")[0] + "/*"}]
        weight = _weight(parameters)
        if found and weight > 0:
            liked.append((-weight, place, found[0]))
    return min(liked)[2] if liked else None


def _weight(parameters: Sequence[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return float(each[2:])
            except ValueError:
                return 0.0
    return 1.0


def bulk(rows: Rows, media_type: str, metadata: dict[str, str]) -> bytes:
    """The rows as CSV, Arrow stream or Parquet; metadata goes into the schema of the last two.

    CSV: decimals with every digit, times in ISO 8601 UTC, durations in ISO 8601, lists joined by spaces, nothing for
    NULL. Arrow and Parquet: decimals as decimal128(38, 18), times as microseconds UTC. Raises pyarrow.ArrowInvalid for
    a decimal beyond that.
    """
    if media_type == CSV:
        return _csv(rows)
    types = [_ARROW_TYPES.get(type_, pa.string()) for type_ in rows.types]
    columns: Sequence[Sequence[Any]] = list(zip(*rows.values, strict=True)) or [[] for _ in rows.names]
    arrays = [pa.array(values, type_) for values, type_ in zip(columns, types, strict=True)]
    table = pa.table(dict(zip(rows.names, arrays, strict=True))).replace_schema_metadata(metadata)
    out = io.BytesIO()
    if media_type == PARQUET:
        pq.write_table(table, out)
    else:
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
    return out.getvalue()


def as_json(rows: Rows) -> bytes:
    """The rows as a JSON array of objects; decimals with every digit, durations in ISO 8601 as the database says."""
    return orjson.dumps(rows.as_dicts(), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def duration(value: timedelta) -> str:
    """ISO 8601 in hours, minutes and seconds, as PostgreSQL writes an interval without days: `PT24H`."""
    minutes, seconds = divmod(value.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{seconds:g}S" if seconds else ""]
    return f"PT{''.join(parts) or '0S'}"


def _csv(rows: Rows) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows.names)
    writer.writerows([_text(value) for value in row] for row in rows.values)
    return out.getvalue().encode()


def _text(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return " ".join(value)
    return format(value, "f") if hasattr(value, "as_tuple") else value
