"""Old files are found by the time they were last written; folders go when they are old and empty."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.maintenance.files import remove_old
from include.maintenance.removed import Removed

LIMIT = datetime(2024, 1, 1, tzinfo=UTC)
OLD, YOUNG = LIMIT.timestamp() - 1, LIMIT.timestamp()


def file(path: Path, written_at: float, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (written_at, written_at))
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two old files in old folders, a young one beside an old one, an old link, a young empty folder."""
    logs = tmp_path / "logs"
    file(logs / "dag" / "run 1" / "a.log", OLD)
    file(logs / "dag" / "run 2" / "b.log", OLD)
    file(logs / "dag" / "run 2" / "young.log", YOUNG)
    (logs / "link.log").symlink_to(file(tmp_path / "elsewhere.log", 0))
    (logs / "made just now").mkdir()
    for folder in ("dag/run 1", "dag/run 2", "dag"):
        os.utime(logs / folder, (OLD, OLD))
    return logs


def left(logs: Path) -> set[str]:
    return {str(path.relative_to(logs)) for path in logs.rglob("*")}


def test_old_files_go_and_the_folders_they_leave_empty(logs: Path) -> None:
    assert remove_old(logs, LIMIT, dry_run=False) == [Removed("files", 2, 20), Removed("empty folders", 1)]
    assert left(logs) == {"dag", "dag/run 2", "dag/run 2/young.log", "link.log", "made just now"}
    assert (logs.parent / "elsewhere.log").exists()
    assert remove_old(logs, LIMIT, dry_run=False) == [Removed("files", 0, 0), Removed("empty folders", 0)]


def test_a_dry_run_is_the_default_and_tells_the_same(logs: Path) -> None:
    before = left(logs)
    assert remove_old(logs, LIMIT) == [Removed("files", 2, 20), Removed("empty folders", 1)]
    assert left(logs) == before


def test_what_was_killed_midway_is_taken_up(logs: Path) -> None:
    (logs / "dag" / "run 1" / "a.log").unlink()
    os.utime(logs / "dag" / "run 1", (OLD, OLD))
    assert remove_old(logs, LIMIT, dry_run=False) == [Removed("files", 1, 10), Removed("empty folders", 1)]


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        remove_old(tmp_path / "nowhere", LIMIT)
