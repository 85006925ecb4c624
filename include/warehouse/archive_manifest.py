"""What the archive promises of each month, and whether the store keeps that promise."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import NamedTuple

from include.warehouse.archive_file import (
    READABLE_VERSIONS,
    ArchivedRow,
    ArchiveError,
    Dataset,
    UnknownSchemaError,
    content_sha256,
    dataset_of,
    decode,
    sha256,
)
from include.warehouse.archive_store import StorePath, put, read_bytes, write_bytes
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

PROOF = ("row_count", "file_sha256", "content_sha256")  # of a manifest.json, since the first ones


class Manifest(NamedTuple):
    """One archived month. timeframe: None for tickers. path: within the store.

    dropped_at: since when only the archive holds the month, else None.
    """

    instrument_id: int
    timeframe: str | None
    month: date
    path: str
    row_count: int
    first_at: datetime
    last_at: datetime
    file_sha256: str
    content_sha256: str
    archived_at: datetime
    dropped_at: datetime | None
    schema_version: int
    market: str

    @property
    def dataset(self) -> Dataset:
        """What the month is a month of."""
        return dataset_of(self.timeframe)

    def __str__(self) -> str:
        return f"{self.market} {self.timeframe or self.dataset.noun} {self.month:%Y-%m}"


def manifests(connection: Connection, dataset: str | None = None, **only: object) -> list[Manifest]:
    """All manifests, oldest month first, or those of a dataset, an instrument_id, a timeframe, a month."""
    values = {"instrument_id": None, "timeframe": None, "month": None, **only, "dataset": dataset}
    return [Manifest(*row) for row in connection.execute(statement("archive/select_manifests.sql"), values)]


def manifest_of(connection: Connection, instrument_id: int, timeframe: str | None, month: date) -> Manifest | None:
    """The month's manifest, or None where it was never archived."""
    dataset = dataset_of(timeframe).name
    found = manifests(connection, dataset, instrument_id=instrument_id, timeframe=timeframe, month=month)
    return found[0] if found else None


def file_of(store: StorePath, manifest: Manifest) -> StorePath:
    """The month's Parquet file."""
    path: StorePath = store.joinpath(*manifest.path.split("/"))
    return path


def _beside(store: StorePath, manifest: Manifest, name: str) -> StorePath:
    path: StorePath = store.joinpath(*manifest.path.split("/")[:-1], name)
    return path


def write_beside(store: StorePath, manifest: Manifest) -> None:
    """The manifest as JSON in the file's folder, for who reads the archive without this product."""
    about = {name: value for name, value in manifest._asdict().items() if name != "dropped_at"}
    about |= {"dataset": manifest.dataset.name, "columns": manifest.dataset.columns}
    temporary = _beside(store, manifest, "manifest.json.writing")
    write_bytes(temporary, json.dumps(about, default=str, indent=2).encode())
    put(temporary, _beside(store, manifest, "manifest.json"), _beside(store, manifest, ""))


def flaw(store: StorePath, manifest: Manifest) -> str | None:
    """What is wrong with the month's files, for a person; None where they are byte for byte what was archived."""
    file, beside = file_of(store, manifest), _beside(store, manifest, "manifest.json")
    if manifest.schema_version not in READABLE_VERSIONS:
        return (
            f"{manifest.path} has schema version {manifest.schema_version}, unknown here: use the release that wrote it"
        )
    if not file.exists():
        return f"{manifest.path} is missing"
    if sha256(read_bytes(file)) != manifest.file_sha256:
        return f"{manifest.path} is not the file that was archived: its SHA-256 differs"
    try:
        told = json.loads(read_bytes(beside))
        kept = all(told[name] == getattr(manifest, name) for name in PROOF)
    except FileNotFoundError:
        return f"the manifest.json beside {manifest.path} is missing"
    except (ValueError, KeyError, TypeError):
        return f"the manifest.json beside {manifest.path} cannot be read"
    return None if kept else f"the manifest.json beside {manifest.path} tells of another file"


def demand_ours(file: StorePath, dataset: Dataset, known: Manifest | None, content: str) -> None:
    """Nothing, or what may be written over, lies where a month's file goes. content: hash of what is to be written.

    Paths name neither world nor installation: another one's file may be the only copy of what has left its table.
    Raises ArchiveError where other content lies there, or what cannot be read and no manifest here tells of.
    """
    if not file.exists():
        return
    found = read_bytes(file)
    if known and sha256(found) == known.file_sha256:
        return
    try:
        held = content_sha256(decode(found, dataset), dataset)
    except UnknownSchemaError:
        held = ""  # of no release this one knows
    except ArchiveError:
        if known:
            return  # ours, damaged
        held = ""
    if held != content and (known is None or held != known.content_sha256):
        raise ArchiveError(
            f"{file} holds another month's content, of another warehouse maybe: nothing was written over it; "
            "move it away or name another archive_uri"
        )


def read_back(store: StorePath, manifest: Manifest) -> list[ArchivedRow]:
    """The month's rows from its file. Raises ArchiveError where a single byte is not what was archived."""
    if wrong := flaw(store, manifest):
        raise ArchiveError(wrong)
    rows = decode(read_bytes(file_of(store, manifest)), manifest.dataset)
    if content_sha256(rows, manifest.dataset) != manifest.content_sha256 or len(rows) != manifest.row_count:
        raise ArchiveError(f"{manifest.path} does not hold the content its manifest promises")
    return rows


def proven_rows(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str | None, month: date
) -> list[ArchivedRow]:
    """The rows of an archived month, read back. Raises ArchiveError also where there is no manifest."""
    manifest = manifest_of(connection, instrument_id, timeframe, month)
    if manifest is None:
        series = f"instrument {instrument_id} {timeframe or dataset_of(timeframe).noun}"
        raise ArchiveError(f"{month:%Y-%m} of {series} has not been archived")
    return read_back(store, manifest)
