"""What stands between a client and a host: may this request be sent now, and what came of it.

The gate of a task is the shared request budget in PostgreSQL (`include.politeness`); a client that is given none is
not limited.
"""

from __future__ import annotations

from typing import Protocol

from include.venues.errors import VenueError
from include.venues.response import Response


class Gate(Protocol):
    """One host's budget and circuit, as one process with one priority sees them. Safe to use from several threads."""

    def enter(self, weight: float) -> None:
        """Return when a request of this weight may be sent.

        Raises CircuitOpenError or RateLimitedError, with the seconds to wait, where that is too long to sit out.
        """
        ...

    def leave(self, weight: float, response: Response | None, error: VenueError | None) -> None:
        """Tell what came of a request that was let in: its answer (None where none arrived), and how it was read."""
        ...


class NoGate:
    """Lets everything pass."""

    def enter(self, weight: float) -> None:
        return None

    def leave(self, weight: float, response: Response | None, error: VenueError | None) -> None:
        return None


NO_GATE = NoGate()
