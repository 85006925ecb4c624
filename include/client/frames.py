"""Arrow streams as DataFrames: times UTC, whole numbers and truth values that may be missing, decimals as asked."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ARROW = "application/vnd.apache.arrow.stream"
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def frame(streams: Sequence[bytes], *, exact: bool) -> pd.DataFrame:
    """The pages of one answer, in their order.

    exact: decimals as decimal.Decimal, with every digit; else as the nearest float64.
    """
    pages = [pa.ipc.open_stream(stream).read_all().replace_schema_metadata() for stream in streams]
    table = pa.concat_tables(pages)
    for place, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and not exact:
            table = table.set_column(place, column.name, nearest(table.column(place)))
        elif pa.types.is_date(column.type):
            table = table.set_column(place, column.name, table.column(place).cast(pa.timestamp("us", "UTC")))
    found: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get)
    return found


def nearest(decimals: pa.ChunkedArray) -> pa.ChunkedArray:
    """The nearest float64 of each: by way of the text, as Arrow's own cast rounds twice."""
    return pc.cast(pc.cast(decimals, pa.string()), pa.float64())
