"""The replay exchange: HTTP twins of the venues over one world and one clock."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.replay import binance as binance_twin
from include.replay.alternative_me import AlternativeMe
from include.replay.binance import Binance
from include.replay.binance_archive import BinanceArchive
from include.replay.binance_archive_quirks import ArchiveQuirks
from include.replay.clock import ReplayClock
from include.replay.coinbase import Coinbase
from include.replay.coinbase_advanced import CoinbaseAdvanced
from include.replay.coingecko import CoinGecko
from include.replay.control import Control
from include.replay.current import CurrentBook
from include.replay.fault_plan import FaultPlan
from include.replay.faults import Faults, host_of
from include.replay.kraken import Kraken
from include.replay.limits import WeightBudget
from include.replay.request_bucket import RequestBucket
from include.replay.request_log import RequestLog
from include.replay.revisions import Revisions
from include.replay.shaping import FaultyBook
from include.replay.world import Book, World

VENUES = ("binance", "kraken", "coinbase")  # that have markets
WORLD_HEADER = "X-Replay-World"
BINANCE_WEIGHT_PER_MINUTE = 6000
COINGECKO_CALLS_PER_MINUTE = 100
COINGECKO_PRO_CALLS_PER_MINUTE = 500


def create_app(
    world: World,
    clock: ReplayClock,
    *,
    binance_budget: WeightBudget | None = None,
    coingecko_budget: WeightBudget | None = None,
    coingecko_pro_budget: WeightBudget | None = None,
    kraken_bucket: RequestBucket | None = None,
    coinbase_bucket: RequestBucket | None = None,
    coinbase_advanced_bucket: RequestBucket | None = None,
) -> ASGIApp:
    """The whole exchange as an ASGI application; budgets and buckets are the real venues' where none are given.

    Every answer names the world in `X-Replay-World` and carries the world's time as its Date: serve it without a date
    header of the server's own.
    """
    plan, quirks, log = FaultPlan(), ArchiveQuirks(), RequestLog()
    faults = Faults(plan, log)
    revisions = {venue: Revisions() for venue in VENUES}

    def book(host: str, venue: str) -> Book:
        """The venue's markets as a host shows them now, with whatever the plan does to them."""
        return FaultyBook(CurrentBook(world.book(venue), clock), host, plan, revisions[venue], clock)

    twins: dict[str, list[Route]] = {
        "binance": Binance(
            book("binance", "binance"), clock, binance_budget or WeightBudget(BINANCE_WEIGHT_PER_MINUTE)
        ).routes(),
        "binance_archive": BinanceArchive(book("binance_archive", "binance"), clock, quirks=quirks).routes(),
        "kraken": Kraken(book("kraken", "kraken"), clock, kraken_bucket).routes(),
        "coinbase": Coinbase(book("coinbase", "coinbase"), clock, coinbase_bucket).routes(),
        "coinbase_advanced": CoinbaseAdvanced(
            book("coinbase_advanced", "coinbase"), clock, coinbase_advanced_bucket
        ).routes(),
        "coingecko": CoinGecko(world, clock, coingecko_budget or WeightBudget(COINGECKO_CALLS_PER_MINUTE)).routes(),
        "coingecko_pro": CoinGecko(
            world, clock, coingecko_pro_budget or WeightBudget(COINGECKO_PRO_CALLS_PER_MINUTE), is_pro=True
        ).routes(),
        "alternative_me": AlternativeMe(world, clock).routes(),
    }
    control = Control(world, clock, faults, plan, revisions, log)
    app = Starlette(
        routes=[
            *(Mount(f"/{host}", routes=routes) for host, routes in twins.items()),
            *control.routes(),
            *quirks.routes(),
        ]
    )
    return _stamped(faults.wrap(app, {"binance": binance_twin.weight}), world.name, clock, plan)


def _stamped(app: ASGIApp, world: str, clock: ReplayClock, plan: FaultPlan) -> ASGIApp:
    """Add the world's name, and the host's time, to every answer, errors included."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[WORLD_HEADER] = world
                ahead = timedelta(seconds=plan.clock_skew(host_of(scope)))
                headers["Date"] = format_datetime(clock.now() + ahead, usegmt=True)
            await send(message)

        await app(scope, receive, send_stamped)

    return wrapped
