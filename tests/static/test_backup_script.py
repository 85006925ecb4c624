"""deploy/backup/daily.sh: once a day, at the time it was told, and not at all for a time that is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy/backup/daily.sh"
MIDNIGHT = 1_700_006_400  # 2023-11-15 00:00 UTC


def run(folder: Path, at: str, seconds: int, *, status: int = 0) -> tuple[int, list[str]]:
    """The script with a clock that stands, sleeps that only note their length, and a command that ends it."""
    did = folder / "did"
    programs = {
        "date": f"echo {seconds}",
        "sleep": f'echo "sleep $1" >> {did}',
        "python": f'echo "python $*" >> {did}; [ $(grep -c python {did}) -lt 2 ] || kill $PPID; exit {status}',
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "BACKUP_AT": at}
    done = subprocess.run(["sh", str(SCRIPT)], env=environ, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, did.read_text().splitlines() if did.exists() else []


@pytest.mark.parametrize(
    ("at", "seconds", "waited"),
    [
        ("03:40", 0, 3 * 3600 + 40 * 60),
        ("03:40", 3 * 3600 + 40 * 60, 86400),
        ("03:40", 3 * 3600 + 40 * 60 + 1, 86399),
        ("08:09", 23 * 3600, 3600 + 8 * 3600 + 9 * 60),
        ("00:00", 0, 86400),
        ("23:59", 86399, 86341),
    ],
)
def test_it_waits_for_the_next_time_and_backs_up(tmp_path: Path, at: str, seconds: int, waited: int) -> None:
    status, did = run(tmp_path, at, MIDNIGHT + seconds)
    assert status == 0, "a signal ends it quietly"
    assert did == [f"sleep {waited}", "python -m include.cli backup --verify"] * 2


def test_a_failed_backup_is_tried_again_the_next_day(tmp_path: Path) -> None:
    _, did = run(tmp_path, "03:40", MIDNIGHT, status=1)
    assert len([line for line in did if line.startswith("python")]) == 2


@pytest.mark.parametrize("at", ["24:00", "3:40", "noon", "12:60"])
def test_what_is_no_time_is_refused_at_once(tmp_path: Path, at: str) -> None:
    status, did = run(tmp_path, at, MIDNIGHT)
    assert (status, did) == (1, [])
