"""The replay exchange: HTTP twins of the venues over one world and one clock."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.replay.alternative_me import AlternativeMe
from include.replay.answers import json_answer
from include.replay.binance import Binance
from include.replay.clock import ReplayClock
from include.replay.coingecko import CoinGecko
from include.replay.errors import ReplayError
from include.replay.limits import WeightBudget
from include.replay.world import World

WORLD_HEADER = "X-Replay-World"
BINANCE_WEIGHT_PER_MINUTE = 6000
COINGECKO_CALLS_PER_MINUTE = 100


def create_app(
    world: World,
    clock: ReplayClock,
    *,
    binance_budget: WeightBudget | None = None,
    coingecko_budget: WeightBudget | None = None,
) -> ASGIApp:
    """The whole exchange as an ASGI application; every answer names the world in `X-Replay-World`."""
    binance = Binance(world, clock, binance_budget or WeightBudget(BINANCE_WEIGHT_PER_MINUTE))
    coingecko = CoinGecko(world, clock, coingecko_budget or WeightBudget(COINGECKO_CALLS_PER_MINUTE))
    control = Control(world, clock)
    app = Starlette(
        routes=[
            Mount("/binance", routes=binance.routes()),
            Mount("/alternative_me", routes=AlternativeMe(world, clock).routes()),
            Mount("/coingecko", routes=coingecko.routes()),
            *control.routes(),
        ]
    )
    return _named(app, world.name)


class Control:
    """`/clock` and `/health`: what no venue has."""

    def __init__(self, world: World, clock: ReplayClock) -> None:
        self._world = world
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/clock", self._read, methods=["GET"]),
            Route("/clock", self._set, methods=["PUT"]),
            Route("/health", self._health, methods=["GET"]),
        ]

    async def _read(self, request: Request) -> Response:
        return json_answer(self._time())

    async def _set(self, request: Request) -> Response:
        """Body `{"now": ISO 8601}` and/or `{"speed": number}`; 409 for a time that cannot be."""
        try:
            wish = orjson.loads(await request.body())
            now = datetime.fromisoformat(wish["now"]) if "now" in wish else None
            speed = float(wish["speed"]) if "speed" in wish else None
            if not set(wish) <= {"now", "speed"} or (now is not None and now.tzinfo is None):
                raise ValueError('expected "now" with a UTC offset and/or "speed"')
        except (ValueError, TypeError) as error:
            return json_answer({"error": f"not a time to set: {error}"}, 400)
        try:
            self._clock.set(now.astimezone(UTC) if now else None, speed)
        except ReplayError as error:
            return json_answer({"error": str(error)}, 409)
        return json_answer(self._time())

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


def _named(app: ASGIApp, world: str) -> ASGIApp:
    """Add the world's name to every answer, errors included."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[WORLD_HEADER] = world
            await send(message)

        await app(scope, receive, send_named)

    return wrapped
