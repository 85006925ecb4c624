"""Where the archive lies: a folder or an object store, files complete under their name or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from include.warehouse.archive_file import ArchiveError

URI_VARIABLE = "AIRFLOW_VAR_ARCHIVE_URI"  # of the environment: the Airflow variable `archive_uri`


class StorePath(Protocol):
    """A folder or file of the archive: pathlib.Path, fsspec's UPath and Airflow's ObjectStoragePath each are one."""

    def joinpath(self, *parts: str) -> Any: ...
    def open(self, mode: str) -> Any: ...
    def exists(self) -> bool: ...
    def mkdir(self, *, parents: bool, exist_ok: bool) -> None: ...
    def rename(self, target: Any) -> Any: ...
    def unlink(self) -> None: ...


def store_of_command(given: str | None, environ: Mapping[str, str]) -> StorePath:
    """The archive a command is about: its option `--store`, else URI_VARIABLE. Raises ArchiveError for neither."""
    uri = given or environ.get(URI_VARIABLE)
    if not uri:
        raise ArchiveError(f"name the archive: --store, or {URI_VARIABLE} in the environment")
    return store_at(uri)


def store_at(uri: str) -> StorePath:
    """The store of a URI: a folder (a path or file://), or what fsspec knows (s3://, gs://, memory://, …).

    A name of an Airflow connection in it (s3://NAME@bucket) is passed over: outside Airflow the credentials are those
    of the environment. Raises ArchiveError where the store's fsspec package is not installed.
    """
    parts = urlsplit(uri)
    if parts.scheme in {"", "file"}:
        return Path(parts.path or uri)
    from upath import UPath

    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        path = UPath(plain)
        path.fs  # noqa: B018 - made on first use; here is where its absence can be explained
    except (ImportError, ValueError) as error:
        raise ArchiveError(f"{plain} cannot be opened: {error}") from error
    return path


def read_bytes(path: StorePath) -> bytes:
    """Content of a file of the store."""
    with path.open("rb") as file:
        content: bytes = file.read()
    return content


def write_bytes(path: StorePath, content: bytes) -> None:
    """Write a file of the store; on a local disk it is on the disk itself afterwards."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: StorePath) -> Iterator[Any]:
    """A file of the store to write bytes to. Where that fails it is removed, and ArchiveError says why."""
    try:
        with path.open("wb") as file:
            yield file
            file.flush()
            if _local(path):
                os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise ArchiveError(f"{path} could not be written: {error.strerror or error}; nothing was removed") from error


def make_folder(folder: StorePath) -> None:
    """Make a folder and those above it; on a local disk for good."""
    place = _local(folder)
    missing = [each for each in (Path(place), *Path(place).parents) if not each.exists()] if place else []
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _keep_entries(each.parent)


def put(temporary: StorePath, path: StorePath, folder: StorePath) -> None:
    """Give a written file its name, over another of that name; on a local disk for good."""
    temporary.rename(path)
    if place := _local(folder):
        _keep_entries(Path(place))


def _keep_entries(folder: Path) -> None:
    """See to it that the names in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _local(path: Any) -> str | None:
    """The path on a local disk, None for an object store."""
    if isinstance(path, Path):
        return str(path)
    return str(path.path) if getattr(path, "protocol", None) in {"file", "local"} else None
