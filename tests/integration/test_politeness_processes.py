"""One budget for real processes: never above it together, whoever dies, and live first."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import pytest

from include.politeness import store
from include.politeness.gate import gate_for
from include.politeness.limits import buckets_of
from include.politeness.verdict import FORBIDDEN, Verdict
from include.stack.layout import ROOT
from include.venues.capabilities import Limit
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection

# Sends requests with some threads until it is told to end; prints a line for each, and why it was refused.
WORKER = """
import json, sys, threading
from include.politeness.gate import gate_for
from include.politeness.limits import read_limits
from include.venues.errors import RateLimitedError

dsn, source, priority, limits, threads, times = sys.argv[1:]
gate = gate_for(source, priority, dsn, read_limits(json.loads(limits)))
print("ready", flush=True)
sys.stdin.readline()

def work():
    for _ in range(int(times)):
        try:
            gate.enter(1)
        except RateLimitedError as error:
            print(f"{type(error).__name__}\\n", end="", flush=True)
        else:
            print("granted\\n", end="", flush=True)

workers = [threading.Thread(target=work) for _ in range(int(threads))]
for each in workers:
    each.start()
for each in workers:
    each.join()
"""

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start(warehouse: WarehouseDsns) -> Iterator[Start]:
    """`start(source, priority, limits, …)`: a process that sends once a line is written to it."""
    running: list[Process] = []

    def begin(source: str, priority: str, limits: list[list[float]], threads: int = 1, times: int = 10**6) -> Process:
        arguments = [warehouse.writer, source, priority, json.dumps(limits), str(threads), str(times)]
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def go(*processes: Process) -> None:
    """Wait until all are ready, then let them send."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.fixture
def grants(owner: Connection) -> Callable[[], list[tuple[float, float]]]:
    """`grants()`: seconds and weight of every grant, as the database gave them."""
    owner.execute("create table public.grant_log (at float8, weight float8)")
    owner.execute("grant insert on public.grant_log to warehouse_writer")
    owner.execute("""
        create function public.log_grant() returns trigger language plpgsql as $$ begin
            insert into public.grant_log values (
                extract(epoch from clock_timestamp()), new.weight - case tg_op when 'INSERT' then 0 else old.weight end
            );
            return null;
        end $$
    """)
    owner.execute("""
        create trigger log_grant after insert or update on ops.request_usage
        for each row execute function public.log_grant()
    """)
    return lambda: owner.execute("select at, weight from public.grant_log order by at").fetchall()


def heaviest_window(log: list[tuple[float, float]], seconds: float) -> float:
    return max(sum(weight for at, weight in log if begin <= at < begin + seconds) for begin, _ in log)


def test_processes_that_never_stop_stay_within_every_limit_and_near_it_though_one_is_killed(
    start: Start, grants: Callable[[], list[tuple[float, float]]]
) -> None:
    limits = [[100, 1], [210, 3]]
    processes = [start("host", priority, limits, 3) for priority in ("live", "repair", "backfill", "backfill")]
    go(*processes)
    time.sleep(1)
    processes[0].kill()  # in the middle of a wait, most likely
    time.sleep(2.5)
    for process in processes:
        process.kill()
    told = sum(process.communicate()[0].count("granted") for process in processes)
    log = grants()
    for units, seconds in limits:
        assert heaviest_window(log, seconds) <= units
    lasted = log[-1][0] - log[0][0]
    assert lasted > 3
    assert sum(weight for _, weight in log) / lasted > 0.5 * 70, "what a bucket alone reaches is tested with the bucket"
    assert len(log) - 12 <= told <= len(log), "what was granted to a process as it died is spent"


def test_who_dies_while_it_waits_for_a_token_keeps_nobody_waiting(start: Start) -> None:
    limits = [[1, 2]]
    first, second = start("host", "live", limits), start("host", "backfill", limits, times=1)
    go(first)
    assert first.stdout is not None
    assert first.stdout.readline() == "granted\n"
    time.sleep(0.2)  # it has the turn now, and two seconds to sleep
    go(second)
    first.kill()
    began = time.monotonic()
    assert second.stdout is not None
    assert second.stdout.readline() == "granted\n"
    assert time.monotonic() - began < 3.5


def test_a_half_open_circuit_lets_one_request_of_all_processes_through(start: Start, writer: Connection) -> None:
    store.configure(writer, "host", buckets_of("host", [Limit(100, 1)]))
    store.record(writer, "host", Verdict("fail", "forbidden", FORBIDDEN, 0.01, "firewall"))
    processes = [start("host", priority, [[100, 1]], 2, 1) for priority in ("live", "live", "backfill")]
    go(*processes)
    said = "".join(process.communicate()[0] for process in processes).split()
    assert sorted(said) == ["CircuitOpenError"] * 5 + ["granted"]
    events = writer.execute("select new_state::text from ops.circuit_event order by event_id").fetchall()
    assert events == [("open",), ("half_open",)]


def test_a_live_request_waits_for_about_one_request_of_a_running_backfill(
    start: Start, warehouse: WarehouseDsns
) -> None:
    limits = [[20, 1]]  # one request each 52 ms
    processes = [start("host", "backfill", limits, 4) for _ in range(2)]
    go(*processes)
    waits = []
    with gate_for("host", "live", warehouse.writer, [Limit(20, 1)]) as gate:
        gate.enter(1)
        for _ in range(15):
            time.sleep(0.12)
            began = time.monotonic()
            gate.enter(1)
            waits.append(time.monotonic() - began)
    assert median(waits) < 1.5 * 0.0525
    assert sum(process.poll() is None for process in processes) == 2


def test_entering_and_leaving_costs_as_little_as_a_few_questions_to_the_database(warehouse: WarehouseDsns) -> None:
    def seconds(act: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(50):
            act()
        return time.perf_counter() - began

    with gate_for("binance", "backfill", warehouse.writer, [Limit(10**9, 60), Limit(10**9, 1)]) as gate:

        def request() -> None:
            gate.enter(2)
            gate.leave(2, None, None)

        request()
        assert gate._connection is not None
        ask = partial(gate._connection.execute, "select 1")
        rounds = [(seconds(request), seconds(ask)) for _ in range(10)]
    assert min(ours for ours, _ in rounds) < 25 * min(theirs for _, theirs in rounds)
