"""Answers of float8 columns as arrays: each column comes as one array in PostgreSQL's binary format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from include.warehouse.connection import Connection
from include.warehouse.sql import statement

_HEADER = np.dtype([("dimensions", ">i4"), ("has_null", ">i4"), ("type", ">i4"), ("length", ">i4"), ("first", ">i4")])
_ELEMENT = np.dtype([("bytes", ">i4"), ("value", ">f8")])
_FLOAT8_ARRAY = psycopg.adapters.types["float8"].array_oid


def read_floats(
    connection: Connection, query: str, values: Mapping[str, object], columns: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Answer of the query in a file below sql/, by column, in its order: `columns`, float8, NaN where missing.

    Raises ValueError where a column is not float8 or holds NULL.
    """
    arrays = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in columns)
    whole = sql.SQL("select {} from ({}) as answer").format(arrays, sql.SQL(statement(query)))
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(_FLOAT8_ARRAY, _FloatArrayLoader)
        found = cursor.execute(whole, values).fetchone() or ()
    columns_read = {name: np.empty(0) if array is None else array for name, array in zip(columns, found, strict=True)}
    if not all(isinstance(array, np.ndarray) for array in columns_read.values()):
        raise ValueError(f"{query} has to answer {', '.join(columns)} as float8")
    return columns_read


class _FloatArrayLoader(Loader):
    """One float8[] as a numpy array, without a loop over its elements."""

    format = Format.BINARY

    def load(self, data: Buffer) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        header = np.frombuffer(data, _HEADER, 1)[0]
        if header["has_null"]:
            raise ValueError("a column holds NULL; let its query say NaN")
        return np.frombuffer(data, _ELEMENT, header["length"], _HEADER.itemsize)["value"].astype(np.float64)
