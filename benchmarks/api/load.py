"""A bounded load on one HTTP address of the loopback interface, and what it comes to."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

TIMEOUT_SECONDS = 30
_TOTAL = re.compile(r"\btotal;dur=([\d.]+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One question: what it is called in the table, and its path with its query."""

    name: str
    host: str
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Sample:
    """What came of asking; times in seconds.

    took: on the wall, from the first question to the last answer. server: as the answers' Server-Timing says, where
    they do. failed: anything but 200, by status or by the error's name.
    """

    seconds: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    took: float = 0
    size: int = 0

    def add(self, other: Sample) -> None:
        """Further rounds of the same call."""
        self.seconds += other.seconds
        self.server += other.server
        self.failed += other.failed
        self.took += other.took
        self.size = max(self.size, other.size)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took if self.took else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed. Raises ValueError for none of them."""
    if not values:
        raise ValueError("no value to take a quantile of")
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def server_seconds(header: str | None) -> float | None:
    """The total of a Server-Timing header, whose figures are milliseconds; None where it says none."""
    found = _TOTAL.search(header or "")
    return float(found[1]) / 1000 if found else None


def load(call: Call, *, askers: int, most: int, seconds: float) -> Sample:
    """Ask over and over, each asker on a connection of its own that is kept open.

    Ends after `most` questions in all or when `seconds` have passed, whichever comes first.
    """
    whole, lock, tickets = Sample(), threading.Lock(), iter(range(most))
    until = time.perf_counter() + seconds

    def ask() -> None:
        own, connection = Sample(), HTTPConnection(call.host, call.port, timeout=TIMEOUT_SECONDS)
        try:
            while time.perf_counter() < until:
                with lock:
                    if next(tickets, None) is None:
                        break
                _ask(connection, call, own)
        finally:
            connection.close()
        with lock:
            whole.add(own)

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole.took = time.perf_counter() - began
    return whole


def _ask(connection: HTTPConnection, call: Call, sample: Sample) -> None:
    began = time.perf_counter()
    try:
        connection.request("GET", call.path, headers=dict(call.headers))
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as error:
        connection.close()
        sample.failed.append(type(error).__name__)
        return
    if answer.status != 200:
        sample.failed.append(str(answer.status))
        return
    sample.seconds.append(time.perf_counter() - began)
    sample.size = max(sample.size, len(body))
    if (on_server := server_seconds(answer.getheader("Server-Timing"))) is not None:
        sample.server.append(on_server)
