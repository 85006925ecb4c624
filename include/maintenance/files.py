"""Old files and the folders they leave empty: found first, removed only on request."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from include.maintenance.removed import Removed


def remove_old(folder: Path, older_than: datetime, *, dry_run: bool = True) -> list[Removed]:
    """Remove regular files below `folder` last written before `older_than` (UTC), then old folders left empty.

    Links are neither followed nor removed, nor is `folder` itself. A file or folder that somebody else removes or
    fills meanwhile is passed over. Raises NotADirectoryError where the folder is none, so that a mistyped one is not
    taken for an empty one.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    files, folders = [], []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_symlink() or datetime.fromtimestamp(path.lstat().st_mtime, UTC) >= older_than:
                continue
            if path.is_dir():
                folders.append(path)
            elif path.is_file():
                files.append(path)
    gone, size = set(), 0
    for path in files:
        with suppress(FileNotFoundError):
            occupied = path.stat().st_size
            if not dry_run:
                path.unlink()
            gone.add(path)
            size += occupied
    emptied = 0
    # A folder's time was read before its files went; the deepest come first, so that their parents are empty then.
    for path in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        with suppress(FileNotFoundError):
            if all(child in gone for child in path.iterdir()):
                gone.add(path)
                emptied += 1
                if not dry_run:
                    with suppress(OSError):  # filled just now
                        path.rmdir()
    return [Removed("files", len(files), size), Removed("empty folders", emptied)]
