"""What no venue has: the world's clock, faults and corrections on demand, an account of requests, a health check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay.answers import json_answer
from include.replay.bars import STEP_MS
from include.replay.clock import ReplayClock
from include.replay.errors import ReplayError
from include.replay.fault_plan import FaultPlan
from include.replay.faults import Faults, read_fault
from include.replay.request_log import RequestLog
from include.replay.revisions import Revisions
from include.replay.world import World


class Control:
    """`/clock`, `/faults`, `/fault_plan`, `/revisions`, `/requests` and `/health`."""

    def __init__(
        self,
        world: World,
        clock: ReplayClock,
        faults: Faults,
        plan: FaultPlan,
        revisions: Mapping[str, Revisions],
        log: RequestLog,
    ) -> None:
        self._world = world
        self._clock = clock
        self._faults = faults
        self._plan = plan
        self._revisions = revisions
        self._log = log

    def routes(self) -> list[Route]:
        return [
            Route("/clock", self._read_clock, methods=["GET"]),
            Route("/clock", self._set_clock, methods=["PUT"]),
            Route("/faults", self._read_faults, methods=["GET"]),
            Route("/faults", self._add_fault, methods=["POST"]),
            Route("/faults", self._clear_faults, methods=["DELETE"]),
            Route("/fault_plan", self._read_plan, methods=["GET"]),
            Route("/fault_plan", self._set_plan, methods=["POST"]),
            Route("/fault_plan", self._clear_plan, methods=["DELETE"]),
            Route("/revisions", self._add_revision, methods=["POST"]),
            Route("/requests", self._read_requests, methods=["GET"]),
            Route("/requests", self._clear_requests, methods=["DELETE"]),
            Route("/health", self._health, methods=["GET"]),
        ]

    async def _read_clock(self, request: Request) -> Response:
        return json_answer(self._time())

    async def _set_clock(self, request: Request) -> Response:
        """Body `{"now": ISO 8601}` and/or `{"speed": number}`; 409 for a time that cannot be."""
        try:
            wish = orjson.loads(await request.body())
            if not isinstance(wish, dict) or not set(wish) <= {"now", "speed"}:
                raise ValueError('expected an object with "now" and/or "speed"')
            now = _instant(wish["now"]) if "now" in wish else None
            speed = float(wish["speed"]) if "speed" in wish else None
        except (ValueError, TypeError) as error:
            return _refused(error, 400)
        try:
            self._clock.set(now, speed)
        except ReplayError as error:
            return _refused(error, 409)
        return json_answer(self._time())

    async def _read_faults(self, request: Request) -> Response:
        return json_answer(self._faults.waiting())

    async def _add_fault(self, request: Request) -> Response:
        """Body `{"venue", "kind"}` and, both 1 where left out, `times` and `retry_after` (seconds)."""
        try:
            self._faults.add(*read_fault(await request.body()))
        except ValueError as error:
            return _refused(error, 400)
        return json_answer(self._faults.waiting(), 201)

    async def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return json_answer(self._faults.waiting())

    async def _read_plan(self, request: Request) -> Response:
        """What the plan has done so far."""
        return json_answer(self._plan.account())

    async def _set_plan(self, request: Request) -> Response:
        """Body `{"seed", "hosts": {host: {kind: share or options}}}`; it replaces the plan before it."""
        try:
            self._plan.set(orjson.loads(await request.body()))
        except ValueError as error:
            return _refused(error, 400)
        return json_answer(self._plan.account(), 201)

    async def _clear_plan(self, request: Request) -> Response:
        """End all faults of the plan; the answer is the last account of it."""
        account = self._plan.account()
        self._plan.clear()
        return json_answer(account)

    async def _read_requests(self, request: Request) -> Response:
        return json_answer(self._log.account())

    async def _clear_requests(self, request: Request) -> Response:
        """Count anew; the answer is the last account."""
        account = self._log.account()
        self._log.clear()
        return json_answer(account)

    async def _add_revision(self, request: Request) -> Response:
        """Body `{"symbol", "timeframe", "opened_at"}` and, `binance` where left out, `venue`: from now on that candle
        has 2 % more volume."""
        try:
            wish = orjson.loads(await request.body())
            symbol, timeframe, opened_at = wish["symbol"], wish["timeframe"], _instant(wish["opened_at"])
            venue = wish.get("venue", "binance")
            if venue not in self._revisions or symbol not in self._world.book(venue).markets:
                raise ValueError(f"no market {symbol} at {venue}")
            if timeframe not in STEP_MS:
                raise ValueError(f"no timeframe {timeframe}")
        except (ValueError, TypeError, KeyError) as error:
            return _refused(error, 400)
        self._revisions[venue].add(symbol, timeframe, int(opened_at.timestamp() * 1000))
        return json_answer(wish, 201)

    async def _health(self, request: Request) -> Response:
        return json_answer({"status": "ok", "world": self._world.name, "identity": self._world.identity})

    def _time(self) -> dict[str, object]:
        ends_at = self._world.ends_at
        return {
            "now": self._clock.now().isoformat(),
            "ends_at": ends_at.isoformat() if ends_at else None,
            "world": self._world.name,
            "speed": self._clock.speed,
        }


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no UTC offset")
    return at.astimezone(UTC)


def _refused(error: Exception, status: int) -> Response:
    return json_answer({"error": f"{type(error).__name__}: {error}" if status == 400 else str(error)}, status)
