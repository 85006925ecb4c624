"""Hours of operation at many times their speed, and what they say of a month.

`python -m benchmarks.soak [--hours 48] [--minutes M] [--record FILE]`, or `make soak`. A whole stack on the synthetic
world loads some months; then the world's clock is pushed on hour by hour, and every run that an hour has is made:
candles, sentiment, features, transforms, forecasts; once a day repair and maintenance. The twelve snapshots of tickers
an hour has would take most of the time: what one costs is measured apart, and added to the month. After each hour
memory, open files, log bytes, rows of Airflow's metadata and sizes of databases are read. At the end retention is put
to the proof: what is older than half of the run has to go. Prints a line through each figure, carried on to 720 hours,
beside benchmarks/budget.toml; exits with 1 for a breach or a failed run.

Not simulated: trainings, and time itself. What grows by the minute rather than by the run (heartbeats, scrapes) is seen
for as long as the run takes; the record holds its seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.month.budget import breaches, limits
from benchmarks.month.hours import Hours
from benchmarks.month.sample import Figures, of_databases, of_files, of_processes
from benchmarks.month.trend import Trend, month, trends
from include.maintenance.files import remove_old
from include.maintenance.metadata import clean_metadata, metadata_url
from include.stack.environment import METADATA_DATABASE
from include.stack.launcher import Stack
from include.stack.layout import Layout, Ports, StackError
from include.stack.replay_source import ReplaySource

TICKERS_MEASURED = 4
GROWS_BY_RUN = ("log_bytes", "metadata_rows", "database_bytes", "state_bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, default=48, help="hours to simulate (default 48)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no new hour after these minutes")
    parser.add_argument("--record", type=Path, help="write what was found to this file")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        environ = {"STACK_VAR": folder, **os.environ}
        layout = Layout.from_environment("synthetic", environ)
        stack = Stack(layout, Ports.from_environment(environ), ReplaySource(None), say)
        try:
            stack.start()
            hours = Hours(stack)
            hours.prepare()
            record = soak(hours, options.hours, deadline)
        finally:
            stack.stop()
    over = breaches(record["month"], limits("month"))
    show(record, over)
    if options.record:
        options.record.write_text(json.dumps(record, indent=1) + "\n")
    return 1 if over or record["failed_runs"] or not record["trimmed"]["shrank"] else 0


def soak(hours: Hours, wanted: int, deadline: float) -> dict[str, Any]:
    """Simulate hours until there are as many as wanted or the time is up; everything that was seen."""
    stack, samples, began = hours.stack, [], time.monotonic()
    samples.append(sample(stack, 0))
    ended = [datetime.now(UTC)]
    while len(samples) <= wanted and time.monotonic() < deadline:
        try:
            hours.next_hour()
            if len(samples) % 24 == 0:
                hours.next_day()
        except StackError as error:  # what was seen until then is worth keeping
            hours.failed.append(str(error))
            break
        samples.append(sample(stack, len(samples)))
        ended.append(datetime.now(UTC))
        say(
            f"hour {len(samples) - 1}: "
            + ", ".join(f"{k} {samples[-1][k]:,.0f}" for k in ("memory_bytes", "log_bytes"))
        )
    seconds = time.monotonic() - began
    found = trends(samples)
    ticker = of_a_ticker(hours)
    hours.next_day()
    hours.settle()
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("apache-airflow", "mlflow")}
        | {"python": platform.python_version()},
        "cores": os.cpu_count(),
        "world": stack.layout.world,
        "hours": len(samples) - 1,
        "seconds": round(seconds),
        "failed_runs": hours.failed,
        "ticker": ticker,
        "month": month(found, ticker),
        "trends": {name: {k: round(v, 1) for k, v in asdict(each).items()} for name, each in found.items()},
        "trimmed": trim(stack, ended[len(ended) // 2]),
        "samples": samples,
    }


def of_a_ticker(hours: Hours) -> Figures:
    """What one run of ticker_snapshots adds to logs, metadata and databases, for good."""
    hours.tickers(1)
    hours.settle()
    before = sample(hours.stack, 0)
    hours.tickers(TICKERS_MEASURED)
    hours.settle()
    after = sample(hours.stack, 0)
    grown = [name for name in before if name.startswith(GROWS_BY_RUN)]
    return {name: max((after[name] - before[name]) / TICKERS_MEASURED, 0.0) for name in grown}


def sample(stack: Stack, hour: int) -> Figures:
    """Everything there is to see of the stack after an hour."""
    leaders = {c.process.pid: c.name for c in stack.components if c.process}
    dsn = f"host=127.0.0.1 port={stack.ports.postgres} user=postgres password={stack.credentials.postgres}"
    seen = of_processes(stack.layout.var, leaders) | of_files(stack.layout) | of_databases(dsn)
    return {"hour": hour, **{name: round(value) for name, value in seen.items()}}


def trim(stack: Stack, older_than: datetime) -> dict[str, Any]:
    """What retention leaves, were all before `older_than` too old: by the functions warehouse_maintenance calls."""
    before = sample(stack, 0)
    password = stack.credentials.airflow_janitor
    url = metadata_url("127.0.0.1", stack.ports.postgres, METADATA_DATABASE, "airflow_janitor", password)
    clean_metadata(url, older_than, dry_run=False, environ=stack.environment)
    remove_old(stack.layout.task_logs, older_than, dry_run=False)
    after = sample(stack, 0)
    names = ("metadata_rows", "log_bytes.tasks")
    return {
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
        "shrank": all(after[name] < before[name] for name in names),
    }


def show(record: dict[str, Any], over: list[str]) -> None:
    """The figures as a table, then what breaks the budget."""
    allowed = limits("month")
    print(
        f"\n{record['hours']} simulated hours in {record['seconds']} s, {record['world']} world, "
        f"{record['cores']} cores"
    )
    print(f"{'figure':34}{'first':>16}{'last':>16}{'per hour':>14}{'a month':>18}{'limit':>18}")
    for name, values in record["trends"].items():
        each = Trend(**values)
        limit = f"{allowed[name]:,.0f}" if name in allowed else ""
        print(
            f"{name:34}{each.first:16,.0f}{each.last:16,.0f}{each.per_hour:14,.1f}{record['month'][name]:18,}{limit:>18}"
        )
    for name, value in record["trimmed"]["before"].items():
        print(f"retention of half the run: {name} {value:,} -> {record['trimmed']['after'][name]:,}")
    for line in [*over, *(f"failed: {each}" for each in record["failed_runs"])]:
        print(line)
    print("within the budget" if not over else "over the budget")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
