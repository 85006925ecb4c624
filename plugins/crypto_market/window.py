"""Which window of time a run is about, whatever kind of run it is.

Manual, asset-triggered and partitioned runs have no data interval, and `logical_date` means three different hours
depending on who started the run; so neither `ds` nor `logical_date` is ever read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

Cadence = Literal["five_minutes", "hour", "day", "month"]


class Window(NamedTuple):
    """Half-open span of time [start, end), UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"


class WindowError(ValueError):
    """The params name no window."""


def window(context: Mapping[str, Any], cadence: Cadence) -> Window:
    """The run's window: params `start` and `end`, else its data interval, else the last full interval before it.

    cadence: length of that last interval. Raises WindowError for params that are half given, unreadable or reversed.
    """
    params = context.get("params") or {}
    given = params.get("start"), params.get("end")
    if any(given):
        return _from_params(*given)
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is not None and end is not None and start < end:  # a zero-width interval says nothing
        return Window(_utc(start), _utc(end))
    return last_full(_utc(context["dag_run"].run_after), cadence)


def last_full(before: datetime, cadence: Cadence) -> Window:
    """The newest whole five minutes, hour, day or month that had ended by `before`."""
    if cadence == "five_minutes":
        ended = before.replace(minute=before.minute - before.minute % 5, second=0, microsecond=0)
        return Window(ended - timedelta(minutes=5), ended)
    hour = before.replace(minute=0, second=0, microsecond=0)
    if cadence == "hour":
        return Window(hour - timedelta(hours=1), hour)
    day = hour.replace(hour=0)
    if cadence == "day":
        return Window(day - timedelta(days=1), day)
    month = day.replace(day=1)
    return Window((month - timedelta(days=1)).replace(day=1), month)


def _from_params(start: str | None, end: str | None) -> Window:
    if not (start and end):
        raise WindowError(f"params start={start!r} and end={end!r}: give both or neither")
    try:
        chosen = Window(_utc(datetime.fromisoformat(start)), _utc(datetime.fromisoformat(end)))
    except ValueError as error:
        raise WindowError(f"params start={start!r}, end={end!r}: {error}; write 2024-06-01T00:00:00Z") from error
    if chosen.start >= chosen.end:
        raise WindowError(f"params: start {start} is not before end {end}")
    return chosen


def _utc(at: datetime) -> datetime:
    """Plain datetime in UTC: Airflow hands out pendulum's, whose arithmetic with plain ones fails."""
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return datetime.combine(aware.date(), aware.time(), tzinfo=UTC)
