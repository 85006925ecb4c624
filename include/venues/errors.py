"""What can go wrong at a venue, one class for each way a caller should react.

- reschedule after a wait: RateLimitedError, BannedError, CircuitOpenError
- try again soon: UnavailableError, NoDataError
- take it from another source: NotPublishedError, CorruptFileError
- open the circuit and alert: GeoBlockedError, ForbiddenError, AuthenticationError
- never try again as it is: RequestRejectedError, UnknownSymbolError, OutOfReachError
"""

from __future__ import annotations

import re


class VenueError(Exception):
    """Base of all. `venue` is our name of the source, `message` says what it answered."""

    def __init__(self, venue: str, message: str, *details: object) -> None:
        # Every argument goes to Exception, so that the error survives pickling between processes.
        super().__init__(venue, message, *details)
        self.venue = venue
        self.message = message

    def __str__(self) -> str:
        return f"{self.venue}: {self.message}"

    @classmethod
    def outcome(cls) -> str:
        """The class as a label of a metric: `rate_limited` for RateLimitedError."""
        return re.sub(r"(?<=.)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).lower()


class RateLimitedError(VenueError):
    """Too many requests (429); nothing may be sent for `retry_after_seconds` (None where the venue did not say)."""

    def __init__(self, venue: str, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(venue, message, retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class BannedError(RateLimitedError):
    """The address is banned (418) because requests went on after 429; the ban grows when they still go on."""


class CircuitOpenError(RateLimitedError):
    """Nothing was sent: the host's circuit is open, for the reason given, for `retry_after_seconds` more."""


class GeoBlockedError(VenueError):
    """The venue does not serve this location (451)."""


class ForbiddenError(VenueError):
    """A firewall in front of the venue refused the request (403 with a page instead of data)."""


class UnavailableError(VenueError):
    """The venue is down, slow or answered something broken: 5xx, time-out, dropped connection, cut or foreign body."""


class RequestRejectedError(VenueError):
    """The venue understood the request and refuses it; `code` is its own error code (None where it gives none)."""

    def __init__(self, venue: str, message: str, code: int | None = None) -> None:
        super().__init__(venue, message, code)
        self.code = code


class UnknownSymbolError(RequestRejectedError):
    """The venue does not know the symbol or coin (any more)."""


class AuthenticationError(VenueError):
    """The key is missing, wrong, or not entitled to this request."""


class NoDataError(VenueError):
    """An answer without data where data must exist: a failure, never "nothing to do"."""


class OutOfReachError(RequestRejectedError):
    """The venue keeps no history as old as was asked for; asking again cannot help, another source may."""


class NotPublishedError(VenueError):
    """A file of a published archive is not there. `is_overdue`: whether by then the venue should have put it there."""

    def __init__(self, venue: str, message: str, is_overdue: bool) -> None:
        super().__init__(venue, message, is_overdue)
        self.is_overdue = is_overdue


class CorruptFileError(VenueError):
    """A published file that cannot be what the venue meant to publish; nothing of it may be used."""


class ChecksumMismatchError(CorruptFileError):
    """A published file, or the checksum beside it, is another one: one of both was replaced or spoilt."""
