"""`replay`: serve a recorded or a synthetic world over HTTP until the process is told to end."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from include.replay.app import BINANCE_WEIGHT_PER_MINUTE, create_app
from include.replay.clock import ReplayClock, machine_now
from include.replay.errors import ReplayError
from include.replay.limits import WeightBudget
from include.replay.recorded import RecordedWorld
from include.replay.state import StateFile
from include.replay.synthetic import SyntheticWorld
from include.replay.world import World

# A recorded world starts this long before its end, so that there is something left to happen.
RECORDED_LEAD = timedelta(hours=4)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9009)
    world = parser.add_mutually_exclusive_group(required=True)
    world.add_argument("--data", type=Path, metavar="DIR", help="serve the recorded world of this folder")
    world.add_argument("--synthetic", action="store_true", help="serve seeded random walks")
    parser.add_argument("--seed", type=int, default=47, help="of the synthetic world (default 47)")
    parser.add_argument(
        "--from",
        dest="genesis",
        type=_instant,
        default="2022-11-01",
        metavar="DATE",
        help="UTC day the synthetic world begins with (default 2022-11-01)",
    )
    parser.add_argument(
        "--clock",
        type=_instant,
        metavar="ISO",
        help="the world's time at the first start (default: 4 hours before a recorded world ends; else the machine's)",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="world seconds per second (default 1)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the world's time here across restarts")
    parser.add_argument(
        "--weight-limit",
        type=int,
        default=BINANCE_WEIGHT_PER_MINUTE,
        help="Binance's request weight per minute (default 6000)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Exit status 1, with the reason on stderr, where it cannot start."""
    try:
        world = open_world(args)
        clock = open_clock(world, args)
        listener = _listen(args.host, args.port)
    except ReplayError as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    port = listener.getsockname()[1]
    print(f"replay: {world.identity}, now {clock.now().isoformat()}, on http://{args.host}:{port}", flush=True)
    app = create_app(world, clock, binance_budget=WeightBudget(args.weight_limit))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", date_header=False)
    # uvicorn raises the signal again after it has shut down: by then it only means that we are done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    clock.close()
    return 0


def open_world(args: argparse.Namespace) -> World:
    """The world the options name. Raises ReplayError where there is none."""
    return SyntheticWorld(args.seed, args.genesis) if args.synthetic else RecordedWorld(args.data)


def open_clock(world: World, args: argparse.Namespace) -> ReplayClock:
    """The world's clock, going on from the state file where there is one."""
    start = args.clock or (world.ends_at - RECORDED_LEAD if world.ends_at else machine_now())
    state = StateFile(args.state, world.identity) if args.state else None
    return ReplayClock(start, ends_at=world.ends_at, speed=args.speed, state=state)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=256)
    except OSError as error:
        raise ReplayError(f"cannot listen on {host}:{port} ({error.strerror}); choose another --port") from error


def _instant(text: str) -> datetime:
    """ISO 8601; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
