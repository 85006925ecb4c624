"""Which months a window of time is about: those that end within it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from include.warehouse.months import later, months_ended


def at(year: int, month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (at(2023, 1), at(2023, 2), [date(2023, 1, 1)]),
        (at(2023, 1, 1, 5), at(2023, 2, 1, 5), [date(2023, 1, 1)]),  # the schedule's own interval
        (at(2022, 11), at(2023, 2), [date(2022, 11, 1), date(2022, 12, 1), date(2023, 1, 1)]),
        (at(2023, 1), at(2023, 2) - timedelta(microseconds=1), []),
        (at(2023, 1, 15), at(2023, 1, 20), []),
    ],
)
def test_months_that_end_within_a_window(start: datetime, end: datetime, months: list[date]) -> None:
    assert months_ended(start, end) == months


@pytest.mark.parametrize(
    ("months", "found"),
    [(0, date(2024, 3, 1)), (10, date(2025, 1, 1)), (-2, date(2024, 1, 1)), (-3, date(2023, 12, 1))],
)
def test_months_later_and_before(months: int, found: date) -> None:
    assert later(date(2024, 3, 1), months) == found
