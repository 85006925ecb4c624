"""From a venue's wire into PostgreSQL, against the venue's limit and against what people use for it today.

`python -m benchmarks.bench_ingest [--runs 5] [--pages 300] [--rows 1000000] [--months 24] [--only PART …]`. A local
server answers 150 ms late; PostgreSQL is a cluster of its own; the runs of a part are interleaved; medians are
compared, so that ratios hold on a busy machine too. Ends with status 1 where a figure is missed.

Parts: parse; rest (our REST path at the venue's 6000 weight a minute, a ccxt loop, freqtrade); archive (monthly files);
fresh (rows not there yet, against the Postgres provider); unchanged (rows that are all there, against ON CONFLICT).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson

from benchmarks.ingest.candles import FIRST, MINUTE, json_row, lines, walk
from benchmarks.ingest.database import forget, warehouse
from benchmarks.ingest.peers import python_of
from benchmarks.ingest.run import ROOT, Figures, server, step
from include.candles.klines import parse_kline_json
from include.venues.binance_archive_files import following_month
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect

PARTS = ("parse", "rest", "archive", "fresh", "unchanged")
PAGE = 1000
CEILING = 6000 / 2 / 60 * PAGE  # candles a second: weight a minute, 2 for a page
OURS = (sys.executable, "-m")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--ccxt-pages", type=int, default=300, help="fewer give the same rate sooner")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--latency", type=float, default=0.15)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    figures = Figures()
    if "parse" in asked.only:
        parse(figures, asked.runs)
    with (
        tempfile.TemporaryDirectory(prefix="bench-ingest-") as scratch,
        warehouse(Path(scratch)) as dsns,
        connect(dsns.owner) as owner,
    ):
        if "rest" in asked.only:
            rest(figures, dsns, owner, Path(scratch), asked)
        if "archive" in asked.only:
            archive(figures, dsns, owner, asked)
        if "fresh" in asked.only:
            fresh(figures, dsns, owner, Path(scratch), asked)
        if "unchanged" in asked.only:
            unchanged(figures, dsns, owner, asked)
    if memory := figures.greatest("rss_mb"):
        figures.demand("memory of our processes, MB", memory, most=400)
    sys.exit(f"missed: {'; '.join(figures.missed)}" if figures.missed else 0)


def parse(figures: Figures, runs: int) -> None:
    """A page from its bytes to checked columns, against reading its JSON alone."""
    page = b"[" + b",".join(map(json_row, lines(walk(PAGE)))) + b"]"
    end = FIRST + PAGE * MINUTE

    def read() -> int:
        klines = parse_kline_json(page)
        return len(klines.valid("1m", FIRST, end, end)[0]) if klines else 0

    if read() != PAGE:
        sys.exit("the page is not read as columns")
    print(f"parse: {PAGE} klines, {len(page)} bytes; ms")
    for _ in range(runs):
        times: dict[str, list[float]] = {"json": [], "ours": []}
        for _ in range(30):
            times["json"].append(_milliseconds(lambda: orjson.loads(page)))
            times["ours"].append(_milliseconds(read))
        figures.note("parse", **{name: statistics.median(each) for name, each in times.items()})
    bound = 2.5 * figures.median("parse", "json") + 1
    figures.demand(
        f"parse and check {PAGE} klines, ms (2.5 x orjson.loads + 1)", figures.median("parse", "ours"), most=bound
    )


def _milliseconds(work: Callable[[], object]) -> float:
    """Of processor time, which other processes take nothing from."""
    return timeit.timeit(work, number=5, timer=time.process_time) / 5 * 1000


def rest(figures: Figures, dsns: WarehouseDsns, owner: Connection, scratch: Path, asked: argparse.Namespace) -> None:
    peers = ROOT / "var" / "bench"
    ccxt, freqtrade = python_of("ccxt", peers), python_of("freqtrade", peers)
    days = asked.pages * PAGE // 1440
    minutes = days * 1440
    print(f"rest: {minutes} candles, {asked.latency * 1000:.0f} ms latency; candles a second")
    here = ROOT / "benchmarks" / "ingest"
    with server(minutes, 0, asked.latency) as url:
        for run in range(asked.runs):
            forget(owner)
            given = ["--url", url, "--dsn", dsns.writer]
            step(figures, "rest", [*OURS, "benchmarks.ingest.ours", "rest", *given, "--minutes", str(minutes)])
            if ccxt:
                fewer = ["--minutes", str(min(minutes, asked.ccxt_pages * PAGE))]
                step(figures, "ccxt", [ccxt, str(here / "peer_ccxt.py"), *given, *fewer])
            if freqtrade:
                folder = scratch / f"freqtrade-{run}"
                command = [freqtrade, str(here / "peer_freqtrade.py"), "--url", url, "--folder", str(folder)]
                step(figures, "freqtrade", [*command, "--days", str(days)], {"HOME": str(scratch)})
    ours = figures.median("rest", "rate")
    figures.demand(f"REST, of the venue's {CEILING:,.0f} candles/s", ours / CEILING, least=0.92)
    if ccxt:
        figures.demand("REST, times a ccxt loop with executemany", ours / figures.median("ccxt", "rate"), least=8)
    if freqtrade:
        phase, process = (figures.median("freqtrade", name) for name in ("rate", "process_rate"))
        figures.demand("REST, times freqtrade's download phase", ours / phase, least=1.05)
        figures.demand(
            "REST, times freqtrade as whole process", figures.median("rest", "process_rate") / process, least=2
        )


def archive(figures: Figures, dsns: WarehouseDsns, owner: Connection, asked: argparse.Namespace) -> None:
    month = FIRST.date()
    for _ in range(asked.months):
        month = following_month(month)
    minutes = (month - FIRST.date()) // timedelta(minutes=1)
    print(f"archive: {asked.months} monthly files, {minutes} candles; candles a second")
    with server(PAGE, asked.months, asked.latency) as url:
        for _ in range(asked.runs):
            forget(owner)
            command = [*OURS, "benchmarks.ingest.ours", "archive", "--url", url, "--dsn", dsns.writer]
            step(figures, "archive", [*command, "--minutes", str(minutes)])
    figures.demand("archive files, candles/s (towards 370,000)", figures.median("archive", "rate"), least=230_000)


def fresh(figures: Figures, dsns: WarehouseDsns, owner: Connection, scratch: Path, asked: argparse.Namespace) -> None:
    print(f"fresh: {asked.rows} rows that are not there yet; rows a second")
    given = ["--dsn", dsns.writer, "--rows", str(asked.rows)]
    airflow = {"AIRFLOW_HOME": str(scratch / "airflow"), "PYTHONWARNINGS": "ignore"}
    for _ in range(asked.runs):
        forget(owner)
        step(figures, "fresh", [*OURS, "benchmarks.ingest.upserts", "ours", *given])
        forget(owner)
        step(figures, "insert_rows", [*OURS, "benchmarks.ingest.peer_insert_rows", *given], airflow)
    ratio = figures.median("fresh", "rate") / figures.median("insert_rows", "rate")
    figures.demand("fresh rows, times the provider's insert_rows(replace=True)", ratio, least=3.5)


def unchanged(figures: Figures, dsns: WarehouseDsns, owner: Connection, asked: argparse.Namespace) -> None:
    print(f"unchanged: {asked.rows} rows that are all there; rows a second")
    forget(owner)
    given = ["--dsn", dsns.writer, "--rows", str(asked.rows)]
    step(figures, "load", [*OURS, "benchmarks.ingest.upserts", "ours", *given])
    for _ in range(asked.runs):
        for name, way in (("unchanged", "ours"), ("on_conflict", "on_conflict")):
            owner.execute("vacuum analyze market.candle")
            before = owner.execute("select pg_current_wal_insert_lsn()").fetchone()
            step(figures, name, [*OURS, "benchmarks.ingest.upserts", way, *given])
            owner.execute("select pg_stat_force_next_flush()")
            wal = owner.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s) / 1e6", before).fetchone()
            dead = owner.execute("select n_dead_tup from pg_stat_user_tables where relname = 'candle'").fetchone()
            figures.note(name, wal_mb=float(wal[0]) if wal else 0, dead=float(dead[0]) if dead else 0)
    ratio = figures.median("unchanged", "rate") / figures.median("on_conflict", "rate")
    figures.demand("unchanged rows, times ON CONFLICT … WHERE", ratio, least=1.7)
    figures.demand("unchanged rows, MB of WAL", max(figures.values["unchanged"]["wal_mb"]), most=1)
    figures.demand("unchanged rows, dead tuples", max(figures.values["unchanged"]["dead"]), most=0)


if __name__ == "__main__":
    main()
