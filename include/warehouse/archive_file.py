"""One month of a series as a Parquet file: exact decimals, their number of places included, and its hashes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.venues.model import Ticker
from include.warehouse.candles import VALUE_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

# 1: the columns of the dataset, decimals with the places of the column's finest value.
# 2: besides them `<column>_places` for each column whose values differ in their places, so that 1.5 stays 1.5.
SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)
UNNOTED_VERSION = "1"  # of files written before the version was noted in them

TIMES = ("opened_at", "observed_at", "recorded_at")
COUNTS = ("trade_count", "trade_count_24h")
TEXTS = ("source",)
DIGITS = 38  # what a 128 bit decimal holds
_WIDE = Context(prec=2 * DIGITS)

ArchivedRow = tuple[Any, ...]  # one row, in the order of its dataset's columns


class ArchiveError(RuntimeError):
    """The archive cannot be trusted or made as asked; the message says why. The table is as it was."""


class UnknownSchemaError(ArchiveError):
    """The file was written by another release; nothing is wrong with it."""


class Dataset(NamedTuple):
    """What is archived by the month. columns: the time first; content_width: how many of them the hash is about."""

    name: str
    columns: tuple[str, ...]
    content_width: int

    @property
    def noun(self) -> str:
        """Its rows, for a person."""
        return f"{self.name}s"

    @property
    def file_name(self) -> str:
        """Name of a month's file within its folder."""
        return f"{self.name}s.parquet"


# The hash of candles leaves out source and recorded_at, which say how we know them: others compute it too.
CANDLE = Dataset("candle", ("opened_at", *VALUE_COLUMNS, "source", "recorded_at"), len(Candle._fields))
_TICKER_COLUMNS = (*Ticker._fields[1:], "source", "recorded_at")
TICKER = Dataset("ticker", _TICKER_COLUMNS, len(_TICKER_COLUMNS))


def dataset_of(timeframe: str | None) -> Dataset:
    """Candles have a timeframe, tickers have none."""
    return TICKER if timeframe is None else CANDLE


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        fixed = format(value, "f")
        return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else str(value)


def content_sha256(rows: Sequence[ArchivedRow], dataset: Dataset = CANDLE) -> str:
    """Hash of the rows' content in order; 1.50 and 1.5 are the same value."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update("|".join(map(_text, row[: dataset.content_width])).encode() + b"\n")
    return digest.hexdigest()


def _places(value: Decimal) -> int:
    return max(-int(value.as_tuple().exponent), 0)


def _arrays(name: str, values: Sequence[Any]) -> dict[str, pa.Array]:
    """A column, and where its values differ in their number of decimal places a second one with these."""
    import pyarrow as pa

    if name in TIMES:
        return {name: pa.array(values, pa.timestamp("us", tz="UTC"))}
    if name in TEXTS:
        return {name: pa.array(values, pa.string())}
    if name in COUNTS:
        return {name: pa.array(values, pa.int64())}
    places = [None if value is None else _places(value) for value in values]
    finest = max((each for each in places if each is not None), default=0)
    column = {name: pa.array(values, pa.decimal128(DIGITS, finest))}
    if any(each not in (None, finest) for each in places):
        column[f"{name}_places"] = pa.array(places, pa.int8())
    return column


def encode(rows: Sequence[ArchivedRow], about: Mapping[str, str], dataset: Dataset = CANDLE) -> bytes:
    """A Parquet file of the rows; `about` and the schema's version go into its metadata.

    Raises ArchiveError for a column whose values do not fit 38 digits exactly.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays: dict[str, pa.Array] = {}
    for name, values in zip(dataset.columns, zip(*rows, strict=True), strict=True):
        try:
            arrays |= _arrays(name, values)
        except pa.ArrowInvalid as error:
            raise ArchiveError(f"{name} does not fit {DIGITS} digits exactly: {error}") from error
    metadata = {**about, "schema_version": str(SCHEMA_VERSION)}
    buffer = io.BytesIO()
    pq.write_table(
        pa.table(arrays).replace_schema_metadata(metadata), buffer, compression="zstd", write_page_checksum=True
    )
    return buffer.getvalue()


def decode(content: bytes, dataset: Dataset = CANDLE) -> list[ArchivedRow]:
    """The rows of a file made by `encode`.

    Raises ArchiveError for bytes that are no such file or damaged, UnknownSchemaError for one of another release.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True)
        table = file.read(use_threads=False)  # a few hundred rows: threads only cost
        _check_version((table.schema.metadata or {}).get(b"schema_version", UNNOTED_VERSION.encode()).decode())
        columns = [_values(table, name) for name in dataset.columns]
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ArchiveError(f"not a readable file of {dataset.noun}: {error}") from error
    return list(zip(*columns, strict=True))


def _check_version(version: str) -> None:
    if version not in map(str, READABLE_VERSIONS):
        known = " and ".join(map(str, READABLE_VERSIONS))
        raise UnknownSchemaError(
            f"schema version {version} is unknown here ({known} are read): use the release that wrote it"
        )


def _values(table: pa.Table, name: str) -> list[Any]:
    """A column's values, by the ways that are several times as fast as Arrow's own list."""
    if name in TIMES:
        return [EPOCH + timedelta(microseconds=since) for since in table[name].cast("int64").to_pylist()]
    values: list[Any] = table[name].to_pylist() if name in COUNTS else table[name].to_numpy().tolist()
    if f"{name}_places" not in table.column_names:
        return values
    places, finest = table[f"{name}_places"].to_pylist(), table[name].type.scale
    return [
        value if value is None or of == finest else value.quantize(Decimal((0, (1,), -of)), context=_WIDE)
        for value, of in zip(values, places, strict=True)
    ]


def sha256(content: bytes) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


def first_difference(
    stored: Sequence[ArchivedRow], expected: Sequence[ArchivedRow], width: int, noun: str = CANDLE.noun
) -> str | None:
    """What differs first in the first `width` columns, for a person; None where all is equal."""
    for left, right in zip(stored, expected, strict=False):
        if left[:width] != right[:width]:
            return f"the archive has {left[:width]}, the table {right[:width]}"
    if len(stored) != len(expected):
        return f"the archive has {len(stored)} {noun}, the table {len(expected)}"
    return None
