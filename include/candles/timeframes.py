"""Timeframe arithmetic on open times; every bucket is anchored at the Unix epoch in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECONDS: dict[str, int] = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "2h": 7200,
    "4h": 14400,
    "6h": 21600,
    "12h": 43200,
    "1d": 86400,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def step(timeframe: str) -> timedelta:
    """Length of one candle. Raises ValueError for a timeframe that is not known."""
    try:
        return timedelta(seconds=SECONDS[timeframe])
    except KeyError:
        raise ValueError(f"unknown timeframe {timeframe!r}; known: {', '.join(SECONDS)}") from None


def floor(at: datetime, timeframe: str) -> datetime:
    """Open time of the candle that contains `at`."""
    length = step(timeframe)
    return at - (at - EPOCH) % length


def ceil(at: datetime, timeframe: str) -> datetime:
    """First open time at or after `at`."""
    floored = floor(at, timeframe)
    return floored if floored == at else floored + step(timeframe)


def is_aligned(at: datetime, timeframe: str) -> bool:
    """Whether `at` is an open time of the timeframe."""
    return (at - EPOCH) % step(timeframe) == timedelta(0)


def expected_count(start: datetime, end: datetime, timeframe: str) -> int:
    """How many open times lie in the half-open window [start, end)."""
    first = ceil(start, timeframe)
    return max(0, -((first - end) // step(timeframe))) if first < end else 0
