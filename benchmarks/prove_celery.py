"""Seven years of candles, once by LocalExecutor and once by two Celery workers: the same table, to the byte?

`python -m benchmarks.prove_celery [--from 2018-01-01] [--to 2025-01-01] [--workers 2]`, or `make prove-celery`; needs
redis-server. Three markets of Binance, 1h and 1d, from the replay exchange: the recorded world where MARKET_DATA_DIR
names one. Each executor has a stack and an empty warehouse of its own. Prints rows, seconds, the hash of market.candle
(without recorded_at, which says when a row was stored) and each worker's share of the tasks. The exit status is 1
unless every month succeeded, the hashes are equal, nothing was revised and every worker had a share.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass

from benchmarks.backfill.months import Backfill, options_parser, own_stack, ready, say
from benchmarks.backfill.outcome import Candles, Task, candles, run_states, shares, tasks
from include.stack.executor import Executor


@dataclass(frozen=True, slots=True)
class Result:
    """What one executor did, in how many seconds."""

    name: str
    seconds: float
    states: list[str]
    candles: Candles
    tasks: list[Task]


def main() -> int:
    parser = options_parser(__doc__, "2018-01-01", "2025-01-01", ["1h", "1d"])
    parser.add_argument("--slots", type=int, default=4, help="tasks at a time, with either executor (default 4)")
    parser.add_argument("--workers", type=int, default=2, help="Celery workers (default 2)")
    options = parser.parse_args()
    backfill = Backfill.from_options(options)
    local = measure("LocalExecutor", Executor(options.slots), backfill)
    celery = measure(f"CeleryExecutor, {options.workers} workers", Executor(options.slots, options.workers), backfill)
    print(f"\n{os.cpu_count()} cores, {options.slots} slots, {', '.join(backfill.markets)}, {backfill.timeframes}")
    for result in (local, celery):
        print(f"\n{result.name}")
        print(f"  months           {result.states.count('success')} of {len(result.states)} succeeded")
        print(f"  seconds          {result.seconds:.1f}")
        print(f"  rows             {result.candles.rows}, {result.candles.revisions} revisions")
        print(f"  market.candle    {result.candles.md5}  (md5 of every column but recorded_at)")
        print(f"  tasks by worker  {shares(result.tasks)}")
    broken = faults(local, celery, options.workers)
    print("\n" + ("\n".join(f"NOT PROVEN: {fault}" for fault in broken) or "equal"))
    return 1 if broken else 0


def measure(name: str, executor: Executor, backfill: Backfill) -> Result:
    say(f"{name}: {backfill.start:%Y-%m} to {backfill.end:%Y-%m}")
    with own_stack(executor) as stack:
        ready(stack)
        began = time.monotonic()
        backfill.create(stack)
        states = backfill.wait(lambda: run_states(stack))
        return Result(name, time.monotonic() - began, states, candles(stack), tasks(stack))


def faults(local: Result, celery: Result, workers: int) -> list[str]:
    """What speaks against the two having done the same, and the workers having done it together."""
    found = [f"{each.name}: a month failed" for each in (local, celery) if set(each.states) != {"success"}]
    found += [f"{each.name}: no candle" for each in (local, celery) if not each.candles.rows]
    found += [f"{each.name}: {each.candles.revisions} revisions" for each in (local, celery) if each.candles.revisions]
    if local.candles != celery.candles:
        found.append("the tables differ")
    if len({task.hostname for task in celery.tasks if task.hostname}) != workers:
        found.append("a worker had no task")
    return found


if __name__ == "__main__":
    sys.exit(main())
