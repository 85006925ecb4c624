"""Compares the newest stored indicators with a second opinion on the same candles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from include.candles.timeframes import SECONDS
from include.features.blocks import BLOCK_BARS, WARM_UP_BARS, block_start, opening
from include.features.model import LONGEST_BRIDGED_HOLE
from include.features.registry import NAMES
from include.features_check.second_opinion import RATIOS, Array, second_opinion
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

TAIL_BARS = WARM_UP_BARS + BLOCK_BARS  # what is read: a block and what it is computed from, whole or not
COMPARED_ROWS = 24  # a day of hours
TOLERANCE = 1e-6  # of the value, or of the column's median where the value is smaller
LEAST_DIFFERENCE = 1e-10  # of the close, for columns in the quote's unit: MACD of a calm is the rounding of its means
LEAST_RATIO_DIFFERENCE = 1e-8  # of ratios: the place of RSI is 0 but for rounding in most bars of some markets


class Disagreement(NamedTuple):
    """A stored value that the second opinion is not; stored None for NULL. opened_at: open time, UTC."""

    market: str
    timeframe: str
    opened_at: datetime
    column: str
    stored: float | None
    computed: float

    def __str__(self) -> str:
        at = self.opened_at.strftime("%Y-%m-%d %H:%MZ")
        stored = "NULL" if self.stored is None else repr(self.stored)
        return f"{self.market} {self.timeframe} {at} {self.column} = {stored}, computed {self.computed!r}"


class CrossCheck(NamedTuple):
    """What was compared: series, values, and those that disagree, newest first."""

    series: int
    values: int
    disagreements: list[Disagreement]

    def __str__(self) -> str:
        return f"{self.values} values of {self.series} series compared, {len(self.disagreements)} disagree"


class CheckedSeries(NamedTuple):
    """An instrument and timeframe that has features; market: venue:symbol."""

    instrument_id: int
    timeframe: str
    market: str


def cross_check(connection: Connection, now: datetime, at_most: int | None = None) -> CrossCheck:
    """Compare the newest rows of `at_most` series (all for None), which the hour of `now` (UTC) chooses.

    Rows that a pending change may reach are left out: the next run of the features will write them anew.
    """
    series = [CheckedSeries(*row) for row in connection.execute(statement("checks/select_series.sql"))]
    chosen = turn(series, int(now.timestamp()) // 3600, at_most)
    values, disagreements = 0, []
    for each in chosen:
        compared, found = _check_series(connection, each)
        values += compared
        disagreements.extend(found)
    disagreements.sort(key=lambda d: (-d.opened_at.timestamp(), d.market, d.timeframe, d.column))
    return CrossCheck(len(chosen), values, disagreements)


def turn(series: Sequence[CheckedSeries], hour: int, at_most: int | None) -> list[CheckedSeries]:
    """Which series it is the turn of: `at_most` of them, others the next hour, in a circle."""
    if at_most is None or at_most >= len(series):
        return list(series)
    start = hour * at_most % len(series)
    return [series[(start + place) % len(series)] for place in range(at_most)]


def _check_series(connection: Connection, series: CheckedSeries) -> tuple[int, list[Disagreement]]:
    """How many values were compared, and the disagreements."""
    values = {
        "instrument_id": series.instrument_id,
        "timeframe": series.timeframe,
        "step_seconds": SECONDS[series.timeframe],
        "bars": TAIL_BARS,
    }
    with connection.cursor(binary=True) as cursor:
        answer = cursor.execute(statement("checks/select_tail.sql", columns=NAMES), values).fetchall()
    table = np.array(answer[::-1], dtype=np.float64).reshape(-1, 4 + len(NAMES))
    run = last_run(table)
    stored = dict(zip(NAMES, run[:, 4:].T, strict=True))
    compared, found = 0, []
    for name, computed in second_opinion(run[:, 1], run[:, 2], run[:, 3]).items():
        has_opinion, differs = compare(stored[name], computed, None if name in RATIOS else run[:, 3])
        compared += int(has_opinion.sum())
        for place in np.flatnonzero(differs):
            at, held = opening(int(run[place, 0]), series.timeframe), float(stored[name][place])
            shown = None if math.isnan(held) else held
            found.append(Disagreement(series.market, series.timeframe, at, name, shown, float(computed[place])))
    return compared, found


def last_run(table: Array) -> Array:
    """Rows (bar first, ascending) that the newest one was computed from: of its block and the warm-up before, unbroken.

    Both opinions thus begin at the same candle, however few of its bars a market has.
    """
    if len(table) == 0:
        return table
    slice_ = table[table[:, 0] >= block_start(int(table[-1, 0])) - WARM_UP_BARS]
    breaks = np.flatnonzero(np.diff(slice_[:, 0]) > LONGEST_BRIDGED_HOLE + 1)
    return slice_[breaks[-1] + 1 if len(breaks) else 0 :]


def compare(stored: Array, computed: Array, close: Array | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Of the last COMPARED_ROWS: where there is an opinion, and where the stored value is not that within TOLERANCE.

    close: given for columns in the quote's unit, which may differ by LEAST_DIFFERENCE of it; None for ratios.
    """
    has_opinion = np.isfinite(computed)
    typical = float(np.median(np.abs(computed[has_opinion]))) if has_opinion.any() else 0.0
    has_opinion[:-COMPARED_ROWS] = False
    allowed = TOLERANCE * np.maximum(np.abs(computed), typical)
    allowed = np.maximum(allowed, LEAST_RATIO_DIFFERENCE if close is None else LEAST_DIFFERENCE * close)
    is_near = np.abs(stored - computed) <= allowed  # never of a NaN
    return has_opinion, has_opinion & ~is_near
