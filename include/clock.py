"""What time it is, for everything that decides by "now": closed candles, freshness, sealed forecasts.

Product code takes a `Clock` and never reads the machine's time itself, so that a replayed world has one "now"
in every process. `MARKET_CLOCK_URL` names the replay exchange's clock; without it the machine's clock counts.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

CLOCK_URL_VARIABLE = "MARKET_CLOCK_URL"


class Clock(Protocol):
    def now(self) -> datetime:
        """Current time, timezone-aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until `at` is set; for tests."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class RemoteClock:
    """The replay exchange's clock (`GET url` answers `{"now": ISO 8601 UTC}`).

    One request at construction; afterwards it runs on with this process's monotonic clock, at the world's speed,
    but never past `ends_at`, where a recorded world ends. Raises OSError where the replay exchange does not answer.
    """

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:  # noqa: S310 - operator's own setting
            answer = json.load(response)
        self._read_at = time.monotonic()
        self._now = datetime.fromisoformat(answer["now"]).astimezone(UTC)
        self._speed = float(answer.get("speed", 1))
        self._ends_at = datetime.fromisoformat(answer["ends_at"]).astimezone(UTC) if answer.get("ends_at") else None

    def now(self) -> datetime:
        now = self._now + timedelta(seconds=(time.monotonic() - self._read_at) * self._speed)
        return min(now, self._ends_at) if self._ends_at else now


def clock_from_environment(environ: Mapping[str, str] = os.environ) -> Clock:
    """The clock this process was told to use."""
    url = environ.get(CLOCK_URL_VARIABLE)
    return RemoteClock(url) if url else SystemClock()
