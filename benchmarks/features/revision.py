"""A corrected candle in the middle of a history: exactly the rows within its reach are computed again."""

from __future__ import annotations

import sys
import time
from datetime import datetime

import numpy as np

from benchmarks.features.history import HOUR, HOUR_MS
from benchmarks.features.sides import KNOWN, Side, put
from benchmarks.ingest.run import Figures
from include.candles.batch import COLUMNS, CandleBatch
from include.candles.timeframes import EPOCH
from include.features.blocks import BarRange, reach
from include.features.upsert import upsert_features

WRITTEN_WITHIN = """
select count(*), count(*) filter (where instrument_id = %s and opened_at >= %s and opened_at < %s)
from features.candle_feature where recorded_at = %s
"""


def revise(figures: Figures, side: Side, history: CandleBatch, rows: int, runs: int) -> None:
    """A corrected close in the middle of a history: what is computed again, and how long that takes."""
    upsert_features(side.writer, KNOWN)
    place = rows // 2
    bars = history.opened_ms[: rows + side.hours_added] // HOUR_MS
    bar = int(bars[place])
    reached = reach(BarRange(bar, bar + 1), "1h")
    expected = int(np.count_nonzero((bars >= reached.start) & (bars < reached.end)))
    print(f"revision: a candle of {len(bars)} corrected; {expected} rows are within its reach; ms", flush=True)
    for run in range(runs):
        known = KNOWN + (run + 1) * HOUR
        if put(side.writer, side.instruments[0], _corrected(history[place : place + 1], run), known) != 1:
            sys.exit("the correction was not stored")
        began = time.perf_counter()
        done = upsert_features(side.writer, known)
        took = (time.perf_counter() - began) * 1000
        changed = done.rows_changed
        if done.rows_new or changed + done.rows_unchanged != expected:
            sys.exit(f"{expected} rows were to be computed again, not {done}")
        _expect_written_within(side, known, reached, changed)
        figures.note("revision", ms=took, computed=expected, written=changed)


def _corrected(one: CandleBatch, run: int) -> CandleBatch:
    """The candle with another close, between its lowest and highest price."""
    columns = one.columns.copy()
    low, high, close = (COLUMNS.index(name) for name in ("low", "high", "close"))
    columns[close] = columns[low] + (columns[high] - columns[low]) * (run % 7 + 1) // 9
    return CandleBatch(columns)


def _expect_written_within(side: Side, known: datetime, reached: BarRange, count: int) -> None:
    bounds = (side.instruments[0], EPOCH + reached.start * HOUR, EPOCH + reached.end * HOUR)
    row = side.writer.execute(WRITTEN_WITHIN, (*bounds, known)).fetchone()
    if row != (count, count):
        sys.exit(f"{count} rows were to be written, all within reach, not {row}")
