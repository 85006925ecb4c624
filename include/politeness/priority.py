"""Who goes first where requests are scarce."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """What a request is for; the first is served first.

    Two things keep the lower from delaying the higher. While a higher one waits for a token the lower take none, so it
    waits for its own token alone. And the lower leave a share of each bucket (`reserve`) to the higher, so that a limit
    per day, whose tokens take minutes to come back, has some for them at once.
    """

    LIVE = "live"
    REPAIR = "repair"
    BACKFILL = "backfill"

    @property
    def reserve(self) -> float:
        """Share of a bucket's capacity that this priority leaves untouched."""
        return {Priority.LIVE: 0.0, Priority.REPAIR: 0.1, Priority.BACKFILL: 0.25}[self]
