"""Ten classes of faults put into recorded series, each of which must be found and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from include.reconcile.judge import Judged, judge
from include.reconcile.model import Finding, Panel
from include.reconcile.thresholds import CONTEXT
from tests.unit.reconcile.recorded import PRICES, hour_of

Chance = np.random.Generator
# (panels, base, column, row, chance) -> rows [row, row + length) are faulty now; 0: the fault makes no difference here
Fault = Callable[[list[Panel], int, int, int, Chance], int]
NAMES = (*PRICES, "base_volume", "quote_volume")
# Rows from one fault to the next, so that each meets an undisturbed context.
STRIDE = 180
LONGEST = 24
LEAST_BODY = 6e-4


class Point(NamedTuple):
    fault: str
    base: int
    column: int
    row: int
    length: int


def copied(panels: Sequence[Panel]) -> list[Panel]:
    return [replace(panel, **{name: getattr(panel, name).copy() for name in NAMES}) for panel in panels]


def width(panel: Panel, column: int, row: int) -> float:
    return float(np.log(panel.high[row, column] / panel.low[row, column]))


def close_spike(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """One close off by 3 % or twice the hour's range, whichever is more; high and low follow it."""
    panel = panels[base]
    panel.close[row, column] *= np.exp(chance.choice([-1, 1]) * max(0.03, 2 * width(panel, column, row)))
    panel.high[row, column] = max(panel.high[row, column], panel.close[row, column])
    panel.low[row, column] = min(panel.low[row, column], panel.close[row, column])
    return 1


def extreme(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """A high too high or a low too low by 6 % or five times the range, whichever is more, or both exchanged."""
    panel = panels[base]
    off = np.exp(max(0.06, 5 * width(panel, column, row)))
    kind = chance.integers(3)
    if kind == 0:
        panel.high[row, column] *= off
    elif kind == 1:
        panel.low[row, column] /= off
    else:
        high, low = panel.high[row, column], panel.low[row, column]
        panel.high[row, column], panel.low[row, column] = low, high
        return int(high != low)
    return 1


def column_order(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """Twelve candles read in another order: low-high-open-close, open-close-high-low, or open and close exchanged.

    The candles have to differ from their neighbours for that to be a fault: LEAST_BODY from open to close on average.
    """
    panel = panels[base]
    bodies = np.abs(np.log(panel.close[row : row + 12, column] / panel.open[row : row + 12, column]))
    if bodies.mean() < LEAST_BODY:
        return 0
    order = ("low", "high", "open", "close"), ("open", "close", "high", "low"), ("close", "high", "low", "open")
    values = {name: getattr(panel, name)[row : row + 12, column].copy() for name in PRICES}
    for name, taken in zip(PRICES, order[chance.integers(3)], strict=True):
        getattr(panel, name)[row : row + 12, column] = values[taken]
    return 12


def shifted(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """A day of candles under the open time of the next or the previous hour."""
    by = int(chance.choice([-1, 1]))
    for name in NAMES:
        values = getattr(panels[base], name)
        values[row : row + LONGEST, column] = values[row + by : row + LONGEST + by, column].copy()
    return LONGEST


def stale(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """Six times the close before without volume, or six times the candle before."""
    repeat = bool(chance.integers(2))
    for name in NAMES:
        values = getattr(panels[base], name)
        last = panels[base].close[row - 1, column] if name in PRICES and not repeat else values[row - 1, column]
        values[row : row + 6, column] = last if repeat or name in PRICES else 0.0
    return 6


def quote_units(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """Twelve base volumes in units of the quote."""
    panels[base].base_volume[row : row + 12, column] *= panels[base].close[row : row + 12, column]
    return 12


def scaled(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """Up to a day of prices with the decimal point elsewhere."""
    length = int(chance.choice([1, 6, LONGEST]))
    factor = float(chance.choice([0.01, 0.1, 10.0, 100.0]))
    for name in PRICES:
        getattr(panels[base], name)[row : row + length, column] *= factor
    return length


def wrong_symbol(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """Up to a day of another coin's candles."""
    length = int(chance.choice([1, 6, LONGEST]))
    for name in NAMES:
        getattr(panels[base], name)[row : row + length, column] = getattr(panels[1 - base], name)[row : row + length, 0]
    return length


def missing(panels: list[Panel], base: int, column: int, row: int, chance: Chance) -> int:
    """One to six candles that are not there."""
    length = int(chance.integers(1, 7))
    for name in NAMES:
        getattr(panels[base], name)[row : row + length, column] = np.nan
    return length


ANYWHERE: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (close_spike, extreme, column_order, shifted, stale, quote_units, scaled, wrong_symbol, missing)
}


def planted(panels: Sequence[Panel], clean: Sequence[Judged], seed: int) -> tuple[list[Panel], list[Point]]:
    """A copy with a fault every STRIDE rows, the classes in turn, in a market and at an hour drawn by the seed."""
    chance = np.random.default_rng(seed)
    faulty = copied(panels)
    present = [panel.present for panel in panels]
    points = []
    rows = range(2 * CONTEXT, len(present[0]) - STRIDE, STRIDE)
    for turn, start in enumerate(rows):
        row = start + int(chance.integers(STRIDE - LONGEST - 50))
        whole = slice(row - 30, row + LONGEST + 2)
        places = [
            (base, column)
            for base, there in enumerate(present)
            for column in np.flatnonzero(there[whole].all(axis=0)).tolist()
            if others(panels[base], there, column, whole)
        ]
        disturbed = any(
            row - 30 <= r < row + LONGEST + 2 and f.verdict == "outlier"
            for c in clean
            for (r, _), f in c.findings.items()
        )
        if not places or disturbed or not all(there[whole, 0].all() for there in present):
            continue
        base, column = places[int(chance.integers(len(places)))]
        name = list(ANYWHERE)[(turn + seed) % len(ANYWHERE)]
        length = ANYWHERE[name](faulty, base, column, row, chance)
        if length:
            points.append(Point(name, base, column, row, length))
    return faulty, points


def others(panel: Panel, there: np.ndarray[tuple[int, int], np.dtype[np.bool_]], column: int, rows: slice) -> set[str]:
    """Other venues that have all of the rows."""
    own = panel.instruments[column].venue
    whole = np.flatnonzero(there[rows].all(axis=0)).tolist()
    return {panel.instruments[k].venue for k in whole} - {own}


def new_alarms(clean: Judged, faulty: Judged, point: Point) -> list[Finding]:
    """Outliers and gaps around a point that the clean data do not have; a slip shows in the candle before."""
    rows = range(point.row - 1, point.row + point.length + 1)
    return [
        finding
        for key, finding in faulty.findings.items()
        if key[0] in rows and finding.verdict in {"outlier", "missing"} and _alarm(clean, key) != finding.verdict
    ]


def _alarm(judged: Judged, key: tuple[int, int]) -> str | None:
    finding = judged.findings.get(key)
    return finding.verdict if finding else None


def miss(clean: Sequence[Judged], faulty: Sequence[Judged], point: Point) -> str | None:
    """What is wrong with how a point was found, None for nothing.

    With two other venues the market has to be named, with one it has to be among the suspects; nobody else is named.
    """
    panel = clean[point.base].panel
    found = new_alarms(clean[point.base], faulty[point.base], point)
    rows = slice(point.row - 1, point.row + point.length + 1)
    can_be_named = point.fault == "missing" or len(others(panel, panel.present, point.column, rows)) > 1
    named = any(f.suspects == (point.column,) for f in found)
    suspected = any(point.column in f.suspects for f in found)
    if not (named if can_be_named else suspected):
        return f"not found: {point}, {found}"
    wrong = [f for f in found if point.column not in f.suspects]
    return f"others are named: {point}, {wrong}" if wrong else None


@pytest.mark.parametrize("seed", [1, 2])
def test_every_fault_is_found_and_named(recorded_panels: list[Panel], clean: list[Judged], seed: int) -> None:
    faulty, points = planted(recorded_panels, clean, seed)
    judged = judge(faulty)
    misses = [missed for point in points if (missed := miss(clean, judged, point))]
    counts = {name: sum(point.fault == name for point in points) for name in ANYWHERE}
    print(f"seed {seed}: {len(points)} faults, {len(misses)} missed; {counts}")
    assert misses == []
    assert min(counts.values()) >= 10


def of(panel: Panel, market: str) -> int:
    return [f"{i.venue} {i.symbol}" for i in panel.instruments].index(market)


# Hours in which a quote was off its peg [from, until), the market whose candles change, and where they are taken from.
DEPEGS = [
    (datetime(2022, 5, 12, 4, tzinfo=UTC), 9, "binance BTC/USDT", "kraken BTC/USD"),
    (datetime(2022, 5, 12, 4, tzinfo=UTC), 9, "binance BTC/USDC", "binance BTC/USDT"),
    (datetime(2022, 5, 12, 4, tzinfo=UTC), 9, "kraken BTC/USD", "binance BTC/USDT"),
    (datetime(2022, 11, 10, 9, tzinfo=UTC), 8, "binance BTC/USDT", "kraken BTC/USD"),
    (datetime(2023, 3, 11, 3, tzinfo=UTC), 48, "kraken BTC/USDT", "kraken BTC/USDC"),
    (datetime(2023, 3, 11, 3, tzinfo=UTC), 48, "kraken BTC/USDC", "kraken BTC/USDT"),
    (datetime(2023, 3, 12, 8, tzinfo=UTC), 20, "binance BTC/USDC", "binance BTC/USDT"),
    (datetime(2023, 3, 12, 8, tzinfo=UTC), 20, "binance BTC/USDT", "binance BTC/USDC"),
    (datetime(2023, 3, 12, 8, tzinfo=UTC), 20, "kraken BTC/USDC", "kraken BTC/USDT"),
]
OFF_PEG = 100e-4
UNFINISHED_OFF = 60e-4


def stretch(panels: Sequence[Panel], rows: slice) -> list[Panel]:
    """Some rows of the panels, without markets that have no candle there."""
    parts = []
    for panel in panels:
        kept = np.flatnonzero(panel.present[rows].any(axis=0))
        values = {name: getattr(panel, name)[rows][:, kept] for name in (*NAMES, "expected")}
        instruments = tuple(panel.instruments[k] for k in kept)
        parts.append(replace(panel, first=panel.first + rows.start, instruments=instruments, **values))
    return parts


def test_candles_in_a_wrong_quote_are_found(recorded_panels: list[Panel]) -> None:
    """USD stored as USDT and the like, for one, three or six hours, while the quotes are OFF_PEG apart at both ends."""
    misses, count = [], 0
    for start, hours, market, taken in DEPEGS:
        first = hour_of(start) - recorded_panels[0].first
        near = stretch(recorded_panels, slice(first - 2 * CONTEXT, first + hours + 12))
        before = judge(near)
        base = next(k for k, panel in enumerate(near) if panel.base == "BTC")
        column, other = of(near[base], market), of(near[base], taken)
        apart = np.abs(np.log(near[base].open[:, column] / near[base].open[:, other]))
        for row in range(2 * CONTEXT, 2 * CONTEXT + hours, 3):
            length = (1, 3, 6)[row // 3 % 3]
            if not min(apart[row], apart[row + length]) > OFF_PEG:
                continue
            faulty = copied(near)
            for name in PRICES:
                values = getattr(faulty[base], name)
                values[row : row + length, column] = values[row : row + length, other]
            count += 1
            if missed := miss(before, judge(faulty), Point("wrong_quote", base, column, row, length)):
                misses.append((market, str(start), missed))
    print(f"wrong quote: {count} faults, {len(misses)} missed")
    assert misses == []
    assert count > 40


def test_unfinished_candles_are_found_where_they_show(market_data_dir: Path, recorded_panels: list[Panel]) -> None:
    """Real candles cut after one, two or three quarters of their hour.

    Those whose close is off by UNFINISHED_OFF and 40 % of the range besides.

    Most unfinished candles are off by less than two venues may differ, and are not found.
    """
    quarters = pq.read_table(market_data_dir / "binance" / "klines_15m" / "BTCUSDT.parquet")
    q = {name: quarters.column(name).to_numpy() for name in ("open_time", *PRICES, "volume", "quote_volume")}
    place = {int(at) // 900_000: k for k, at in enumerate(q["open_time"])}
    first = hour_of(datetime(2023, 1, 3, tzinfo=UTC)) - recorded_panels[0].first
    near = stretch(recorded_panels, slice(first, len(recorded_panels[0].close)))
    base = next(k for k, panel in enumerate(near) if panel.base == "BTC")
    panel, column = near[base], of(near[base], "binance BTC/USDT")
    before, faulty = judge(near), copied(near)
    alarmed = {row for each in before for (row, _), f in each.findings.items() if f.verdict == "outlier"}
    chance = np.random.default_rng(7)
    points: list[Point] = []
    for row in range(2 * CONTEXT, len(panel.close) - 2):
        seen = [place.get((panel.first + row) * 4 + k) for k in range(int(chance.integers(1, 4)))]
        if None in seen or not panel.present[row : row + 2, column].all() or alarmed & set(range(row - 2, row + 3)):
            continue
        off = abs(float(np.log(q["close"][seen[-1]] / panel.close[row, column])))
        if off < UNFINISHED_OFF + 0.4 * width(panel, column, row) or (points and row - points[-1].row < 30):
            continue
        for name, value in (
            ("high", q["high"][seen].max()),
            ("low", q["low"][seen].min()),
            ("close", q["close"][seen[-1]]),
            ("base_volume", q["volume"][seen].sum()),
            ("quote_volume", q["quote_volume"][seen].sum()),
        ):
            getattr(faulty[base], name)[row, column] = value
        points.append(Point("unfinished", base, column, row, 1))
    judged = judge(faulty)
    misses = [missed for point in points if (missed := miss(before, judged, point))]
    print(f"unfinished: {len(points)} faults, {len(misses)} missed")
    assert misses == []
    assert len(points) > 50
