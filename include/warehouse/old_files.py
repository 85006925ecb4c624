"""Old files (task logs) found first, removed only on request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class RemovedFiles(NamedTuple):
    """How many files, and how many bytes they took."""

    files: int
    bytes: int


def expired_files(folder: Path, older_than: datetime) -> list[Path]:
    """Regular files below `folder` last written before `older_than` (UTC), sorted; links are not followed.

    Raises NotADirectoryError where the folder is none, so that a mistyped one is not taken for an empty one.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    return sorted(
        path
        for path in folder.rglob("*")
        if not path.is_symlink() and path.is_file() and datetime.fromtimestamp(path.stat().st_mtime, UTC) < older_than
    )


def remove_files(files: Iterable[Path], *, dry_run: bool = True) -> RemovedFiles:
    """Remove files, or by default only count them; one that is gone already is passed over."""
    count = size = 0
    for path in files:
        try:
            occupied = path.stat().st_size
            if not dry_run:
                path.unlink()
        except FileNotFoundError:
            continue
        count, size = count + 1, size + occupied
    return RemovedFiles(count, size)
