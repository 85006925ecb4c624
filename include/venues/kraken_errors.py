"""Kraken's error strings as our error classes.

Kraken answers HTTP 200 to almost everything and puts what went wrong into the body's `error` list, as
`<severity><Category>:<message>[:detail]`: `E` an error, `W` a warning beside a valid result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime

from include.candles.timeframes import EPOCH
from include.venues.answers import retry_after_seconds
from include.venues.errors import (
    AuthenticationError,
    BannedError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.response import Response

VENUE = "kraken"
# Kraken names no length; a quarter of an hour is the shortest that was reported.
LOCKOUT_SECONDS = 900.0
_THROTTLED = re.compile(r"EService: ?Throttled(?:: ?([0-9]{1,12}))?", re.ASCII)

Make = Callable[[str, Response], VenueError]


def _banned(message: str, response: Response) -> VenueError:
    return BannedError(VENUE, message, max(LOCKOUT_SECONDS, retry_after_seconds(response) or 0.0))


def _rate_limited(message: str, response: Response) -> VenueError:
    return RateLimitedError(VENUE, message, retry_after_seconds(response))


def _authentication(message: str, response: Response) -> VenueError:
    return AuthenticationError(VENUE, message)


def _unknown_symbol(message: str, response: Response) -> VenueError:
    return UnknownSymbolError(VENUE, message)


def _unavailable(message: str, response: Response) -> VenueError:
    return UnavailableError(VENUE, message)


# How an error string begins, and what it means. What asks us to stay away comes first: it decides where an answer
# carries several errors.
_MEANINGS: tuple[tuple[str, Make], ...] = (
    ("EGeneral:Temporary lockout", _banned),
    ("EAPI:Rate limit exceeded", _rate_limited),
    ("EGeneral:Too many requests", _rate_limited),
    ("EAPI:Invalid key", _authentication),
    ("EGeneral:Permission denied", _authentication),
    ("EQuery:Unknown asset", _unknown_symbol),  # also "Unknown asset pair"
    ("EQuery:Invalid asset pair", _unknown_symbol),
    ("EService:", _unavailable),  # Unavailable, Busy, Deadline elapsed, Market in cancel_only mode, …
    ("EGeneral:Internal error", _unavailable),
)


def refusal(errors: Sequence[str], response: Response) -> VenueError:
    """The error an answer's `error` list stands for; RequestRejectedError where none of its strings is known."""
    message = f"{'; '.join(errors)} (HTTP {response.status}, {response.url})"
    for error in errors:
        if throttled := _THROTTLED.match(error):
            return RateLimitedError(VENUE, message, _seconds_until(throttled[1], response))
    for beginning, make in _MEANINGS:
        if any(error.startswith(beginning) for error in errors):
            return make(message, response)
    return RequestRejectedError(VENUE, message)


def _seconds_until(unix_seconds: str | None, response: Response) -> float | None:
    """From the answer's own Date to the time it names; None where either is missing."""
    if unix_seconds is None:
        return retry_after_seconds(response)
    try:
        asked_at = parsedate_to_datetime(response.headers["Date"])
        return max(0.0, int(unix_seconds) - (asked_at - EPOCH).total_seconds())
    except (KeyError, ValueError, TypeError):
        return retry_after_seconds(response)
