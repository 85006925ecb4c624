"""The one helper that says which time a run is about, for every kind of run Airflow 3.3 knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from crypto_market.window import Window, WindowError, last_full, window

RUN_AFTER = datetime(2024, 3, 1, 5, 2, tzinfo=UTC)


def context(**given: object) -> dict[str, object]:
    return {"params": {}, "dag_run": SimpleNamespace(run_after=RUN_AFTER), **given}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_scheduled_run_uses_its_data_interval() -> None:
    given = context(data_interval_start=at(2024, 3, 1, 4, 2), data_interval_end=at(2024, 3, 1, 5, 2))
    assert window(given, "month") == Window(at(2024, 3, 1, 4, 2), at(2024, 3, 1, 5, 2))


@pytest.mark.parametrize(
    ("cadence", "start", "end"),
    [
        ("hour", at(2024, 3, 1, 4), at(2024, 3, 1, 5)),
        ("day", at(2024, 2, 29), at(2024, 3, 1)),
        ("month", at(2024, 2, 1), at(2024, 3, 1)),
    ],
)
@pytest.mark.parametrize(
    "interval",
    [
        {},
        {"data_interval_start": None, "data_interval_end": None},
        {"data_interval_start": RUN_AFTER, "data_interval_end": RUN_AFTER},
    ],
    ids=["absent", "none", "zero-width"],
)
def test_run_without_an_interval_uses_the_last_full_one(
    cadence: str, start: datetime, end: datetime, interval: dict[str, object]
) -> None:
    assert window(context(**interval), cadence) == Window(start, end)  # type: ignore[arg-type]


def test_last_full_at_the_boundary_is_the_interval_that_just_ended() -> None:
    assert last_full(at(2024, 1, 1), "month") == Window(at(2023, 12, 1), at(2024, 1, 1))
    assert last_full(at(2024, 1, 1), "hour") == Window(at(2023, 12, 31, 23), at(2024, 1, 1))


def test_params_win_and_are_read_as_utc() -> None:
    given = context(
        params={"start": "2024-06-01T00:00:00Z", "end": "2024-06-01T02:00:00+01:00"},
        data_interval_start=at(2020, 1, 1),
        data_interval_end=at(2020, 1, 2),
    )
    assert window(given, "hour") == Window(at(2024, 6, 1), at(2024, 6, 1, 1))


def test_other_time_zones_become_utc() -> None:
    zone = timezone(timedelta(hours=-8))
    given = context(
        data_interval_start=datetime(2024, 1, 1, tzinfo=zone), data_interval_end=datetime(2024, 1, 2, tzinfo=zone)
    )
    assert window(given, "day").start == at(2024, 1, 1, 8)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2024-06-01", None, "both or neither"),
        (None, "2024-06-01", "both or neither"),
        ("2024-06-02", "2024-06-01", "not before end"),
        ("2024-06-01", "2024-06-01", "not before end"),
        ("yesterday", "2024-06-01", "2024-06-01T00:00:00Z"),
    ],
)
def test_unusable_params_are_an_error_that_says_how(start: str | None, end: str | None, says: str) -> None:
    with pytest.raises(WindowError, match=says):
        window(context(params={"start": start, "end": end}), "hour")
