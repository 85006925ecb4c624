"""The half-open window of times that a question is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from include.serving.selection import Snapshot


class Window(NamedTuple):
    """Times in [start, end), UTC; never beyond the look's now."""

    start: datetime
    end: datetime

    @property
    def values(self) -> dict[str, datetime]:
        """As the parameters of a statement."""
        return {"starts_at": self.start, "ends_at": self.end}


def window(look: Snapshot, start: datetime | None, end: datetime | None, usual: timedelta) -> Window:
    """Up to now where end is None or later; usual: how long it is where start is None. Empty if it begins after now."""
    until = min(end or look.now, look.now)
    return Window(min(start or until - usual, until), until)
