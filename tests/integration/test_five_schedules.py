"""Five ways to collect the same days from an exchange with every fault that heals: one table, to the last digit.

Real processes, real HTTP, a real PostgreSQL; the exchange's own books say whether anybody went over a budget.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import psycopg
import pytest
import requests

from include.candles.batch import CandleBatch
from include.coverage.equation import Equation, coverage
from include.replay import bars as b
from include.replay.limits import WeightBudget
from include.replay.request_bucket import RequestBucket
from include.replay.synthetic import SyntheticWorld
from include.stack.layout import ROOT
from include.stack.postgres import PostgresCluster
from include.warehouse.archive_file import content_sha256
from include.warehouse.bootstrap import WarehouseDsns, bootstrap
from include.warehouse.connection import connect
from include.warehouse.sql import statement
from tests.conftest import WarehouseTemplate, served

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AFTER_THE_HOUR = timedelta(minutes=2)
START = datetime(2024, 1, 17, tzinfo=UTC)
APRIL = datetime(2024, 4, 1, tzinfo=UTC)
HOURS_AFTERWARDS = 3
KILLS = 12
ARCHIVE_LIMIT = 100
# Four requests for candles under way: they may arrive a little later than they were let go, and all at once.
CROWDED = 8

Task = dict[str, Any]


class Case(NamedTuple):
    """What is collected: markets of one venue, 1h candles from START to `edges[-1]`, whose months (or the like) end at
    `edges`. limit: our weight a second, on which the exchange insists, far below what four processes would ask for;
    hour by hour, where one process asks so often that it would wait for minutes, `hourly_limit`."""

    markets: tuple[str, ...]
    edges: tuple[datetime, ...]
    limit: int
    hourly_limit: int
    faults: dict[str, Any]

    @property
    def venue(self) -> str:
        return self.markets[0].split(":")[0]

    @property
    def end(self) -> datetime:
        return self.edges[-1]

    @property
    def hours(self) -> int:
        return (self.end - START) // HOUR


# Each kind strikes early by order, so that it strikes short schedules too, and the long ones also by chance.
SICK = 0.008
REQUESTS: dict[str, Any] = {
    "rate_limited": {"at": [2, 70, 1500], "retry_after": 1},
    "internal_error": {"at": [4], "share": SICK},
    "cut": {"at": [6], "share": SICK},
    "geo_blocked": {"at": [8, 400, 2500]},
    "malformed": {"at": [10], "share": SICK},
    "forbidden": {"at": [12, 600]},
    "empty": {"at": [14], "share": SICK},
    "banned": {"at": [16, 800], "retry_after": 1},  # by a firewall's mistake: nobody has earned it
    "dropped": {"at": [18], "share": SICK},
    "cloudflare_520": {"at": [20], "share": SICK},
    "slow": {"at": [22], "share": SICK, "seconds": 0.1},
    "unavailable": {"at": [24, 25, 26, 27, 28, 29], "share": SICK},  # so many in a row open the circuit
}
ROWS: dict[str, Any] = {
    "duplicate": 0.05,
    "out_of_order": 0.05,
    "contradicting": {"share": 0.02, "answers": 1},
    "late": {"share": 0.05, "seconds": 600},
    "revised": {"share": 0.1, "seconds": 3000},
    "clock_skew": {"seconds": 90},
}
# What one source lacks is believed where another lacks it too: REST has holes only where there are no files yet.
HOLES: dict[str, Any] = {"hole": {"share": 0.02, "answers": 1, "starts_at": APRIL.isoformat()}}
FILES: dict[str, Any] = {
    "rate_limited": {"at": [1], "retry_after": 1},
    "internal_error": {"at": [5]},
    "cut": {"at": [6], "share": 0.05},
    "malformed": {"at": [8], "share": 0.05},
    "dropped": {"at": [10], "share": 0.05},
    "empty": {"at": [3], "share": 0.05},
    "wrong_checksum": {"share": 0.3},
    "truncated": {"starts_at": "2024-02-01T00:00:00+00:00", "ends_at": "2024-03-01T00:00:00+00:00"},
    "hole": {"share": 0.01},
    "duplicate": {"share": 0.01},
    "contradicting": {"share": 0.01},
}
# Kraken says for itself what is not final yet, and does not say for how long to stay away: we do for 5 seconds.
KRAKENS = {kind: wish for kind, wish in (REQUESTS | ROWS).items() if kind != "late"} | {"rate_limited": {"at": [2]}}
# An interval without trades has no candle at Coinbase: an empty answer is one, and nothing to recover from.
COINBASES = {kind: wish for kind, wish in (REQUESTS | ROWS).items() if kind != "empty"}
CASES = {
    # From within a month to within a month; the whole months between have files in the archive by the end.
    "binance": Case(
        ("binance:BTC/USDT",),
        (*(datetime(2024, month, 1, tzinfo=UTC) for month in (2, 3, 4)), START + 90 * DAY),
        100,
        250,
        {"binance": REQUESTS | ROWS | HOLES, "binance_archive": FILES},
    ),
    "kraken": Case(("kraken:BTC/USD",), tuple(START + n * DAY for n in (2, 4, 6)), 40, 40, {"kraken": KRAKENS}),
    "coinbase": Case(("coinbase:BTC/USD",), tuple(START + n * DAY for n in (2, 4, 6)), 80, 80, {"coinbase": COINBASES}),
}


@dataclass
class Worker:
    """A process that forks collectors, one at a time (see `collector.py`)."""

    jobs: TextIO
    told: TextIO
    log: Path
    pid: int = 0

    def start(self, job: Task) -> None:
        self.jobs.write(json.dumps(job) + "\n")
        self.jobs.flush()
        self.pid = int(self.told.readline())

    def ended(self) -> int:
        """Exit status of what was started; a negative one is the signal that ended it."""
        return int(self.told.readline())


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    jobs, told = [os.pipe() for _ in range(9)], [os.pipe() for _ in range(9)]
    pairs = [(job[0], tell[1]) for job, tell in zip(jobs, told, strict=True)]
    command = [sys.executable, "-m", "tests.integration.collector", *(f"{read},{write}" for read, write in pairs)]
    log_file = tmp_path_factory.mktemp("collectors") / "log"
    with log_file.open("w") as log:
        passed = [end for pair in pairs for end in pair]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=passed, stderr=log, start_new_session=True)
    for end in passed:
        os.close(end)
    ends = zip(jobs, told, strict=True)
    yield [Worker(os.fdopen(job[1], "w"), os.fdopen(tell[0]), log_file) for job, tell in ends]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Site:
    """One schedule's exchange and warehouse. kills: how often and when a collector was killed."""

    case: Case
    url: str
    dsns: WarehouseDsns
    superuser: str
    journal: Path
    workers: list[Worker]
    now: datetime = START
    kills: Counter[str] = field(default_factory=Counter)

    def begin(self, worker: Worker, tasks: Iterable[Task]) -> None:
        worker.start(
            {
                "url": self.url,
                "dsn": self.dsns.writer,
                "journal": str(self.journal),
                "limits": {self.case.venue: [[self.case.limit, 1]], "binance_archive": [[ARCHIVE_LIMIT, 1]]},
                "now": self.now.isoformat(),
                "tasks": list(tasks),
            }
        )

    def run(self, *shares: Iterable[Task]) -> None:
        """Carry out each share of tasks in a process of its own, all at once."""
        running = self.workers[: len(shares)]
        for worker, tasks in zip(running, shares, strict=True):
            self.begin(worker, tasks)
        statuses = [worker.ended() for worker in running]
        assert statuses == [0] * len(shares), running[0].log.read_text()[-3000:]

    def days(self) -> list[datetime]:
        return [START + n * DAY for n in range(self.case.hours // 24)]

    def edges(self) -> list[tuple[datetime, datetime]]:
        return list(zip((START, *self.case.edges), self.case.edges, strict=False))

    def backfill(self, start: datetime, end: datetime) -> Task:
        return self._task("backfill", max(start, START), min(end, self.case.end))

    def live(self, hour: datetime) -> Task:
        """The run that follows the close of the candle that ends then."""
        return self._task("live", hour - HOUR, hour) | {"at": (hour + AFTER_THE_HOUR).isoformat()}

    def go_on(self) -> None:
        """What follows each schedule: live runs and repairs of the next hours."""
        for n in range(HOURS_AFTERWARDS):
            hour = self.case.end + (n + 1) * HOUR
            self.run([self.live(hour), self._task("repair", self.case.end, hour)])
            self.now = hour + AFTER_THE_HOUR

    def done(self) -> dict[str, Counter[str]]:
        """Tasks that are done, with the errors they met."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return {name: Counter(errors) for name, errors in map(json.loads, lines)}

    def ask(self, path: str) -> Any:
        return requests.get(f"{self.url}/{path}", timeout=30).json()

    def _task(self, purpose: str, start: datetime, end: datetime) -> Task:
        name = f"{purpose} {start.isoformat()} {end.isoformat()}"
        edges = {"start": start.isoformat(), "end": end.isoformat()}
        return {"name": name, "purpose": purpose, "venue": self.case.venue, "markets": self.case.markets, **edges}


def hour_by_hour(site: Site, chosen: random.Random) -> None:
    site.run([site.live(START + (n + 1) * HOUR) for n in range(site.case.hours)])


def one_backfill(site: Site, chosen: random.Random) -> None:
    site.run([site.backfill(START, site.case.end)])


def shuffled_months(site: Site, chosen: random.Random) -> None:
    tasks = [site.backfill(*month) for month in site.edges()]
    chosen.shuffle(tasks)
    site.run(tasks)


def four_in_parallel(site: Site, chosen: random.Random) -> None:
    """Each fourth day, with some hours of its neighbours, which others collect just then; and one month by two."""
    days = [site.backfill(day - 6 * HOUR, day + 30 * HOUR) for day in site.days()]
    month = site.backfill(*site.edges()[1])
    site.run([month, *days[0::4]], [month, *days[1::4]], days[2::4], days[3::4])


def killed(site: Site, chosen: random.Random) -> None:
    """Months and days in any order; at random moments, some in the middle of a transaction, the process is no more."""
    tasks = [site.backfill(*month) for month in site.edges()]
    tasks += [site.backfill(day, day + DAY) for day in site.days()]
    chosen.shuffle(tasks)
    (worker,) = site.workers
    with psycopg.connect(site.superuser, autocommit=True) as watching:
        for number in range(KILLS):
            done = site.done()
            site.begin(worker, [task for task in tasks if task["name"] not in done])
            time.sleep(chosen.uniform(0, 0.02 * len(tasks) / KILLS))
            site.kills[kill(worker.pid, watching, in_transaction=number % 2 == 1)] += 1
            assert worker.ended() == -signal.SIGKILL
    site.run([task for task in tasks if task["name"] not in site.done()])


def kill(pid: int, watching: psycopg.Connection[Any], *, in_transaction: bool) -> str:
    """Kill a process that stands still, so that it can be told what it leaves behind."""
    query = (
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
        " and backend_xid is not null"
    )
    while True:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.005)  # a statement under way ends
        (open_transactions,) = watching.execute(query).fetchone() or (0,)
        if open_transactions or not in_transaction:
            os.kill(pid, signal.SIGKILL)
            return "in a transaction" if open_transactions else "between transactions"
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.001)


def calm(site: Site, chosen: random.Random) -> None:
    requests.delete(f"{site.url}/fault_plan", timeout=5).raise_for_status()
    one_backfill(site, chosen)


Schedule = Callable[[Site, random.Random], None]
SCHEDULES: dict[Schedule, int] = {  # with how many processes each needs
    hour_by_hour: 1,
    killed: 1,
    four_in_parallel: 4,
    one_backfill: 1,
    shuffled_months: 1,
    calm: 1,
}
FIVE = [schedule.__name__ for schedule in SCHEDULES if schedule is not calm]


class Outcome(NamedTuple):
    """How a schedule ended.

    table: by series, the number of candles and the hash of each month, in the certificate's form. wrong: doubled and
    unfinished candles.
    """

    table: dict[str, list[str]]
    equations: dict[str, Equation]
    wrong: tuple[int, int]
    requests: dict[str, dict[str, Any]]
    faults: dict[str, Counter[str]]
    errors: Counter[str]
    kills: Counter[str]
    limit: int
    seconds: float

    def __str__(self) -> str:
        asked = {host: f"{each['requests']} requests" for host, each in self.requests.items()}
        faults = {host: dict(kinds) for host, kinds in self.faults.items()}
        return f"{self.seconds:.1f} s, {asked}, faults {faults}, errors {dict(self.errors)}, kills {dict(self.kills)}"


class Result(NamedTuple):
    case: Case
    world: SyntheticWorld
    outcomes: dict[str, Outcome]


@pytest.fixture(scope="module", params=CASES)
def result(
    request: pytest.FixtureRequest,
    cluster: PostgresCluster,
    warehouse_template: WarehouseTemplate,
    tmp_path_factory: pytest.TempPathFactory,
    workers: list[Worker],
) -> Result:
    """All schedules at once, each with an exchange and a warehouse of its own."""
    case, folder = CASES[request.param], tmp_path_factory.mktemp("journals")
    world = SyntheticWorld(23, START)
    with ThreadPoolExecutor(len(SCHEDULES)) as pool:
        free, futures = list(workers), {}
        for schedule, processes in SCHEDULES.items():
            own, free = free[:processes], free[processes:]
            journal = folder / f"{schedule.__name__}.jsonl"
            futures[schedule.__name__] = pool.submit(
                carry_out, schedule, case, world, cluster, warehouse_template, journal, own
            )
    return Result(case, world, {name: future.result() for name, future in futures.items()})


def carry_out(
    schedule: Schedule,
    case: Case,
    world: SyntheticWorld,
    cluster: PostgresCluster,
    template: WarehouseTemplate,
    journal: Path,
    workers: list[Worker],
) -> Outcome:
    if schedule is hour_by_hour:
        case = case._replace(limit=case.hourly_limit)
    with fresh_site(case, world, cluster, template, journal, workers) as site:
        began = time.monotonic()
        plan = {"seed": 11, "hosts": case.faults}
        requests.post(f"{site.url}/fault_plan", json=plan, timeout=5).raise_for_status()
        if schedule is not hour_by_hour:
            site.now = case.end + AFTER_THE_HOUR
            requests.put(f"{site.url}/clock", json={"now": site.now.isoformat()}, timeout=5).raise_for_status()
        schedule(site, random.Random(schedule.__name__))
        site.go_on()
        seconds = time.monotonic() - began
        outcome = look(site, seconds)
        print(f"{case.venue}, {schedule.__name__}: {outcome}")
        return outcome


@contextmanager
def fresh_site(
    case: Case,
    world: SyntheticWorld,
    cluster: PostgresCluster,
    template: WarehouseTemplate,
    journal: Path,
    workers: list[Worker],
) -> Iterator[Site]:
    """A new warehouse, and an exchange that refuses, and then bans, who goes over our budget."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template.name}"')
    budgets: dict[str, Any] = {
        "binance_budget": WeightBudget(60 * case.limit, patience=1),
        "coinbase_bucket": RequestBucket(case.limit, case.limit),
        "kraken_bucket": RequestBucket(case.limit, case.limit),
    }
    with served(world, START, **budgets) as url:
        dsns = bootstrap(cluster.dsn(), name, template.passwords)
        yield Site(case, url, dsns, cluster.dsn(name), journal, workers)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


def look(site: Site, seconds: float) -> Outcome:
    with connect(site.dsns.reader) as connection:
        found = coverage(connection, site.now, start=START, end=site.case.end)
        table = {}
        for series in found:
            values = {"instrument_id": series.instrument_id, "timeframe": series.timeframe}
            count = connection.execute(
                "select count(*)::text from market.candle where instrument_id = %(instrument_id)s"
                " and opened_at >= %(start)s and opened_at < %(end)s",
                values | {"start": START, "end": site.case.end},
            ).fetchone()
            edges = {"starts_at": START, "ends_at": site.case.end}
            months = connection.execute(statement("coverage/hash_months.sql"), values | edges).fetchall()
            table[series.market] = [*(count or ()), *(f"{month:%Y-%m} {sha256}" for month, sha256 in sorted(months))]
        wrong = connection.execute(
            "select (select count(*) from (select from market.candle"
            " group by instrument_id, timeframe, opened_at having count(*) > 1) as doubled),"
            " (select count(*) from market.candle where opened_at + market.step(timeframe) > %s)",
            (site.now,),
        ).fetchone()
    return Outcome(
        table,
        {series.market: series.equation for series in found},
        wrong or (-1, -1),
        site.ask("requests"),
        {host: Counter(each["done"]) for host, each in site.ask("fault_plan")["hosts"].items()},
        sum(site.done().values(), Counter()),
        site.kills,
        site.case.limit,
        seconds,
    )


def test_all_schedules_end_with_the_table_of_a_world_without_faults(result: Result) -> None:
    expected = result.outcomes["calm"].table
    assert set(expected) == set(result.case.markets)
    for name in FIVE:
        assert result.outcomes[name].table == expected, name


def test_nothing_is_doubled_lost_unfinished_or_without_a_reason(result: Result) -> None:
    whole = Equation(expected=result.case.hours, observed=result.case.hours)
    for name, outcome in result.outcomes.items():
        assert outcome.equations == dict.fromkeys(result.case.markets, whole), name
        assert {series[0] for series in outcome.table.values()} == {str(result.case.hours)}, name
        assert outcome.wrong == (0, 0), name


def test_no_host_is_asked_more_than_the_budget_allows_and_no_ban_is_earned(result: Result) -> None:
    for name, outcome in result.outcomes.items():
        for host, asked in outcome.requests.items():
            limit = ARCHIVE_LIMIT if host == "binance_archive" else outcome.limit
            assert asked["most_weight_in_a_second"] <= limit + CROWDED, (name, host)
            assert asked["most_weight_in_a_minute"] <= 60 * limit, (name, host)
            assert asked["refused"] == {"418": 0, "429": 0}, (name, host)
    # One request at a time and nobody killed before he could tell: nothing is sent before a Retry-After is over.
    assert result.outcomes["hour_by_hour"].requests[result.case.venue]["too_early"] == 0


def test_every_planned_fault_has_struck_and_every_kind_of_error_was_met(result: Result) -> None:
    struck: Counter[tuple[str, str]] = Counter()
    errors: Counter[str] = Counter()
    for name in FIVE:
        struck.update(
            {(host, kind): n for host, kinds in result.outcomes[name].faults.items() for kind, n in kinds.items()}
        )
        errors += result.outcomes[name].errors
    state = {"clock_skew"}
    planned = {(host, kind) for host, kinds in result.case.faults.items() for kind in kinds if kind not in state}
    assert {each for each in planned if not struck[each]} == set()
    assert {"BannedError", "GeoBlockedError", "ForbiddenError", "CircuitOpenError"} <= set(errors)


def test_the_processes_were_killed_in_and_between_transactions(result: Result) -> None:
    kills = result.outcomes["killed"].kills
    assert sum(kills.values()) == KILLS
    assert kills["in a transaction"] >= KILLS // 2


@pytest.mark.parametrize("result", ["binance"], indirect=True)
def test_the_table_is_the_worlds_own(result: Result) -> None:
    columns = [b.OPEN_TIME, b.OPEN, b.HIGH, b.LOW, b.CLOSE, b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE]
    months = []
    for start, end in zip((START, *result.case.edges), result.case.edges, strict=False):
        edges = [int(at.timestamp() * 1000) for at in (start, end)]
        matrix = result.world.closed("BTCUSDT", "1h", edges[0], edges[1], 1000, False)
        candles = CandleBatch(np.ascontiguousarray(matrix[:, columns].T))
        months.append(f"{start:%Y-%m} {content_sha256([tuple(candle) for candle in candles])}")
    assert result.outcomes["calm"].table == {"binance:BTC/USDT": [str(result.case.hours), *months]}
