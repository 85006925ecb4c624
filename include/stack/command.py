"""`stack`: the embedded stack, behind `make demo`, `make up`, `make down`, `make status`, `make sql` and `make env`."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.stack.layout import ROOT, WORLDS, Layout, Ports, StackError, last_world
from include.stack.postgres import PostgresError
from include.stack.settings_file import SettingsFileError
from include.stack.status import addresses, component_lines
from include.warehouse.migrations import MigrationError

READY = "stack is up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    demo = actions.add_parser("demo", help="run the whole pipeline once on replayed data, then leave it up")
    demo.add_argument("--once", action="store_true", help="stop afterwards; the exit status says how it went")
    for name, text in (("up", "start in the background"), ("run", "start in the foreground")):
        action = actions.add_parser(name, help=text)
        action.add_argument("--world", choices=WORLDS, default="live")
    actions.add_parser("down", help="stop the stack and whatever it left")
    actions.add_parser("status", help="what runs, where, and since when")
    query = actions.add_parser("sql", help="run a query on the warehouse, print CSV")
    query.add_argument("query")
    environment = actions.add_parser("env", help="print shell exports for the airflow command")
    environment.add_argument("--database", choices=("development", "live"), default="development")


def run(options: argparse.Namespace) -> int:
    try:
        return {
            "demo": _demo,
            "up": _up,
            "run": _run,
            "down": _down,
            "status": _status,
            "sql": _sql,
            "env": _env,
        }[options.action](options)
    except (StackError, PostgresError, MigrationError, SettingsFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `make status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", flush=True)


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets; a second signal ends the process at once."""
    told = threading.Event()

    def tell(number: int, _frame: object) -> None:
        if told.is_set():
            os._exit(128 + number)  # the reaper ends what is left
        told.set()
        raise KeyboardInterrupt

    previous = {s: signal.signal(s, tell) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield told
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _demo(options: argparse.Namespace) -> int:
    from include.stack.demo import Demo
    from include.stack.launcher import Stack
    from include.stack.replay_source import ReplaySource

    replay = ReplaySource.from_environment(os.environ)
    layout, ports = Layout.from_environment(replay.world), Ports.from_environment()
    stack = Stack(layout, ports, replay, say)
    with until_told() as told:
        try:
            stack.start()
            complete = Demo(stack, say).run()
            if not options.once:
                say(f"the stack stays up: http://127.0.0.1:{ports.airflow} (Ctrl-C ends it)")
                told.wait()
            return 0 if complete else 1
        except KeyboardInterrupt:
            say("stopping; the next start goes on from here")
            return 0 if not options.once else 130
        finally:
            if stack.stop():
                say("stopped")


def _run(options: argparse.Namespace) -> int:
    from include.stack.launcher import Stack
    from include.stack.replay_source import ReplaySource

    replay = None
    if options.world != "live":
        replay = ReplaySource.from_environment(os.environ)
        if replay.world != options.world:
            raise StackError(f"--world {options.world}, but MARKET_DATA_DIR makes it {replay.world}")
    stack = Stack(Layout.from_environment(options.world), Ports.from_environment(), replay, say)
    with until_told() as told:
        try:
            stack.start()
            stack.load_settings()
            say(READY)
            told.wait()
        except KeyboardInterrupt:
            say("stopping")
        finally:
            if stack.stop():
                say("stopped")
    return 0


def _up(options: argparse.Namespace) -> int:
    from include.stack.launcher import AlreadyRunningError, already_running, read_lock

    layout = Layout.from_environment(options.world)
    ports = Ports.from_environment()
    if owner := read_lock(layout.var):
        raise AlreadyRunningError(already_running(owner, layout.var))
    layout.make()
    log = layout.logs / "launcher.log"
    with log.open("w") as out:
        log.chmod(0o600)  # the first start prints Airflow's password
        command = [sys.executable, "-m", "include.cli", "stack", "run", "--world", options.world]
        launcher = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT, start_new_session=True
        )
    shown = 0
    while True:
        lines = log.read_text().splitlines()
        for line in lines[shown:]:
            print(line, flush=True)
        shown = len(lines)
        if any(line.endswith(READY) for line in lines):
            break
        if launcher.poll() is not None:
            return launcher.returncode or 1
        time.sleep(0.3)
    print(addresses(layout, ports))
    return 0


def _var() -> Path:
    return Layout.from_environment("live").var


def _down(_: argparse.Namespace) -> int:
    from include.stack.launcher import read_lock
    from include.stack.processes import SessionBook, sweep

    var = _var()
    owner = read_lock(var)
    if owner:
        os.kill(owner, signal.SIGTERM)
        deadline = time.monotonic() + 90
        while read_lock(var) == owner and time.monotonic() < deadline:
            time.sleep(0.2)
        if read_lock(var) == owner:
            os.kill(owner, signal.SIGKILL)
    left = sweep(var, SessionBook(var / "sessions.json")) if var.exists() else 0
    print("stopped" if owner else f"was not running{f'; ended {left} leftover processes' if left else ''}")
    return 0


def _status(_: argparse.Namespace) -> int:
    from include.stack.launcher import read_lock

    var = _var()
    owner, world = read_lock(var), last_world(var)
    if not owner or not world:
        print("not running" + (f" (last world: {world})" if world else ""))
        return 3
    layout, ports = Layout.from_environment(world), Ports.from_environment()
    print(f"running, launcher pid {owner}, world {world}")
    healthy, lines = component_lines(layout, ports)
    print("\n".join(lines))
    print(addresses(layout, ports))
    return 0 if healthy else 1


def _sql(options: argparse.Namespace) -> int:
    from include.stack.query import print_csv

    return print_csv(_var(), options.query, say_to_stderr)


def say_to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _env(options: argparse.Namespace) -> int:
    from include.stack.query import development_environment

    for name, value in development_environment(_var(), options.database, say_to_stderr).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
