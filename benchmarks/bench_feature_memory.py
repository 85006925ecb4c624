"""How much memory features of many instruments take: of our process, and of the PostgreSQL backend that serves it.

`python -m benchmarks.bench_feature_memory [--instruments 50] [--rows 70000]`. A PostgreSQL cluster of its own holds
drawn hours; one run computes the features of all of them in a process of its own. With 50 instruments it takes some
minutes. Ends with status 1 where both together take more than 2 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.features.history import hours, market
from benchmarks.features.sides import ENDS_AT, put, put_index, settle
from benchmarks.features.sides import KNOWN as LOADED_AT
from benchmarks.ingest.database import warehouse
from benchmarks.ingest.run import ROOT, Figures
from include.features.schema import install_features
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument

MOST_MB = 2048
SAMPLES_A_SECOND = 5
SECONDS_BETWEEN_NEWS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instruments", type=int, default=50)
    parser.add_argument("--rows", type=int, default=70_000, help="hours of each instrument")
    asked = parser.parse_args()
    figures = Figures()
    with (
        tempfile.TemporaryDirectory(prefix="bench-feature-memory-") as scratch,
        warehouse(Path(scratch)) as dsns,
        connect(dsns.owner) as owner,
    ):
        install_features(owner)
        with connect(dsns.writer) as writer:
            load(writer, asked.instruments, asked.rows)
        settle(owner)
        told = compute(owner, dsns.writer, asked.instruments)
        stored = owner.execute("select count(*), pg_total_relation_size('features.candle_feature') / 1e6 "
                               "from features.candle_feature").fetchone()  # fmt: skip
    if stored is None or stored[0] != asked.instruments * asked.rows or told["rows"] != stored[0]:
        sys.exit(f"{asked.instruments * asked.rows} rows were expected, not {stored} of {told}")
    figures.note("features", **told, rows_a_second=told["rows"] / told["seconds"], table_mb=float(stored[1]))
    both = told["rss_mb"] + told["backend_mb"]
    figures.demand(f"memory of process and backend, {asked.instruments} instruments, MB", both, most=MOST_MB)
    sys.exit(f"missed: {'; '.join(figures.missed)}" if figures.missed else 0)


def load(writer: Connection, instruments: int, rows: int) -> None:
    put_index(writer)
    began = time.perf_counter()
    for number in range(instruments):
        put(writer, ensure_instrument(writer, market(number)), hours(rows, ENDS_AT, number), LOADED_AT)
        print(f"  {number + 1} of {instruments} instruments loaded, {time.perf_counter() - began:.0f} s", flush=True)


def compute(owner: Connection, dsn: str, instruments: int) -> dict[str, float]:
    """One run over everything; watches the backend meanwhile, and tells how far the run is."""
    command = [sys.executable, "-m", "benchmarks.features.compute_all", "--dsn", dsn]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    began = told_at = time.perf_counter()
    backend = own = 0.0
    try:
        while process.poll() is None:
            backend_now, own_now = _backend_mb(owner)
            backend, own = max(backend, backend_now), max(own, own_now)
            if time.perf_counter() - told_at > SECONDS_BETWEEN_NEWS:
                told_at = time.perf_counter()
                done = owner.execute("select count(*) from features.definition").fetchone() or (0,)
                far = f"{done[0]} of {instruments} instruments, {told_at - began:.0f} s"
                print(f"  {far}; backend {backend_now:,.0f} MB", flush=True)
            time.sleep(1 / SAMPLES_A_SECOND)
    finally:
        process.kill()
        printed, _ = process.communicate()
    if process.returncode:
        sys.exit("the features were not computed")
    told: dict[str, float] = json.loads(printed.strip().splitlines()[-1])
    return {**told, "backend_mb": backend, "backend_own_mb": own}


def _backend_mb(owner: Connection) -> tuple[float, float]:
    """Resident memory of the backend that serves the run: with the shared buffers it has touched, and without."""
    query = "select pid from pg_stat_activity where application_name = 'crypto-market' and pid <> pg_backend_pid()"
    whole = own = 0.0
    for (pid,) in owner.execute(query):
        status = Path(f"/proc/{pid}/status")
        if not status.exists():  # it has ended since it was listed
            continue
        sizes = dict(line.split(":", 1) for line in status.read_text().splitlines())
        whole += float(sizes["VmRSS"].split()[0]) / 1024
        own += float(sizes["RssAnon"].split()[0]) / 1024
    return whole, own


if __name__ == "__main__":
    main()
