"""Old files are found by the time they were last written, and stay in a dry run."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.warehouse.old_files import RemovedFiles, expired_files, remove_files

LIMIT = datetime(2024, 1, 1, tzinfo=UTC)


def file(path: Path, written_at: float, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (written_at, written_at))
    return path


@pytest.fixture
def old(tmp_path: Path) -> list[Path]:
    """Two old files, beside a young one and a link to an old one."""
    found = [file(tmp_path / "logs" / name, LIMIT.timestamp() - 1) for name in ("a.log", "dag/b.log")]
    file(tmp_path / "logs" / "young.log", LIMIT.timestamp())
    (tmp_path / "logs" / "link.log").symlink_to(file(tmp_path / "elsewhere.log", 0))
    return found


def test_only_regular_files_older_than_the_limit(tmp_path: Path, old: list[Path]) -> None:
    assert expired_files(tmp_path / "logs", LIMIT) == old


def test_dry_run_is_the_default(old: list[Path]) -> None:
    assert remove_files(old) == RemovedFiles(2, 20)
    assert all(path.exists() for path in old)


def test_files_are_removed_when_told(old: list[Path]) -> None:
    assert remove_files([*old, old[0]], dry_run=False) == RemovedFiles(2, 20)
    assert not any(path.exists() for path in old)


def test_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        expired_files(tmp_path / "nowhere", LIMIT)
