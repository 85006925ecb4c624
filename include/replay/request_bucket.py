"""A venue's request limit as Kraken and Coinbase keep it: a bucket that fills by and by, by the machine's clock."""

from __future__ import annotations

from collections.abc import Callable

from include.replay.clock import machine_seconds


class RequestBucket:
    """`burst` requests at once, and `per_second` more with each second that passes."""

    def __init__(
        self, per_second: float = 10, burst: int = 15, *, seconds: Callable[[], float] = machine_seconds
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._seconds = seconds
        self._left = float(burst)
        self._at = seconds()

    def take(self) -> bool:
        """Whether one more request is welcome now; it is charged if so."""
        now = self._seconds()
        self._left = min(float(self._burst), self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
