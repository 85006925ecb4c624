"""What features cost: an hour, a full recompute, a revision, windows in SQL; beside plain `ta` and pandas.

`python -m benchmarks.bench_features [--runs 5] [--rows 70000] [--only PART …] [--quick]`. Two PostgreSQL clusters of
its own, tuned alike, hold the same drawn hours of three markets: one for our features, one for a full recompute with
plain `ta`. Runs are interleaved; medians are compared, so that ratios hold on a busy machine too. Ends with status 1
where a figure is missed; --quick runs everything on little and judges no figure.

Parts: hourly (one new candle for every market), full (everything again, database to database), indicators (in memory),
windows (rolling means in SQL and in numpy), revision (a corrected candle in the middle of history).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.features.peer import candles_of, recompute
from benchmarks.features.plain_ta import plain_indicators
from benchmarks.features.revision import revise
from benchmarks.features.sides import KNOWN, Side, histories, sides
from benchmarks.features.unjudged import Unjudged
from benchmarks.ingest.run import Figures
from include.features.compute import indicator_columns
from include.features.upsert import FeatureRun, upsert_features
from include.indicators.windows import window_mean
from include.warehouse.connection import connect

PARTS = ("hourly", "full", "indicators", "windows", "revision")
MARKETS = 3
OUR_HOURS = 4  # of ours in each run: an hour is short, and its median wants more of them
WINDOW = 720
MEAN = """
select max(mean), count(*)
from (
    select avg(close::{kind}) over (order by opened_at rows {preceding} preceding) as mean
    from (
        select opened_at, close from market.candle
        where instrument_id = %s and timeframe = '1h'
        order by opened_at limit %s
    ) as candle
) as windows
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=70_000, help="hours of each of the three markets")
    parser.add_argument("--float-rows", type=int, default=20_000, help="of avg(float8), which is slow")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="little of everything, judging no figure")
    asked = parser.parse_args()
    if asked.quick:
        asked.runs, asked.rows, asked.float_rows = 2, 6000, 2000
    figures = Unjudged() if asked.quick else Figures()
    drawn = histories(MARKETS, asked.rows, asked.runs * (OUR_HOURS + 1))
    with (
        tempfile.TemporaryDirectory(prefix="bench-features-") as scratch,
        sides(2, Path(scratch), drawn, asked.rows) as (ours, peer),
    ):
        load(figures, ours, peer)
        if "hourly" in asked.only:
            hourly(figures, ours, peer, asked.runs)
        if "full" in asked.only:
            full(figures, ours, peer, asked.runs)
        if "indicators" in asked.only:
            indicators(figures, ours, asked.runs)
        if "windows" in asked.only:
            windows(figures, ours, asked)
        if "revision" in asked.only:
            revise(figures, ours, drawn[0], asked.rows, asked.runs)
            if figures.values["full"]["ours"]:
                ratio = figures.median("full", "ours") / MARKETS * 1000 / figures.median("revision", "ms")
                print(f"        a full recompute of that history takes {ratio:,.1f} times as long", flush=True)
    if figures.missed:
        sys.exit(f"missed: {'; '.join(figures.missed)}")


def load(figures: Figures, ours: Side, peer: Side) -> None:
    """First features of both sides, into empty tables."""
    print("first features, into empty tables; s", flush=True)
    figures.note("load", ours=_seconds(lambda: _ours(ours)), ta=_seconds(lambda: _plain(peer)))
    ours.settle()
    peer.settle()


def hourly(figures: Figures, ours: Side, peer: Side, runs: int) -> None:
    """A new candle for every market, stored beforehand: how long until its features are there."""
    print(f"hourly: one new hour of {MARKETS} markets; ms", flush=True)
    for _ in range(runs):
        hours = []
        for _ in range(OUR_HOURS):
            ours.add_hour()
            hours.append(ours.timed(lambda: _expect(_ours(ours), new=MARKETS)))
        ours.add_hour()
        first = _first_of_a_connection(ours)
        peer.add_hour()
        every = peer.timed(lambda: _plain(peer))
        peer.add_hour()
        newest = peer.timed(lambda: _plain(peer, newest_only=True))
        figures.note("hourly", ours=statistics.median(took for took, _ in hours), ours_first=first,
                     ta_all_rows=every[0], ta_newest_row=newest[0])  # fmt: skip
        figures.note("of processor time", ours=statistics.fmean(busy for _, busy in hours), ta_all_rows=every[1],
                     ta_newest_row=newest[1])  # fmt: skip
    names = ("ours", "ours_first", "ta_all_rows", "ta_newest_row")
    one, first, every_row, newest_row = (figures.median("hourly", name) for name in names)
    figures.demand("a new hour, times as fast as plain ta, all rows passed on", every_row / one, least=150)
    print(f"        beside plain ta that stores the newest row alone: {newest_row / one:,.0f} times", flush=True)
    print(f"        the first hour of a new connection, beside all rows: {every_row / first:,.0f} times", flush=True)
    busy, ta_busy = (figures.median("of processor time", name) for name in ("ours", "ta_all_rows"))
    print(f"        by processor time of client and server, beside all rows: {ta_busy / busy:,.0f} times", flush=True)


def _first_of_a_connection(side: Side) -> float:
    with connect(side.dsn) as connection:
        return _milliseconds(lambda: _expect(upsert_features(connection, KNOWN), new=MARKETS))


def full(figures: Figures, ours: Side, peer: Side, runs: int) -> None:
    """Everything computed again and compared with what is stored; nothing differs, nothing is written."""
    print("full: read, compute, compare; s", flush=True)
    for _ in range(runs):
        ours.owner.execute("delete from features.definition")
        again = _seconds(lambda: _expect(_ours(ours), new=0))
        figures.note("full", ours=again, ta=_seconds(lambda: _plain(peer)))
    ratio = figures.median("full", "ta") / figures.median("full", "ours")
    print(f"        full recompute, times as fast as plain ta: {ratio:,.2f}", flush=True)


def indicators(figures: Figures, side: Side, runs: int) -> None:
    """The indicators of consecutive bars in memory: ours block by block, `ta` over the whole series."""
    series = [candles_of(side.writer, instrument_id) for instrument_id in side.instruments]
    print(f"indicators: {sum(map(len, series))} rows in memory; ms of processor time", flush=True)

    def ours() -> None:
        for candles in series:
            columns = {str(name): candles[name].to_numpy(np.float64) for name in candles}
            bars = columns["bar"].astype(np.int64)
            indicator_columns(columns, bars, int(bars[0]))

    def plain() -> None:
        for candles in series:
            plain_indicators(candles)

    for _ in range(runs):
        figures.note(
            "indicators", ours=_milliseconds(ours, time.process_time), ta=_milliseconds(plain, time.process_time)
        )
    ratio = figures.median("indicators", "ta") / figures.median("indicators", "ours")
    figures.demand("indicators of whole histories, times as fast as plain ta", ratio, least=20)


def windows(figures: Figures, side: Side, asked: argparse.Namespace) -> None:
    """Means of the last 720 closes of one market, by PostgreSQL and by our exact windows."""
    instrument_id, few, rows = side.instruments[0], asked.float_rows, asked.rows
    print(f"windows: means of {WINDOW} closes; numeric over {rows} rows, float8 over {few} of them; ms", flush=True)

    def in_sql(kind: str, count: int) -> None:
        query = MEAN.format(kind=kind, preceding=WINDOW - 1)
        row = side.writer.execute(query, (instrument_id, count)).fetchone()
        if row is None or row[1] != count:
            sys.exit(f"{count} means were expected, not {row}")

    closes = candles_of(side.writer, instrument_id)["close"].to_numpy()[:rows]
    for _ in range(asked.runs):
        figures.note(
            "windows",
            float8_few=_milliseconds(lambda: in_sql("float8", few)),
            numeric_few=_milliseconds(lambda: in_sql("numeric", few)),
            numeric_all=_milliseconds(lambda: in_sql("numeric", rows)),
            numpy_all=_milliseconds(lambda: window_mean(closes, WINDOW, at_least=1)),
        )
    slow, quick = figures.median("windows", "float8_few"), figures.median("windows", "numeric_few")
    figures.demand(f"avg(numeric) over {few} rows, times as fast as avg(float8)", slow / quick, least=10)
    ratio = figures.median("windows", "numeric_all") / figures.median("windows", "numpy_all")
    print(f"        exact windows in memory, times as fast as avg(numeric): {ratio:,.1f}", flush=True)


def _ours(side: Side) -> FeatureRun:
    return upsert_features(side.writer, KNOWN)


def _plain(side: Side, *, newest_only: bool = False) -> None:
    for instrument_id in side.instruments:
        recompute(side.writer, instrument_id, KNOWN, newest_only=newest_only)


def _expect(run: FeatureRun, new: int) -> None:
    if (run.rows_new, run.rows_changed) != (new, 0):
        sys.exit(f"{new} new rows were expected, not {run}")


def _seconds(work: Callable[[], object], timer: Callable[[], float] = time.perf_counter) -> float:
    began = timer()
    work()
    return timer() - began


def _milliseconds(work: Callable[[], object], timer: Callable[[], float] = time.perf_counter) -> float:
    return _seconds(work, timer) * 1000


if __name__ == "__main__":
    main()
