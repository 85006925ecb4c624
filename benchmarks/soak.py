"""Hours of operation at many times their speed, and what they say of a month.

`python -m benchmarks.soak [--hours 48] [--minutes M] [--folder FOLDER] [--record FILE]`, or `make soak`. A whole stack
on the synthetic world loads some months; then the world's clock is pushed on hour by hour, and every run that an hour
has is made: candles, sentiment, features, transforms, forecasts; once a day repair and maintenance. The twelve
snapshots of tickers an hour has would take most of the time: what one costs is measured apart, and added to the month.
After each hour memory, open files, log bytes, rows of Airflow's metadata and sizes of databases are read. After the
last hour retention is put to the proof: what is older than half of the run has to go. Prints a line through each
figure, carried on to 720 hours, beside benchmarks/budget.toml; exits with 1 for a breach or a failed run.

With a folder it is taken up where it ended, by --minutes or by a power cut, until there are as many hours as wanted:
a month need not be simulated in one sitting.

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

from benchmarks.month.budget import breaches, limits, worst
from benchmarks.month.diary import Diary
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
    parser.add_argument("--hours", type=int, default=48, help="hours to simulate, all sittings together (default 48)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no new hour after these minutes")
    parser.add_argument(
        "--folder", type=Path, help="where the stack lies, to be taken up again (default: a passing one)"
    )
    parser.add_argument("--record", type=Path, help="write what was found to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as passing:
        folder = (options.folder or Path(passing)).absolute()
        environ = {**os.environ, "STACK_VAR": str(folder / "stack")}
        layout = Layout.from_environment("synthetic", environ)
        stack = Stack(layout, Ports.from_environment(environ), ReplaySource(None), say)
        diary = Diary.opened(folder)
        began = time.monotonic()
        try:
            stack.start()
            hours = Hours(stack)
            if diary.samples:
                say(f"{diary.hours} hours are there already; the world's time is {hours.now:%Y-%m-%d %H:%M}")
            else:
                hours.prepare()
            soak(hours, diary, options.hours, began + options.minutes * 60)
            record = account(hours, diary, whole=diary.hours >= options.hours)
        finally:
            stack.stop()
    over = breaches(worst(record), limits("month"))
    show(record, over)
    if options.record:
        options.record.write_text(json.dumps(record, indent=1) + "\n")
    wrong = over or record["failed_runs"] or (record["trimmed"] and not record["trimmed"]["shrank"])
    return 1 if wrong else 0


def soak(hours: Hours, diary: Diary, wanted: int, deadline: float) -> None:
    """Simulate hours until there are as many as wanted, the time is up or something fails."""
    began = time.monotonic()
    diary.note(sample(hours.stack), diary.hours, 0.0, hours.failed)
    told = len(hours.failed)
    while diary.hours < wanted and time.monotonic() < deadline and not hours.failed:
        try:
            hours.next_hour()
            if (diary.hours + 1) % 24 == 0:
                hours.next_day()
        except StackError as error:  # what was seen until then is worth keeping
            hours.failed.append(str(error))
        figures = sample(hours.stack)
        diary.note(figures, diary.hours + 1, time.monotonic() - began, hours.failed[told:])
        told = len(hours.failed)
        say(f"hour {diary.hours}: " + ", ".join(f"{k} {figures[k]:,.0f}" for k in ("memory_bytes", "log_bytes")))


def account(hours: Hours, diary: Diary, whole: bool) -> dict[str, Any]:
    """The record. whole: all hours are there, and retention may be put to the proof."""
    samples, told = diary.few_samples(), len(hours.failed)
    found = trends(samples)
    ticker = of_a_ticker(hours)
    trimmed = None
    if whole:
        hours.next_day()
        hours.settle()
        trimmed = trim(hours.stack, diary.ended[len(diary.ended) // 2])
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("apache-airflow", "mlflow")}
        | {"python": platform.python_version()},
        "cores": os.cpu_count(),
        "world": hours.stack.layout.world,
        "hours": diary.hours,
        "seconds": [round(each) for each in diary.seconds.values()],
        "failed_runs": diary.failed + hours.failed[told:],
        "ticker": ticker,
        "month": month(found, ticker),
        "most": {name: max(each.get(name, 0) for each in diary.samples) for name in found},
        "trends": {name: {k: round(v, 1) for k, v in asdict(each).items()} for name, each in found.items()},
        "trimmed": trimmed,
        "samples": samples,
    }


def of_a_ticker(hours: Hours) -> Figures:
    """What one run of ticker_snapshots adds to logs, metadata and databases, for good."""
    hours.tickers(1)
    hours.settle()
    before = sample(hours.stack)
    hours.tickers(TICKERS_MEASURED)
    hours.settle()
    after = sample(hours.stack)
    grown = [name for name in before if name.startswith(GROWS_BY_RUN)]
    return {name: max((after[name] - before[name]) / TICKERS_MEASURED, 0.0) for name in grown}


def sample(stack: Stack) -> Figures:
    """Everything there is to see of the stack now."""
    leaders = {c.process.pid: c.name for c in stack.components if c.process}
    dsn = f"host=127.0.0.1 port={stack.ports.postgres} user=postgres password={stack.credentials.postgres}"
    seen = of_processes(stack.layout, leaders) | of_files(stack.layout) | of_databases(dsn)
    return {name: round(value) for name, value in seen.items()}


def trim(stack: Stack, older_than: datetime) -> dict[str, Any]:
    """What retention leaves, were all before `older_than` too old: by the functions warehouse_maintenance calls."""
    before = sample(stack)
    password = stack.credentials.airflow_janitor
    url = metadata_url("127.0.0.1", stack.ports.postgres, METADATA_DATABASE, "airflow_janitor", password)
    clean_metadata(url, older_than, dry_run=False, environ=stack.environment)
    remove_old(stack.layout.task_logs, older_than, dry_run=False)
    after = sample(stack)
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
        f"\n{record['hours']} simulated hours in {sum(record['seconds'])} s and {len(record['seconds'])} sittings, "
        f"{record['world']} world, {record['cores']} cores"
    )
    print(f"{'figure':34}{'first':>16}{'last':>16}{'per hour':>14}{'a month':>18}{'limit':>18}")
    for name, values in record["trends"].items():
        each = Trend(**values)
        limit = f"{allowed[name]:,.0f}" if name in allowed else ""
        print(
            f"{name:34}{each.first:16,.0f}{each.last:16,.0f}{each.per_hour:14,.1f}{record['month'][name]:18,}{limit:>18}"
        )
    if trimmed := record["trimmed"]:
        for name, value in trimmed["before"].items():
            print(f"retention of half the run: {name} {value:,} -> {trimmed['after'][name]:,}")
    else:
        print("not all of the hours: run it again with the same --folder to go on")
    for line in [*over, *(f"failed: {each}" for each in record["failed_runs"])]:
        print(line)
    print("within the budget" if not over else "over the budget")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
