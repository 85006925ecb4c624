"""Collectors as processes of the operating system, which can be killed: they carry out tasks as Airflow's would.

`python -m tests.integration.collector READ,WRITE …` forks a process for each line that comes out of a pipe, a job in
JSON, and tells the other pipe its pid and, once it has ended, its exit status; whoever knows the pid may kill it. A
task that fails with an error of the venue is tried again; why it failed stands in the job's journal, a line in JSON for
each task done.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, TextIO

import requests

from include.clock import FixedClock
from include.collect.candles import collect_candles, collect_markets
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.collect.page_sources import PageSources
from include.collect.quality import QuarantineShareError
from include.config.markets import Market, market_by_key
from include.coverage.plan import plan
from include.coverage.repair import RepairError, repair
from include.coverage.step import SETTLE
from include.politeness.gate import HostGate, gate_for
from include.politeness.limits import read_limits
from include.venues.binance import Binance
from include.venues.binance_archive import BinanceArchive
from include.venues.coinbase import Coinbase
from include.venues.errors import (
    CircuitOpenError,
    ForbiddenError,
    GeoBlockedError,
    NoDataError,
    RateLimitedError,
    UnavailableError,
)
from include.venues.http import RequestsTransport, Retry, pooled_session
from include.venues.kraken import Kraken
from include.warehouse.connection import Connection, connect

MOST_TRIES = 40
REPAIR_BUDGET = 200
LONGEST_WAIT_SECONDS = 2
# Nobody waits for a sick host here; for the budget, and for as long as a host says, everybody does.
RETRY = Retry(sleep=lambda seconds: None)
HEALS = (RateLimitedError, UnavailableError, NoDataError, GeoBlockedError, ForbiddenError, QuarantineShareError)


class Collector:
    """One process before one exchange and one warehouse.

    limits: our budget by source, as a connection's extra says it.
    """

    def __init__(self, url: str, dsn: str, limits: Mapping[str, Any], now: datetime) -> None:
        self.clock = FixedClock(now)
        self.errors: Counter[str] = Counter()
        self._url, self._dsn, self._limits = url, dsn, limits
        self._stack = ExitStack()
        self._sources: dict[tuple[str, str], PageSources] = {}

    def __enter__(self) -> Collector:
        self.connection: Connection = self._stack.enter_context(connect(self._dsn))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def sources(self, venue: str, priority: str) -> PageSources:
        """What `plugins/crypto_market/hooks/candles.py` gives a task, but for Kraken's and Coinbase's other sources."""
        if (venue, priority) not in self._sources:
            gate, transport = self._gate(venue, priority), self._transport(venue)
            if venue == "binance":
                files = BinanceArchive(
                    self._transport("binance_archive"), RETRY, self._gate("binance_archive", priority)
                )
                made = PageSources(Binance(transport, RETRY, gate), venue, archive=files)
            else:
                client = {"kraken": Kraken, "coinbase": Coinbase}[venue](transport, RETRY, gate)
                made = PageSources(client, venue)
            self._sources[venue, priority] = made
        return self._sources[venue, priority]

    def do(self, task: Mapping[str, Any]) -> None:
        """Carry out a task until it succeeds; raises what no further try can mend, and after MOST_TRIES."""
        if at := task.get("at"):
            requests.put(f"{self._url}/clock", json={"now": at}, timeout=30).raise_for_status()
            self.clock.at = datetime.fromisoformat(at)
        for _ in range(MOST_TRIES):
            try:
                self._try(task)
            except RepairError as failed:
                self._bear(failed.errors)
            except HEALS as error:
                self._bear([error])
            else:
                return
        raise RuntimeError(f"{MOST_TRIES} tries of {task} failed: {self.errors}")

    def repair(self, venue: str) -> list[str]:
        """What the operator of `coverage_repair` does."""

        def fetch(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> CollectOutcome:
            sources = self.sources(venue, "repair")
            is_settle = purpose == SETTLE
            try:
                return collect_candles(
                    self.connection, sources, market, timeframe, start, end, self.clock, rest=is_settle
                )
            except NothingToCollect:
                return CollectOutcome("candle", market.key)

        steps = plan(self.connection, self.clock.now(), REPAIR_BUDGET, [venue])
        return repair(self.connection, steps, fetch, self.clock)

    def _try(self, task: Mapping[str, Any]) -> None:
        venue, purpose = task["venue"], task["purpose"]
        if purpose == "repair":
            self.repair(venue)
            return
        markets = [market_by_key(key) for key in task["markets"]]
        window = [datetime.fromisoformat(task[edge]) for edge in ("start", "end")]
        catch_up = purpose == "live"
        sources = self.sources(venue, purpose)
        for _ in collect_markets(
            self.connection, sources, markets, ["1h"], window[0], window[1], self.clock, catch_up=catch_up
        ):
            pass

    def _bear(self, errors: Sequence[Exception]) -> None:
        for error in errors:
            if not isinstance(error, HEALS):
                raise error
            self.errors[type(error).__name__] += 1
            if isinstance(error, RateLimitedError):
                self._sit_out(error)

    def _sit_out(self, error: RateLimitedError) -> None:
        """Wait as long as the host or the budget says; hours before an open circuit are passed over, and then it lets
        one request try, as it would after them."""
        if isinstance(error, CircuitOpenError):
            passed = self.connection.execute(
                "update ops.circuit set retry_at = clock_timestamp()"
                " where source = %s and state <> 'closed' and reason <> 'banned' returning source",
                (error.venue,),
            )
            if passed.rowcount:
                return
        # Whoever asks while another's request tries is told to wait for as long as that may take at most.
        time.sleep(min(error.retry_after_seconds or 1, LONGEST_WAIT_SECONDS))

    def _gate(self, source: str, priority: str) -> HostGate:
        limits = read_limits(self._limits[source])
        return self._stack.enter_context(gate_for(source, priority, self._dsn, limits))

    def _transport(self, path: str) -> RequestsTransport:
        session = pooled_session()
        session.trust_env = False  # no proxy of the machine's is asked for the way to ourselves
        return RequestsTransport(f"{self._url}/{path}", session)


def work(job: Mapping[str, Any]) -> None:
    """Do the job's tasks, and put down each in its journal once it is done."""
    now = datetime.fromisoformat(job["now"])
    journal = os.open(job["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with Collector(job["url"], job["dsn"], job["limits"], now) as collector:
        for task in job["tasks"]:
            collector.errors.clear()
            collector.do(task)
            os.write(journal, f"{json.dumps([task['name'], collector.errors])}\n".encode())


def serve(jobs: TextIO, told: TextIO) -> None:
    """Fork a process for each job; see the module."""
    for line in jobs:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(json.loads(line))
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(pid, file=told, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=told, flush=True)


def main(pipes: Sequence[str]) -> None:
    """Fork a server for each `read,write` pair of file descriptors, so that all share what is imported here."""
    for read, write in (map(int, pair.split(",")) for pair in pipes):
        if os.fork() == 0:
            serve(os.fdopen(read), os.fdopen(write, "w"))
            os._exit(0)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
