"""From an HTTP answer to parsed JSON, or to the error class its status asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, DecimalException
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from include.venues.errors import (
    AuthenticationError,
    BannedError,
    ForbiddenError,
    GeoBlockedError,
    RateLimitedError,
    UnavailableError,
    VenueError,
)
from include.venues.http import Response

EXCERPT_CHARACTERS = 200

Refusal = Callable[[Response, Any], VenueError]


def read_json(venue: str, response: Response, refusal: Refusal) -> Any:
    """The JSON of a 2xx answer, fractions as Decimal with the digits of the wire.

    Raises the error of the status; for other 4xx answers with a JSON body `refusal` names the error.
    """
    if response.status >= 400:
        _raise_for_status(venue, response, refusal)
    if response.status >= 300:
        raise UnavailableError(venue, f"unexpected status {_described(response)}")
    return parse_json(venue, response)


def parse_json(venue: str, response: Response) -> Any:
    """The body as JSON; UnavailableError where it is a page, cut, or not JSON at all."""

    def refuse_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(response.body, parse_float=Decimal, parse_constant=refuse_constant)
    except (ValueError, DecimalException, RecursionError) as error:  # the last two: 1e9999999999999999999, [[[[…
        raise UnavailableError(venue, f"answer is not JSON ({error}): {_described(response)}") from error


def retry_after_seconds(response: Response) -> float | None:
    """Seconds the Retry-After header asks to wait; its date form counts from the answer's own Date."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdecimal():
        return float(header)
    try:
        return max(
            0.0, (parsedate_to_datetime(header) - parsedate_to_datetime(response.headers["Date"])).total_seconds()
        )
    except (KeyError, ValueError, TypeError):
        return None


def _raise_for_status(venue: str, response: Response, refusal: Refusal) -> NoReturn:
    described = _described(response)
    match response.status:
        case 429:
            raise RateLimitedError(venue, described, retry_after_seconds(response))
        case 418:
            raise BannedError(venue, described, retry_after_seconds(response))
        case 451:
            raise GeoBlockedError(venue, described)
        case status if status >= 500:
            raise UnavailableError(venue, described)
    try:
        body = parse_json(venue, response)
    except UnavailableError:
        if response.status == 401:
            raise AuthenticationError(venue, described) from None
        # A page instead of JSON with any other 4xx comes from a firewall or a wrong base URL, not from the API.
        raise ForbiddenError(venue, described) from None
    raise refusal(response, body)


def _described(response: Response) -> str:
    excerpt = response.body[:EXCERPT_CHARACTERS].decode("utf-8", "replace")
    return f"HTTP {response.status} from {response.url}: {excerpt}"
