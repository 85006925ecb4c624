"""Months of candles through `airflow backfill create`, on a stack of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.config.markets import market_keys
from include.stack.executor import Executor
from include.stack.launcher import Stack
from include.stack.layout import Layout, Ports
from include.stack.replay_source import ReplaySource

DAG_ID = "ohlcv_backfill"


@dataclass(frozen=True, slots=True)
class Backfill:
    """Whole months of Binance's configured markets: the window [start, end) in UTC."""

    start: datetime
    end: datetime
    timeframes: list[str]
    max_active_runs: int

    @classmethod
    def from_options(cls, options: Namespace) -> Backfill:
        return cls(options.start, options.end, options.timeframes, options.max_active_runs)

    @property
    def markets(self) -> list[str]:
        return market_keys("binance")

    def create(self, stack: Stack) -> None:
        """Hand the months to the scheduler of a stack that is `ready`."""
        last = self.end - timedelta(days=1)  # the run of a backfill is named by the start of its month
        conf = json.dumps({"markets": self.markets, "timeframes": self.timeframes})
        command = [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", DAG_ID]
        command += ["--from-date", self.start.isoformat(), "--to-date", last.isoformat()]
        command += ["--max-active-runs", str(self.max_active_runs), "--dag-run-conf", conf]
        subprocess.run(command, env=stack.environment, check=True, capture_output=True)

    def wait(self, states: Callable[[], list[str]], seconds: float = 3600) -> list[str]:
        """Until every month has ended, with a line whenever one more has; their states.

        Raises TimeoutError after so many seconds.
        """
        deadline, shown = time.monotonic() + seconds, -1
        while True:
            now = states()
            if now.count("success") != shown:
                shown = now.count("success")
                say(f"{shown} of {len(now)} months")
            if now and all(state in ("success", "failed") for state in now):
                return now
            if time.monotonic() > deadline:
                raise TimeoutError(f"not done after {seconds:.0f} s: {now}")
            time.sleep(1)


def ready(stack: Stack) -> None:
    """Load pools and connections, wait until the DAG is parsed, and unpause it."""
    api = stack.api()
    stack.load_settings()
    while DAG_ID not in api.dags():
        time.sleep(0.5)
    api.set_paused(DAG_ID, False)


def options_parser(doc: str | None, start: str, end: str, timeframes: list[str]) -> ArgumentParser:
    """--from, --to, --timeframes and --max-active-runs with these defaults."""
    parser = ArgumentParser(description=(doc or "").splitlines()[0])
    day = lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)  # noqa: E731
    parser.add_argument("--from", dest="start", type=day, default=start, help=f"first month, UTC (default {start})")
    parser.add_argument("--to", dest="end", type=day, default=end, help=f"after the last month, UTC (default {end})")
    parser.add_argument("--timeframes", nargs="+", default=timeframes)
    parser.add_argument("--max-active-runs", type=int, default=4)
    return parser


@contextmanager
def own_stack(executor: Executor, var: Path | None = None) -> Iterator[Stack]:
    """A started stack in a folder of its own (var: that folder, else a temporary one), stopped afterwards.

    The recorded world where MARKET_DATA_DIR names one, else the synthetic one; ports as the environment names them.
    """
    with tempfile.TemporaryDirectory(prefix="backfill-") as folder:
        environ = {**os.environ, "STACK_VAR": str(var or folder)}
        replay = ReplaySource.from_environment(environ)
        layout = Layout.from_environment(replay.world, environ)
        stack = Stack(layout, Ports.from_environment(environ), replay, say, executor)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", flush=True)
