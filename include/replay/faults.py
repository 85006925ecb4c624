"""Faults in front of the venues: the next answers of a host on demand, and the requests of a plan."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.replay.fault_answers import ANSWERED, HOSTS, fault_answer
from include.replay.fault_plan import FaultPlan, Wish
from include.replay.fault_spoils import SPOILT, shifted, spoilt
from include.replay.request_log import RequestLog

TOO_MANY = 429
_KRAKENS_REFUSAL = b'["EAPI:Rate limit exceeded"]'
_MOST_AT_ONCE = 1000


class Faults:
    """Faults that wait for each host, in the order they were asked for; they come before those of the plan."""

    def __init__(self, plan: FaultPlan, log: RequestLog) -> None:
        self._plan = plan
        self._log = log
        self._waiting: dict[str, deque[tuple[str, Wish]]] = {host: deque() for host in HOSTS}

    def add(self, host: str, kind: str, times: int = 1, retry_after: int = 1, seconds: float = 1.0) -> None:
        """Let the next `times` answers of the host fail; `seconds`: delay of a slow one.

        Raises ValueError for an unknown host, kind or count.
        """
        if not 1 <= times <= _MOST_AT_ONCE:
            raise ValueError(f"times must lie between 1 and {_MOST_AT_ONCE}, not {times}")
        if host not in HOSTS or kind not in (*ANSWERED, *SPOILT, "slow"):
            raise ValueError(f"unknown host or fault: {host!r}, {kind!r}")
        self._waiting[host].extend([(kind, Wish(retry_after=retry_after, seconds=seconds))] * times)

    def clear(self) -> None:
        for waiting in self._waiting.values():
            waiting.clear()

    def waiting(self) -> dict[str, list[str]]:
        """Kinds of the faults still to come, by host."""
        return {host: [kind for kind, _ in faults] for host, faults in self._waiting.items()}

    def wrap(self, app: ASGIApp, weigh: Mapping[str, Callable[[Scope], int]]) -> ASGIApp:
        """The application with the faults in front of it. `weigh`: weight of a request, by host; 1 elsewhere."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            host = host_of(scope)
            if host not in HOSTS:
                await app(scope, receive, send)
                return
            self._log.arrived(host, weigh[host](scope) if host in weigh else 1)
            plan = self._plan.of(host)
            fault = plan.next_fault(scope["path"]) if plan else None
            if self._waiting[host]:
                fault = self._waiting[host].popleft()
            kind, wish = fault or ("", Wish())
            if kind == "slow":
                await asyncio.sleep(wish.seconds)
            if kind in ANSWERED:
                answer = fault_answer(host, kind, wish.retry_after)
                status = TOO_MANY if kind == "rate_limited" else answer.status_code
                self._log.answered(host, status, answer.headers.get("Retry-After"), is_fault=True)
                await answer(scope, receive, send)
                return
            noted = self._noted(host, send)
            if plan and _is_time(scope["path"]) and (skew := self._plan.clock_skew(host)):
                noted = shifted(skew, noted)
            await app(scope, receive, spoilt(kind, noted) if kind in SPOILT else noted)

        return wrapped

    def _noted(self, host: str, send: Send) -> Send:
        """Pass on the venue's own answer and note how it refused."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message.get("headers", [])}
                self._log.answered(host, message["status"], headers.get(b"retry-after", b"").decode(), is_fault=False)
            elif _KRAKENS_REFUSAL in message.get("body", b"")[:100]:  # it refuses with a 200
                self._log.answered(host, TOO_MANY, None, is_fault=False)
            await send(message)

        return noted


def host_of(scope: Scope) -> str:
    """Which host a request is for: the first part of its path."""
    return str(scope["path"]).split("/")[1] if scope["type"] == "http" else ""


def _is_time(path: str) -> bool:
    return path.rstrip("/").lower().endswith("/time")


def read_fault(body: bytes) -> tuple[str, str, int, int, float]:
    """Host, kind, times, Retry-After and delay of a request to add a fault. Raises ValueError for anything else."""
    wish = orjson.loads(body)
    try:
        return (
            str(wish["venue"]),
            str(wish["kind"]),
            int(wish.get("times", 1)),
            int(wish.get("retry_after", 1)),
            float(wish.get("seconds", 1)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'expected {{"venue", "kind", "times", "retry_after", "seconds"}}: {error}') from error
