"""The replay exchange: HTTP twins of the venues over one world and one clock."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.replay.alternative_me import AlternativeMe
from include.replay.binance import Binance
from include.replay.clock import ReplayClock
from include.replay.coingecko import CoinGecko
from include.replay.control import Control
from include.replay.faults import Faults
from include.replay.limits import WeightBudget
from include.replay.revisions import Revisions
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
    faults, revisions = Faults(), Revisions()
    binance = Binance(world, clock, binance_budget or WeightBudget(BINANCE_WEIGHT_PER_MINUTE), revisions)
    coingecko = CoinGecko(world, clock, coingecko_budget or WeightBudget(COINGECKO_CALLS_PER_MINUTE))
    app = Starlette(
        routes=[
            Mount("/binance", routes=binance.routes()),
            Mount("/alternative_me", routes=AlternativeMe(world, clock).routes()),
            Mount("/coingecko", routes=coingecko.routes()),
            *Control(world, clock, faults, revisions).routes(),
        ]
    )
    return _named(faults.wrap(app), world.name)


def _named(app: ASGIApp, world: str) -> ASGIApp:
    """Add the world's name to every answer, errors included."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[WORLD_HEADER] = world
            await send(message)

        await app(scope, receive, send_named)

    return wrapped
