"""Requests to Kraken's public interface (`/0/public/`), and the envelope around every one of its answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import DecimalException
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from include.venues.answers import read_json
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import RequestRejectedError, UnavailableError, VenueError
from include.venues.gate import Gate
from include.venues.http import Params, Response, Retry, Transport, fetch
from include.venues.kraken_errors import VENUE, refusal

T = TypeVar("T")

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, OverflowError, AttributeError, DecimalException)


class KrakenApi:
    """One base URL, e.g. `https://api.kraken.com`, with how patiently and by whose leave it is asked."""

    def __init__(self, transport: Transport, retry: Retry | None, gate: Gate) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate

    def ask(
        self, endpoint: str, params: Params | None, interpret: Callable[[Any], T], weight: float = 1
    ) -> tuple[T, Response]:
        """What `interpret` makes of the answer's `result`; one it cannot make anything of counts as an outage."""

        def read(response: Response) -> tuple[T, Response]:
            result = _result(read_json(VENUE, response, _refused), response)
            try:
                return interpret(result), response
            except UNREADABLE as error:
                raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error

        return fetch(
            VENUE,
            self._transport,
            f"/0/public/{endpoint}",
            params,
            read,
            retry=self._retry,
            gate=self._gate,
            weight=weight,
        )


def require_timeframe(timeframe: str) -> None:
    """ValueError for a timeframe Kraken does not have."""
    known = CAPABILITIES[VENUE].timeframes
    if timeframe not in known:
        raise ValueError(f"{VENUE} has no timeframe {timeframe!r}; it has {', '.join(known)}")


def answered_at(response: Response, now: datetime) -> datetime:
    """When the venue answered, by the HTTP Date: `now`, or earlier where our clock runs ahead of the venue's."""
    try:
        date = parsedate_to_datetime(response.headers["Date"])
        return min(now, date.astimezone(UTC))
    except (KeyError, ValueError, TypeError, OverflowError):
        return now


def _errors(body: Any, response: Response) -> list[str]:
    errors = body.get("error", []) if isinstance(body, dict) else None
    if not isinstance(errors, list) or not all(isinstance(error, str) for error in errors):
        raise UnavailableError(VENUE, f"answer of {response.url} is not in Kraken's envelope: {str(body)[:200]}")
    return errors


def _result(body: Any, response: Response) -> Any:
    """The result of a 2xx answer. Warnings may stand beside one; anything else in the error list refuses it."""
    errors = _errors(body, response)
    fatal = [error for error in errors if not error.startswith("W")]
    if fatal:
        raise refusal(fatal, response)
    if "result" not in body:
        raise UnavailableError(VENUE, f"answer of {response.url} has no result: {str(body)[:200]}")
    return body["result"]


def _refused(response: Response, body: Any) -> VenueError:
    """The error of a 4xx answer with a JSON body."""
    errors = _errors(body, response)
    if not errors:
        return RequestRejectedError(VENUE, f"HTTP {response.status} from {response.url}: {str(body)[:200]}")
    return refusal(errors, response)
