"""A component's log is cut under its writer's hands, and the writer goes on."""

from __future__ import annotations

from pathlib import Path

from include.stack.log_limit import limit_logs


def test_a_long_log_is_cut_and_its_end_kept(tmp_path: Path) -> None:
    with (tmp_path / "scheduler.log").open("ab", buffering=0) as writer:
        writer.write(b"0123456789" * 10)
        assert limit_logs(tmp_path, longest=100, kept=15) == []
        writer.write(b"end")
        assert limit_logs(tmp_path, longest=100, kept=15) == [tmp_path / "scheduler.log"]
        writer.write(b"after")
    assert (tmp_path / "scheduler.log.1").read_bytes() == b"890123456789end"
    assert (tmp_path / "scheduler.log").read_bytes() == b"after"


def test_what_cannot_be_cut_is_left_and_the_others_are_cut(tmp_path: Path) -> None:
    (tmp_path / "a.log").mkdir()
    (tmp_path / "b.log").write_bytes(b"x" * 101)
    (tmp_path / "b.txt").write_bytes(b"x" * 101)
    assert limit_logs(tmp_path, longest=100, kept=15) == [tmp_path / "b.log"]
    assert (tmp_path / "b.txt").stat().st_size == 101
