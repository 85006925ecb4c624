"""Request budgets as the venues keep them: by the machine's clock, since it is the callers' real rate that counts."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from include.replay.clock import machine_seconds


class Standing(Enum):
    """How the venue treats a caller."""

    WELCOME = "welcome"
    LIMITED = "limited"
    BANNED = "banned"


class Verdict(NamedTuple):
    """Answer to one request: the caller's standing, the weight used in this minute, and for how long to stay away."""

    standing: Standing
    used: int
    retry_after: int = 0
    banned_until_ms: int = 0


class WeightBudget:
    """Weight per wall-clock minute; who goes on after it is used up is limited, who does not stop then is banned.

    patience: requests that are refused before a ban. Each ban lasts twice as long as the one before.
    """

    def __init__(
        self,
        limit: int,
        *,
        patience: int = 10,
        first_ban_seconds: int = 120,
        seconds: Callable[[], float] = machine_seconds,
    ) -> None:
        self.limit = limit
        self._patience = patience
        self._ban_seconds = first_ban_seconds
        self._seconds = seconds
        self._minute = 0
        self._used = 0
        self._refused = 0
        self._banned_until = 0.0

    def spend(self, weight: int) -> Verdict:
        """Charge one request."""
        now = self._seconds()
        if now < self._banned_until:
            return self._ban(now)
        if int(now // 60) != self._minute:
            self._minute, self._used, self._refused = int(now // 60), 0, 0
        self._used += weight
        if self._used <= self.limit:
            return Verdict(Standing.WELCOME, self._used)
        self._refused += 1
        if self._refused > self._patience:
            self._banned_until = now + self._ban_seconds
            self._ban_seconds *= 2
            return self._ban(now)
        return Verdict(Standing.LIMITED, self._used, 60 - int(now % 60))

    def _ban(self, now: float) -> Verdict:
        left = int(self._banned_until - now) + 1
        return Verdict(Standing.BANNED, self._used, left, int(self._banned_until * 1000))
