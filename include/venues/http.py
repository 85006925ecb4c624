"""HTTP as the venues see it: a transport that comes in from outside, and the one place where requests are repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import requests
import tenacity
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from include.metrics import emit
from include.venues.errors import UnavailableError, VenueError
from include.venues.gate import NO_GATE, Gate
from include.venues.redact import hide, hide_in_body, public_url, secret_headers, secret_user, secrets_of
from include.venues.response import Response as Response

USER_AGENT = "crypto-market-airflow/0.1 (market data pipeline)"
WORLD_HEADER = "X-Replay-World"
LIVE = "live"
REPLAYED_WORLDS = ("recorded", "synthetic")

T = TypeVar("T")
Params = Mapping[str, str | int]


class Transport(Protocol):
    def get(self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None) -> Response:
        """Answer to GET `path` below the transport's base URL; UnavailableError where none arrives."""
        ...


class RequestsTransport:
    """Pooled connections to one base URL, e.g. `https://data-api.binance.vision`. Time-outs are in seconds.

    `session` is the one that was passed in, or one of our own; every request says who asks, whichever it is. Keys and
    passwords (of the headers a client passes, the base URL's, the session's) are in no answer and in no error.
    """

    def __init__(
        self,
        base_url: str,
        session: requests.Session | None = None,
        connect_timeout: float = 5,
        read_timeout: float = 30,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url(self._base_url)
        self._timeouts = (connect_timeout, read_timeout)
        self.session = session or pooled_session()

    def get(self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None) -> Response:
        url = f"{self._base_url}/{path.lstrip('/')}"
        try:
            answer = self.session.get(
                url, params=params, headers={"User-Agent": USER_AGENT, **(headers or {})}, timeout=self._timeouts
            )
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            told = hide(str(error), self._secrets(url, headers))
            # Not `from error`: a traceback would show the request with all it was sent with.
            raise UnavailableError(self._public_url, f"no answer from {path}: {told}") from None
        secrets = self._secrets(answer.url, headers)
        shown = hide(public_url(answer.url), secrets)
        return Response(
            answer.status_code, CaseInsensitiveDict(answer.headers), hide_in_body(answer.content, secrets), shown
        )

    def _secrets(self, url: str, headers: Mapping[str, str] | None) -> set[str]:
        """Whatever this request knows that nobody else should."""
        user, password = self.session.auth if isinstance(self.session.auth, tuple) else ("", "")
        return {
            *secret_headers(headers or {}),
            *secrets_of(self._base_url),
            *secrets_of(url),
            *secret_user(str(user)),
            str(password),
        }


def pooled_session() -> requests.Session:
    """A session that keeps a few connections open."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=8)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently an unavailable venue is asked again within one task; waits are in seconds."""

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 20
    sleep: Callable[[float], None] = field(default=time.sleep)


def fetch(
    venue: str,
    transport: Transport,
    path: str,
    params: Params | None,
    read: Callable[[Response], T],
    *,
    headers: Mapping[str, str] | None = None,
    retry: Retry,
    gate: Gate = NO_GATE,
    weight: float = 1,
) -> T:
    """What `read` makes of the answer; every request is counted by its outcome.

    Each try enters `gate` with the request's `weight` and reports back. Only UnavailableError, of the transport or of
    `read`, is tried again.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(UnavailableError),
        stop=tenacity.stop_after_attempt(retry.attempts),
        wait=tenacity.wait_random_exponential(multiplier=retry.first_wait, max=retry.longest_wait),
        sleep=retry.sleep,
        reraise=True,
    )

    def ask() -> T:
        gate.enter(weight)
        response: Response | None = None
        refused: VenueError | None = None
        began = time.monotonic()
        try:
            response = transport.get(path, params, headers)
            emit.timing("crypto.venue.request_seconds", time.monotonic() - began, venue=venue)
            return read(response)
        except VenueError as error:
            error.venue = venue  # a transport knows only its base URL
            refused = error
            raise
        finally:
            gate.leave(weight, response, refused)
            emit.count("crypto.venue.requests", 1, venue=venue, outcome=refused.outcome() if refused else "ok")

    return retrying(ask)


def world(response: Response) -> str:
    """Which world answered: `live`, or what the replay exchange says of itself (`recorded`, `synthetic`)."""
    name = response.headers.get(WORLD_HEADER, LIVE)
    if name not in (LIVE, *REPLAYED_WORLDS):
        raise VenueError(response.url, f"answer from an unknown world {name!r}")
    return name
