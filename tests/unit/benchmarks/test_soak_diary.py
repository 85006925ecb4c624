"""A soak's diary: what was seen is there again after any end, and a record of it stays short."""

from __future__ import annotations

from pathlib import Path

from benchmarks.month.diary import KEPT_SAMPLES, Diary


def written(folder: Path, hours: int) -> Diary:
    """A sitting of so many hours after those that are there."""
    diary = Diary.opened(folder)
    first = diary.hours
    for hour in range(hours + 1):
        diary.note({"memory": 100.0 + hour}, first + hour, 10.0 * hour, ["dag run"] if hour == 1 else [])
    return diary


def test_a_second_sitting_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    written(tmp_path, 2)
    second = written(tmp_path, 3)
    again = Diary.opened(tmp_path)
    assert (second.sitting, again.sitting) == (2, 3)
    assert [(each["sitting"], each["hour"]) for each in again.samples] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (2, 2),
        (2, 3),
        (2, 4),
        (2, 5),
    ]
    assert (again.hours, again.seconds, again.failed) == (5, {1: 20.0, 2: 30.0}, ["dag run"] * 2)
    assert (again.samples, again.ended) == (second.samples, second.ended)


def test_a_line_that_was_cut_off_is_left_out_and_written_over(tmp_path: Path) -> None:
    diary = written(tmp_path, 2)
    with diary.path.open("a") as out:
        out.write('{"ended": "2024-')
    assert Diary.opened(tmp_path).hours == 2
    assert written(tmp_path, 1).hours == 3
    assert Diary.opened(tmp_path).hours == 3


def test_nothing_written_is_nothing_seen(tmp_path: Path) -> None:
    diary = Diary.opened(tmp_path / "new")
    assert (diary.sitting, diary.hours, diary.samples) == (1, 0, [])


def test_a_record_holds_few_samples_and_the_last(tmp_path: Path) -> None:
    diary = written(tmp_path, 720)
    few = diary.few_samples()
    assert len(few) <= KEPT_SAMPLES + 1
    assert (few[0]["hour"], few[-1]["hour"]) == (0, 720)
    assert written(tmp_path / "short", 5).few_samples() == Diary.opened(tmp_path / "short").samples
