"""Clients with gates before an exchange that refuses: requests stop at once, for everybody, and nobody is banned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from include.clock import FixedClock
from include.politeness.gate import HostGate
from include.politeness.priority import Priority
from include.politeness.session import open_session
from include.replay.limits import WeightBudget
from include.replay.synthetic import SyntheticWorld
from include.venues import errors
from include.venues.binance import Binance
from include.venues.capabilities import Limit
from include.venues.errors import CircuitOpenError, RateLimitedError, UnavailableError, VenueError
from include.venues.http import RequestsTransport, Retry
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection

NOW = datetime(2024, 6, 1, 12, 40, tzinfo=UTC)
VENUES_MINUTE = 30  # weight that the venue allows in a minute; ours is far above it

Serve = Callable[..., AbstractContextManager[str]]


class Venue:
    """A replayed Binance whose seconds pass as the test says, and clients of two processes before it."""

    def __init__(self, dsn: str, serve: Serve) -> None:
        self.clock = FixedClock(NOW)
        budget = WeightBudget(VENUES_MINUTE, patience=1, seconds=lambda: self.clock.at.timestamp())
        self._served = serve(SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC)), NOW, binance_budget=budget)
        self._dsn = dsn
        self.gates: list[HostGate] = []

    def __enter__(self) -> Venue:
        self.url = self._served.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for gate in self.gates:
            gate.close()
        self._served.__exit__(*error)

    def client(self, priority: Priority = Priority.LIVE) -> Binance:
        def connect() -> Connection:
            return open_session(self._dsn, 10)

        limits = [Limit(6000, 60)]
        gate = HostGate(connect, "binance", priority, limits, sleep=self.pass_, clock=self.clock)
        self.gates.append(gate)
        return Binance(RequestsTransport(f"{self.url}/binance"), Retry(sleep=lambda seconds: None), gate)

    def pass_(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    def fail(self, kind: str, times: int, **details: Any) -> None:
        wish = {"venue": "binance", "kind": kind, "times": times, **details}
        requests.post(f"{self.url}/faults", json=wish, timeout=5).raise_for_status()

    def heal(self) -> None:
        requests.delete(f"{self.url}/faults", timeout=5).raise_for_status()

    def account(self) -> dict[str, Any]:
        """What the venue saw."""
        return dict(requests.get(f"{self.url}/requests", timeout=5).json()["binance"])


@pytest.fixture
def venue(warehouse: WarehouseDsns, serve: Serve) -> Iterator[Venue]:
    with Venue(warehouse.writer, serve) as made:
        yield made


def test_who_obeys_429_is_never_banned_however_often_it_is_met(venue: Venue) -> None:
    clients = [venue.client(), venue.client(Priority.BACKFILL)]
    put_off, done = 0, 0
    while done < 120:
        try:
            clients[done % 2].server_time()
            done += 1
        except RateLimitedError as error:
            put_off += 1
            venue.pass_(error.retry_after_seconds or 0)
    seen = venue.account()
    assert seen["refused"] == {"429": seen["refused"]["429"], "418": 0}
    assert 1 <= seen["refused"]["429"] <= 5
    assert seen["requests"] == done + seen["refused"]["429"]
    assert put_off >= seen["refused"]["429"], "most tries were put off here and not refused there"


@pytest.mark.parametrize(
    ("kind", "error", "then", "seconds"),
    [
        ("rate_limited", errors.RateLimitedError, errors.RateLimitedError, 31),
        ("banned", errors.BannedError, CircuitOpenError, 31),
        ("geo_blocked", errors.GeoBlockedError, CircuitOpenError, 3600),
        ("forbidden", errors.ForbiddenError, CircuitOpenError, 300),
    ],
)
def test_one_refusal_stops_all_requests_at_once_until_it_is_over(
    venue: Venue, kind: str, error: type[VenueError], then: type[RateLimitedError], seconds: float
) -> None:
    one, other = venue.client(), venue.client(Priority.BACKFILL)
    venue.fail(kind, 100, retry_after=30)
    with pytest.raises(error):
        one.server_time()
    for client in (one, other, one, other):
        with pytest.raises(then) as refusal:
            client.server_time()
        assert type(refusal.value) is then
        assert refusal.value.retry_after_seconds == seconds
    assert venue.account()["requests"] == 1
    venue.heal()
    venue.pass_(seconds)
    assert other.server_time() == NOW
    assert one.server_time() == NOW
    assert venue.account()["requests"] == 3


def test_a_venue_that_is_down_is_asked_five_times_and_then_once_in_a_while(venue: Venue) -> None:
    clients = [venue.client(), venue.client(Priority.REPAIR)]
    venue.fail("unavailable", 100)
    with pytest.raises(UnavailableError):
        clients[0].server_time()
    assert venue.account()["requests"] == 4, "the tries of one request"
    with pytest.raises(CircuitOpenError):
        clients[1].server_time()
    assert venue.account()["requests"] == 5
    for probes, pause in enumerate((30, 60, 120), start=1):
        venue.pass_(pause)
        for client in clients:
            with pytest.raises(CircuitOpenError):
                client.server_time()
        assert venue.account()["requests"] == 5 + probes
    venue.heal()
    venue.pass_(240)
    assert [client.server_time() for client in clients] == [NOW, NOW]


def test_a_request_that_is_refused_for_itself_stops_nobody(venue: Venue) -> None:
    client = venue.client()
    for _ in range(6):
        with pytest.raises(errors.UnknownSymbolError):
            client.first_open("NOTHING", "1h", NOW)
    assert client.server_time() == NOW
