"""Seven years of hourly candles through `airflow backfill create`, on a stack of its own: where the time goes.

`python -m benchmarks.bench_backfill [--from 2018-01-01] [--to 2025-01-01] [--timeframes 1h]`, or `make bench-backfill`.
Three markets of Binance from the replay exchange: the recorded world where MARKET_DATA_DIR names one (it holds these
seven years), else the synthetic one. Prints the wall clock and three sums over all tasks: Airflow's own seconds (a task
instance from its start to its end, without our operator), ours, and the wait for the venue's request budget.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks.backfill.months import DAG_ID, Backfill, options_parser, own_stack, ready
from benchmarks.backfill.outcome import run_states, tasks
from include.stack.executor import Executor
from include.stack.launcher import Stack
from include.warehouse.connection import connect

GOAL_SECONDS = 300.0
LOADS = """
select
    count(*), coalesce(sum(rows_new), 0)::bigint, coalesce(sum(work_seconds), 0), coalesce(sum(wait_seconds), 0)
from ops.pipeline_run
where dag_id = %s and run_id like 'backfill%%'
"""


def main() -> int:
    backfill = Backfill.from_options(options_parser(__doc__, "2018-01-01", "2025-01-01", ["1h"]).parse_args())
    with own_stack(Executor.from_environment()) as stack:
        return measure(stack, backfill)


def measure(stack: Stack, backfill: Backfill) -> int:
    ready(stack)
    began = time.monotonic()
    backfill.create(stack)
    states = backfill.wait(lambda: run_states(stack))
    wall = time.monotonic() - began
    in_tasks = sum((t.ended_at - t.started_at).total_seconds() for t in tasks(stack) if t.ended_at and t.started_at)
    with connect(stack.warehouse_dsn()) as connection:
        loads, rows, work, wait = connection.execute(LOADS, (DAG_ID,)).fetchone() or (0, 0, 0.0, 0.0)
    failed = states.count("failed")
    print(f"\n{stack.layout.world} world, {os.cpu_count()} cores, {', '.join(backfill.markets)}, {backfill.timeframes}")
    print(f"{len(states)} months, {failed} failed, {loads} loading tasks, {rows} candles")
    print(f"wall clock                        {wall:8.1f} s   ({wall / GOAL_SECONDS:.2f} of {GOAL_SECONDS:.0f} s)")
    print(f"sum over tasks: Airflow's own     {in_tasks - work:8.1f} s")
    print(f"                ours              {work - wait:8.1f} s   ({rows / max(work - wait, 1e-9):,.0f} candles/s)")
    print(f"                venue's budget    {wait:8.1f} s")
    print(f"wall clock per month              {wall / max(len(states), 1):8.2f} s")
    return 1 if failed or wall > GOAL_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
