"""What a task pays before its first line runs, forked with and without the libraries of `include.preload` at hand.

`python -m benchmarks.bench_task_start [ROUNDS]`. Two processes hold what Airflow's scheduler holds, one of them the
libraries besides. Both fork, in turn, a child per round that imports each DAG file's operators, as a task process does
when it parses its file: seconds of its processor time, and the memory that is its own and not shared with its parent.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Measured = tuple[float, float]


def import_dag(name: str) -> Measured:
    """Processor seconds and private bytes of a fork that imports one DAG file."""
    import psutil

    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        began = time.process_time()
        importlib.import_module(name)
        spent = time.process_time() - began
        os.write(writing, f"{spent} {psutil.Process().memory_full_info().uss}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        seconds, private = answer.read().split()
    os.waitpid(pid, 0)
    return float(seconds), float(private)


def serve(pipe: Connection, preloaded: bool) -> None:
    """A stand-in for the process that tasks are forked from; forks one for each name it is told."""
    sys.path[:0] = [str(ROOT / "dags"), str(ROOT / "plugins")]
    for name in ("airflow.jobs.scheduler_job_runner", "airflow.sdk.execution_time.task_runner"):
        importlib.import_module(name)
    if preloaded:
        importlib.import_module("include.preload")
    pipe.send(None)
    with suppress(EOFError):  # nobody asks any more
        while True:
            pipe.send(import_dag(pipe.recv()))


def start(preloaded: bool) -> Callable[[str], Measured]:
    """Start such a process; what asks it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=serve, args=(theirs, preloaded), daemon=True).start()
    ours.recv()

    def ask(name: str) -> Any:
        ours.send(name)
        return ours.recv()

    return ask


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        plain, preloaded = start(False), start(True)
        print(
            f"{'DAG file':26}{'plain s':>10}{'preloaded':>11}{'ratio':>7}{'plain MB':>10}{'preloaded':>11}{'ratio':>7}"
        )
        ratios = []
        for name in sorted(path.stem for path in (ROOT / "dags").glob("*.py")):
            pairs = [(plain(name), preloaded(name)) for _ in range(rounds)]
            without, having = ([statistics.median(p[i][j] for p in pairs) for j in (0, 1)] for i in (0, 1))
            ratios.append((without[0] / having[0], without[1] / having[1]))
            print(
                f"{name:26}{without[0]:10.2f}{having[0]:11.2f}{ratios[-1][0]:7.1f}"
                f"{without[1] / 1e6:10.1f}{having[1] / 1e6:11.1f}{ratios[-1][1]:7.1f}",
                flush=True,
            )
    seconds, memory = (statistics.median(each) for each in zip(*ratios, strict=True))
    print(f"median: {seconds:.1f} times the processor time, {memory:.1f} times the memory without")


if __name__ == "__main__":
    main()
