"""What an answer means for everybody who asks the same host: nothing, a pause, or an open circuit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from include.venues.errors import (
    AuthenticationError,
    BannedError,
    ForbiddenError,
    GeoBlockedError,
    RateLimitedError,
    UnavailableError,
    VenueError,
)
from include.venues.response import Response
from include.warehouse.text import storable


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to stay away where the host does not say: `first` seconds, doubling up to `longest`.

    `least`: seconds to stay away even where it asks for less.
    `threshold`: how many in a row it takes.
    """

    first: float
    longest: float
    least: float = 0
    threshold: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to put on a host's record. `told`: seconds the host asked for, None where it did not say."""

    action: Literal["succeed", "block", "fail"]
    reason: str = ""
    patience: Patience = Patience(0, 0)
    told: float | None = None
    error: str | None = None


SUCCEED = Verdict("succeed")

# Answers that open the circuit: nobody can do better by asking again soon.
BANNED = Patience(120, 3 * 86_400)
GEO_BLOCKED = Patience(3600, 86_400)
FORBIDDEN = Patience(300, 3600)
AUTHENTICATION = Patience(900, 6 * 3600)  # a person has to change a setting
UNAVAILABLE = Patience(30, 900, threshold=5)

# 429 without Retry-After. Some hosts name no time at all, CoinGecko's shared addresses need a minute whatever it says.
RATE_LIMITED = {
    "coinbase": Patience(1, 60),
    "kraken": Patience(5, 60),
    "coingecko": Patience(60, 3600, least=60),
}
RATE_LIMITED_ELSEWHERE = Patience(60, 900)

# The host's own count of what this address has used in its wall-clock minute, by whatever process.
USED_WEIGHT_HEADERS = {"binance": "X-MBX-USED-WEIGHT-1M"}

# A Retry-After is whole seconds, rounded as the host likes.
ROUNDING_SECONDS = 1
ERROR_CHARACTERS = 500
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")


def judge(
    source: str, response: Response | None, error: VenueError | None, most_used_weight: float | None
) -> list[Verdict]:
    """What an answer puts on the record of its host.

    most_used_weight: above it, by the host's own header, everybody waits for the host's next minute. An answer that
    refuses this one request, or holds no data, is a good answer of the host. None came: UnavailableError says so;
    where there is no error either, the request was given up here and says nothing.
    """
    if error is None and response is None:
        return []
    verdict = SUCCEED if error is None else _of_error(source, response, error)
    heavy = _of_used_weight(source, response, most_used_weight)
    return [verdict, heavy] if heavy else [verdict]


def _of_error(source: str, response: Response | None, error: VenueError) -> Verdict:
    text = storable(str(error)[:ERROR_CHARACTERS])
    match error:
        case BannedError():
            return Verdict("fail", "banned", BANNED, _told(response, error), text)
        case RateLimitedError():
            patience = RATE_LIMITED.get(source, RATE_LIMITED_ELSEWHERE)
            return Verdict("block", "rate_limited", patience, _told(response, error), text)
        case GeoBlockedError():
            return Verdict("fail", "geo_blocked", GEO_BLOCKED, error=text)
        case ForbiddenError():
            return Verdict("fail", "forbidden", FORBIDDEN, error=text)
        case AuthenticationError():
            return Verdict("fail", "authentication", AUTHENTICATION, error=text)
        case UnavailableError():
            return Verdict("fail", "unavailable", UNAVAILABLE, error=text)
    return SUCCEED


def _told(response: Response | None, error: RateLimitedError) -> float | None:
    """Seconds the host asked for: by its header, else by the end of the ban in its message, counted from its Date."""
    if error.retry_after_seconds is not None:
        return error.retry_after_seconds + ROUNDING_SECONDS
    found = _BANNED_UNTIL.search(response.body.decode("utf-8", "replace")) if response else None
    if response is None or found is None:
        return None
    try:
        answered_at = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return min(max(0.0, int(found[1]) / 1000 - answered_at) + ROUNDING_SECONDS, BANNED.longest)


def _of_used_weight(source: str, response: Response | None, most: float | None) -> Verdict | None:
    header = USED_WEIGHT_HEADERS.get(source)
    if response is None or header is None or most is None:
        return None
    used = response.headers.get(header, "")
    if not (used.isascii() and used.isdecimal()) or int(used) <= most:
        return None
    try:
        passed = parsedate_to_datetime(response.headers["Date"]).second
    except (KeyError, ValueError):
        passed = 0
    return Verdict("block", "used_weight", Patience(60, 60), 60 - passed, f"used weight {used}, ours ends at {most:g}")
