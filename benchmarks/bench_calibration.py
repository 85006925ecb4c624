"""Do intervals keep their promise, and are they narrower than history's quantiles?

`python -m benchmarks.bench_calibration [--data DIR] [--markets BTCUSDT …] [--seeds 3] [--only recorded|simulated]
[--ends 2025-01-01] [--years 4] [--quick]`: on recorded hours of 2021-01 to 2025-01, unless told otherwise, every
market, kind of forecast and forecaster (what serves without a model, EWMA, each recipe, walked forward); on simulated
worlds (GARCH with t innovations, jumps, regime switches) as many years per seed. Promised: 80 % and 95 % coverage
within 2 points overall and within 5 points in the worst calendar quarter. Ends with status 1 where that is missed, or
intervals are on average not narrower on recorded data.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.calibration import BAR, Kept, kept
from include.forecasting.baselines.listing import baseline, served_baseline
from include.forecasting.forecaster import Forecaster
from include.forecasting.recipes.listing import recipes
from include.forecasting.recorded import recorded_rows
from include.forecasting.rows import ForecastRows
from include.forecasting.targets import FORECASTS, ForecastKind, Target
from include.forecasting.walkforward import folds, walk_forward
from include.forecasting.worlds import PROCESSES, simulated

MARKETS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
# Walk-forward forecasts begin a year after the first row given, and intervals want some months of truths.
YEARS_BEFORE = 2
YEAR_HOURS = 8_766
HOUR, YEAR = np.timedelta64(1, "h"), np.timedelta64(YEAR_HOURS, "h")
HEADER = (
    f"{'':36} {'level':>5} {'n':>7} {'coverage':>8} {'worst quarter':>13} {'width':>8} {'/ history':>9} "
    f"{'score / history':>15} {'history: coverage':>17} {'worst quarter':>13}"
)


class Table:
    """Lines printed as they come, and what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self.relative_widths: list[float] = []

    def add(self, label: str, figures: Iterable[Kept]) -> None:
        """One line per level."""
        for one in figures:
            self.relative_widths.append(one.relative_width)
            print(
                f"{label:36} {one.share:5.0%} {one.count:7d} {one.coverage:8.3f} {one.worst_quarter:13.3f} "
                f"{one.width:8.4f} {one.relative_width:9.3f} {one.relative_score:15.3f} "
                f"{one.historical_coverage:17.3f} {one.historical_worst_quarter:13.3f}"
                + "  MISSED"
                * (not one.is_kept),
                flush=True,
            )
            if not one.is_kept:
                self.missed.append(f"{label} {one.share:.0%}")


def forecasters(kind: ForecastKind, *, quick: bool) -> list[Forecaster]:
    """What is judged of a kind: what is served without a model, EWMA, and every recipe."""
    served = [served_baseline(kind.target)]
    if quick:
        return [*served]
    ewma = [baseline(kind.target, "ewma")] if kind.target is Target.VOLATILITY else []
    return [*served, *ewma, *recipes(kind.target)]


def forward(forecaster: Forecaster, rows: ForecastRows, years: int) -> list[Kept]:
    """Of the last `years` of the rows."""
    predicted = walk_forward(forecaster, rows, folds(rows.as_of, rows.horizon_bars, BAR))
    return kept(rows, predicted, rows.as_of[-1] - years * YEAR, rows.as_of[-1] + HOUR)


def recorded(table: Table, asked: argparse.Namespace) -> None:
    """Every market, kind and forecaster on recorded data."""
    print(HEADER)
    since = asked.ends - (asked.years + YEARS_BEFORE) * YEAR
    for market in asked.markets:
        for kind in FORECASTS:
            rows = recorded_rows(asked.data, market, kind)
            rows = rows.part((rows.as_of >= since) & (rows.as_of < asked.ends))
            for forecaster in forecasters(kind, quick=asked.quick):
                table.add(f"{market} {_short(kind)} {forecaster.name}", forward(forecaster, rows, asked.years))


def worlds(table: Table, seeds: int, years: int) -> None:
    """Every process, kind and seed, with what is served without a model."""
    print(HEADER)
    for process in PROCESSES:
        for kind in FORECASTS:
            for seed in range(seeds):
                rows = simulated(process, seed, (years + YEARS_BEFORE) * YEAR_HOURS, kind)
                table.add(f"{process} {_short(kind)} seed {seed}", forward(served_baseline(kind.target), rows, years))


def _short(kind: ForecastKind) -> str:
    return f"{kind.target} +{kind.horizon_bars}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MARKET_DATA_DIR"), help="or MARKET_DATA_DIR")
    parser.add_argument("--markets", nargs="+", default=MARKETS)
    parser.add_argument("--ends", type=np.datetime64, default=np.datetime64("2025-01-01"), help="of recorded hours")
    parser.add_argument("--years", type=int, default=4, help="that are judged")
    parser.add_argument("--seeds", type=int, default=3, help="simulated worlds of each process and kind")
    parser.add_argument("--only", choices=("recorded", "simulated"))
    parser.add_argument("--quick", action="store_true", help="without recipes, and one seed")
    asked = parser.parse_args()
    began, missed = time.perf_counter(), []
    if asked.only != "simulated" and asked.data is None:
        print("recorded: left out, as no folder is named (--data DIR or MARKET_DATA_DIR=DIR)")
    elif asked.only != "simulated":
        table = Table()
        recorded(table, asked)
        mean = float(np.mean(table.relative_widths))
        print(f"recorded: mean width over history's quantiles {mean:.3f}")
        missed += table.missed + ["narrower than history's quantiles on average"] * (mean >= 1)
    if asked.only != "recorded":
        table = Table()
        worlds(table, 1 if asked.quick else asked.seeds, asked.years)
        print(f"simulated: mean width over history's quantiles {float(np.mean(table.relative_widths)):.3f}")
        missed += table.missed
    print(f"{time.perf_counter() - began:.0f} s")
    sys.exit(f"missed: {'; '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
