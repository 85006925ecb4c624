"""The time of a replayed world. Besides `include.clock` the only module that reads the machine's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from include.replay.errors import ReplayError
from include.replay.state import StateFile

# How far ahead of the time handed out the state file is written, in machine seconds: a killed server wakes up at
# most this much later than it fell asleep, never earlier.
LEASE_SECONDS = 10.0


def machine_seconds() -> float:
    """Seconds since the epoch by the machine's clock."""
    return time.time()


def machine_now() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)


class ReplayClock:
    """A clock that starts at any instant, runs at any speed, stops at `ends_at` and never goes back.

    With a `state` it goes on, after a restart, from where it was; `start` then counts only where it is later.
    """

    def __init__(
        self,
        start: datetime,
        *,
        ends_at: datetime | None = None,
        speed: float = 1.0,
        state: StateFile | None = None,
        machine: Callable[[], float] = machine_seconds,
    ) -> None:
        saved = state.load() if state else None
        self.ends_at = ends_at
        self.speed = speed
        self._state = state
        self._machine = machine
        self._anchor = self._last = self._clamped(max(start, saved) if saved else start)
        self._anchored_at = machine()

    def now(self) -> datetime:
        """The world's time, UTC; never earlier than any time told before."""
        elapsed = max(0.0, self._machine() - self._anchored_at)
        self._last = max(self._last, self._clamped(self._anchor + timedelta(seconds=elapsed * self.speed)))
        if self._state:
            lease = timedelta(seconds=LEASE_SECONDS * self.speed)
            self._state.cover(self._last, self._clamped(self._last + lease))
        return self._last

    def now_ms(self) -> int:
        """The world's time in epoch milliseconds."""
        return int(self.now().timestamp() * 1000)

    def set(self, now: datetime | None = None, speed: float | None = None) -> None:
        """Jump forward to `now` and/or run on at `speed` (world seconds per machine second, 0 stands still).

        Raises ReplayError for a time before the present one or after the end of the world.
        """
        present = self.now()
        if now is not None and now < present:
            raise ReplayError(f"time does not go back: it is {present.isoformat()} already")
        if now is not None and self.ends_at and now > self.ends_at:
            raise ReplayError(f"this world ends at {self.ends_at.isoformat()}")
        if speed is not None and not 0 <= speed <= 1e6:
            raise ReplayError(f"speed must lie between 0 and 1000000, not {speed}")
        self._anchor = now or present
        self._anchored_at = self._machine()
        self.speed = self.speed if speed is None else speed
        self.now()

    def close(self) -> None:
        """Write the exact time down, for the next start."""
        if self._state:
            self._state.save(self.now())

    def _clamped(self, at: datetime) -> datetime:
        return min(at, self.ends_at) if self.ends_at else at
