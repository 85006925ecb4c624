"""Seven years of hourly candles through `airflow backfill create`, on a stack of its own: where the time goes.

`python -m benchmarks.bench_backfill [--from 2018-01-01] [--to 2025-01-01] [--timeframes 1h]`, or `make bench-backfill`.
Three markets of Binance from the replay exchange: the recorded world where MARKET_DATA_DIR names one (it holds these
seven years), else the synthetic one. Prints the wall clock and three sums over all tasks: Airflow's own seconds (a task
instance from its start to its end, without our operator), ours, and the wait for the venue's request budget.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime

from include.config.markets import market_keys
from include.stack.launcher import Stack
from include.stack.layout import Layout, Ports
from include.stack.replay_source import ReplaySource
from include.warehouse.connection import connect

DAG_ID = "ohlcv_backfill"
GOAL_SECONDS = 300.0


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-backfill-") as folder:
        environ = {**os.environ, "STACK_VAR": folder}
        replay = ReplaySource.from_environment(environ)
        stack = Stack(Layout.from_environment(replay.world, environ), Ports.from_environment(environ), replay, say)
        try:
            stack.start()
            return measure(stack, options)
        finally:
            stack.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    day = lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)  # noqa: E731
    parser.add_argument("--from", dest="start", type=day, default="2018-01-01", help="first month (UTC)")
    parser.add_argument("--to", dest="end", type=day, default="2025-01-01", help="after the last month (UTC)")
    parser.add_argument("--timeframes", nargs="+", default=["1h"])
    parser.add_argument("--max-active-runs", type=int, default=4)
    return parser.parse_args()


def measure(stack: Stack, options: argparse.Namespace) -> int:
    api = stack.api()
    stack.load_settings()
    while DAG_ID not in api.dags():
        time.sleep(0.5)
    # The run of a backfill is named by the start of its month.
    last = options.end.timestamp() - 86_400
    conf = {"markets": market_keys("binance"), "timeframes": options.timeframes}
    command = [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", DAG_ID]
    command += ["--from-date", options.start.isoformat(), "--to-date", datetime.fromtimestamp(last, UTC).isoformat()]
    command += ["--max-active-runs", str(options.max_active_runs), "--dag-run-conf", json.dumps(conf)]
    api.set_paused(DAG_ID, False)
    began = time.monotonic()
    subprocess.run(command, env=stack.environment, check=True, capture_output=True)
    shown = -1
    while True:
        runs = [run for run in api.runs(DAG_ID) if run["run_type"] == "backfill"]
        states = [run["state"] for run in runs]
        if states.count("success") != shown:
            shown = states.count("success")
            say(f"{shown} of {len(states)} months")
        if runs and all(state in ("success", "failed") for state in states):
            break
        time.sleep(1)
    wall = time.monotonic() - began
    tasks = list(api.pages(f"dags/{DAG_ID}/dagRuns/~/taskInstances", "task_instances"))
    in_tasks = sum(float(task["duration"] or 0) for task in tasks if "backfill__" in task["dag_run_id"])
    query = (
        "select count(*), coalesce(sum(rows_new), 0)::bigint,"
        " coalesce(sum(work_seconds), 0), coalesce(sum(wait_seconds), 0)"
        " from ops.pipeline_run where dag_id = %s and run_id like 'backfill%%'"
    )
    with connect(stack.warehouse_dsn()) as connection:
        loads, rows, work, wait = connection.execute(query, (DAG_ID,)).fetchone() or (0, 0, 0.0, 0.0)
    failed = states.count("failed")
    print(f"\n{stack.layout.world} world, {os.cpu_count()} cores, {', '.join(conf['markets'])}, {options.timeframes}")
    print(f"{len(states)} months, {failed} failed, {loads} loading tasks, {rows} candles")
    print(f"wall clock                        {wall:8.1f} s   ({wall / GOAL_SECONDS:.2f} of {GOAL_SECONDS:.0f} s)")
    print(f"sum over tasks: Airflow's own     {in_tasks - work:8.1f} s")
    print(f"                ours              {work - wait:8.1f} s   ({rows / max(work - wait, 1e-9):,.0f} candles/s)")
    print(f"                venue's budget    {wait:8.1f} s")
    print(f"wall clock per month              {wall / max(len(states), 1):8.2f} s")
    return 1 if failed or wall > GOAL_SECONDS else 0


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
