"""A backup on disk: the dump, and a manifest beside it with what the dump must restore to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from include.backup.client import BackupError
from include.backup.database import Access, TableState

DUMP, MANIFEST, UNFINISHED = ".dump", ".json", ".part"
NAME_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was backed up, and the sum of the file that holds it. Times are UTC."""

    database: str
    server_version: int
    started_at: datetime
    finished_at: datetime
    bytes: int
    sha256: str
    access: Access
    roles: tuple[str, ...]
    tables: dict[str, TableState]

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest beside a dump. Raises BackupError where it is missing or unreadable."""
        try:
            given: dict[str, Any] = json.loads(path.with_suffix(MANIFEST).read_text())
            owner, grants = given["access"]
            return cls(
                **given
                | {
                    **{name: datetime.fromisoformat(given[name]) for name in ("started_at", "finished_at")},
                    "access": Access(owner, tuple((grantee, privilege) for grantee, privilege in grants)),
                    "roles": tuple(given["roles"]),
                    "tables": {name: TableState(*state) for name, state in given["tables"].items()},
                }
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BackupError(f"{path.with_suffix(MANIFEST)}: no manifest to restore by: {error}") from error

    def write(self, path: Path) -> None:
        """Put the manifest beside the dump, whole or not at all."""
        text = json.dumps(asdict(self), default=datetime.isoformat, indent=1)
        target = path.with_suffix(MANIFEST)
        unfinished = target.with_name(target.name + UNFINISHED)
        with open_private(unfinished) as out:
            out.write(text.encode())
            os.fsync(out.fileno())
        unfinished.rename(target)


def open_private(path: Path) -> Any:
    """A new file for writing that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def make_folder(folder: Path) -> None:
    """The folder of backups, for its owner alone. Raises BackupError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise BackupError(
            f"the folder of backups cannot be used: {error}; choose another with BACKUP_FOLDER"
        ) from error


def dump_path(folder: Path, database: str, at: datetime) -> Path:
    """Where a finished dump lies."""
    return folder / f"{database}_{at.strftime(NAME_TIME)}{DUMP}"


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_other_bytes(path: Path, manifest: Manifest) -> None:
    """BackupError where the dump is not, byte for byte, what the manifest describes."""
    if not path.is_file():
        raise BackupError(f"{path} is not there")
    size = path.stat().st_size
    if size != manifest.bytes or file_sha256(path) != manifest.sha256:
        raise BackupError(
            f"{path} is not what was backed up ({size} of {manifest.bytes} bytes, other sha256): restore another one; "
            "nothing was changed"
        )


def backups(folder: Path, report: Callable[[Path, BackupError], object]) -> Iterator[tuple[Path, Manifest]]:
    """Finished backups, oldest first; a dump without a manifest that can be read is reported and left out."""
    found: list[tuple[Path, Manifest]] = []
    for path in sorted(folder.glob(f"*{DUMP}")):
        try:
            found.append((path, Manifest.read(path)))
        except BackupError as error:
            report(path, error)
    yield from sorted(found, key=lambda each: each[1].started_at)
