"""Files against history: what is pending, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.warehouse.migrations import Migration, MigrationError, pending, read_migrations

ONE = Migration("0001_one.sql", "aa", "")
TWO = Migration("0002_two.sql", "bb", "")
THREE = Migration("0003_three.sql", "cc", "")


def test_pending_are_those_not_applied_in_order() -> None:
    assert pending([ONE, TWO, THREE], {"0001_one.sql": "aa"}) == [TWO, THREE]
    assert pending([ONE], {"0001_one.sql": "aa"}) == []


def test_edited_file_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0001_one\.sql was edited after"):
        pending([ONE, TWO], {"0001_one.sql": "other"})


def test_missing_file_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0002_two\.sql was applied .* missing"):
        pending([ONE], {"0001_one.sql": "aa", "0002_two.sql": "bb"})


def test_file_that_sorts_before_an_applied_one_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0002_two\.sql sorts before 0003_three\.sql"):
        pending([ONE, TWO, THREE], {"0001_one.sql": "aa", "0003_three.sql": "cc"})


def test_files_are_read_in_order(tmp_path: Path) -> None:
    for name in ("0010_b.sql", "0002_a.sql"):
        (tmp_path / name).write_text("select 1;")
    assert [migration.name for migration in read_migrations(tmp_path)] == ["0002_a.sql", "0010_b.sql"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1_short.sql"], "are named"),
        (["0001_Upper.sql"], "are named"),
        (["0001_a.sql", "0001_b.sql"], "share the number"),
    ],
)
def test_misnamed_files_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("select 1;")
    with pytest.raises(MigrationError, match=message):
        read_migrations(tmp_path)
