"""How far an answer can be trusted, said by the answer itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Verdict = Literal["answered", "abstained"]

# Why an answer abstains, in one word for programs.
Code = Literal["stale", "incomplete", "refused", "model_old", "nothing_known", "unverified"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is not to be relied on.

    text: for a person, naming what is wrong, by how much, and the deadline. since: from when on (UTC), where known.
    """

    code: Code
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """What every answer carries beside its rows; times are UTC.

    as_of: the world's time at which it was read. world: `live`, or a replayed one whose prices are no market's.
    complete_until: up to here nothing is missing that is not explained; None where nothing is known.
    completeness_percent: share of what is expected in the answer's window that is held, 0 to 100; None where nothing
    can be expected. reasons: empty where the answer stands.
    """

    as_of: datetime
    world: str | None
    complete_until: datetime | None
    completeness_percent: float | None
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return "abstained" if self.reasons else "answered"

    def because(self, *reasons: Reason | None) -> Trust:
        """The same with further reasons to abstain; None is none."""
        return replace(self, reasons=(*self.reasons, *(reason for reason in reasons if reason)))
