"""Does the judgement cry wolf, and does it see one? Simulated worlds through all of it, with the real models.

`python -m benchmarks.canary [--worlds 200] [--rows 5000]`: martingales one hour and a day ahead, of which at most 5 %
may promote a model; worlds with a planted R² of 1 %, and from how many rows on at least 90 % of them promote one; and
challengers identical to the champion, which are never promoted. Models of volatility are set beside the true one in a
world of jumps. Ends with status 1 where a demand is missed; takes some minutes. A day ahead three years of hours are
too few for so little skill, which `--only planted --horizon 24 --sizes 26280` shows.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np

from benchmarks.ingest.run import Figures
from include.config.markets import FORECAST_HORIZONS
from include.forecasting.baselines.listing import baselines
from include.forecasting.judging import Champion, judge
from include.forecasting.promotion import SIGNIFICANCE
from include.forecasting.recipe import FittedModel, Recipe
from include.forecasting.recipes.listing import recipes
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import VOLATILITY_HORIZON, ForecastKind, Target
from include.forecasting.times import to_datetime
from include.forecasting.worlds import HOURLY_DEVIATION, martingale, planted_skill, simulated

BAR = timedelta(hours=1)
R_SQUARED = 0.01
MOST_FALSE, FEWEST_TRUE = 0.05, 0.90
MARTINGALE_ROWS = 5_000
# Rows from which on planted skill is found; what came out of SIZES, and is demanded.
STATED_ROWS = 14_000
SIZES = (8_000, 11_000, STATED_ROWS)
PARTS = ("martingale", "planted", "volatility", "identical")
# Worlds of the kinds never share a seed.
PLANTED_SEEDS, TWIN_SEEDS = 10_000, 20_000


@dataclass(frozen=True, slots=True)
class World:
    """One simulated market; r_squared 0 is a martingale."""

    seed: int
    rows: int
    horizon_bars: int = 1
    r_squared: float = 0.0

    def simulate(self) -> ForecastRows:
        """Its rows."""
        if self.r_squared:
            return planted_skill(self.seed, self.rows, self.r_squared, self.horizon_bars)
        return martingale(self.seed, self.rows, self.horizon_bars)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judgement said of one world; its best recipe's figures. p_value: before correction for tries."""

    is_promoted: bool
    skill: float
    is_skill_sure: bool
    p_value: float
    direction: float


@dataclass(frozen=True)
class Twin:
    """A recipe that always comes to the model it is given, whatever it is fitted on."""

    recipe: Recipe
    model: FittedModel

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def target(self) -> Target:
        return self.recipe.target

    def fit(self, past: ForecastRows) -> FittedModel:
        return self.model

    def sha256(self) -> str:
        return "twin of " + self.model.sha256()


def verdict(world: World) -> Verdict:
    """Judge a world that has no champion."""
    rows = world.simulate()
    found = judge(rows, recipes(rows.target), baselines(rows.target), None, 0, BAR)
    named = found.evaluation.overall.direction
    return Verdict(
        is_promoted=found.decision.verdict == "promoted",
        skill=found.challenger.skill.value,
        is_skill_sure=found.challenger.skill.lower > 0,
        p_value=found.challenger.over_baseline.p_value,
        direction=named.accuracy if named else math.nan,
    )


@dataclass(frozen=True)
class Truth:
    """The expected volatility of any day of a jump-diffusion: it has no memory, and nothing can be better."""

    horizon_bars: int
    name: str = "truth"
    target: Target = Target.VOLATILITY

    def fit(self, past: ForecastRows) -> Truth:
        return self

    def predict(self, rows: ForecastRows) -> FloatArray:
        return np.full(len(rows), HOURLY_DEVIATION * math.sqrt(self.horizon_bars))


def beats_truth(world: World) -> bool:
    """Whether a model of volatility is promoted over the truth."""
    kind = ForecastKind(Target.VOLATILITY, world.horizon_bars)
    rows = simulated("jumps", world.seed, world.rows, kind)
    found = judge(rows, recipes(kind.target), [Truth(kind.horizon_bars)], None, 0, BAR)
    return found.decision.verdict == "promoted"


def same_again(world: World) -> bool:
    """Whether a champion is replaced by its own recipe on its own rows."""
    rows = world.simulate()
    first = judge(rows, recipes(rows.target), baselines(rows.target), None, 0, BAR)
    model = first.recipe.fit(first.rows)
    champion = Champion("1", model, _known_at(first.rows), first.recipe.sha256(), first.dataset_sha256)
    again = judge(rows, recipes(rows.target), baselines(rows.target), champion, 0, BAR)
    return again.decision.verdict == "promoted"


def twin(world: World) -> bool:
    """Whether a champion is replaced by a challenger that forecasts the same, on rows after its training."""
    rows = world.simulate()
    past = rows.part(slice(0, world.rows // 2))
    recipe = recipes(rows.target)[0]
    model = recipe.fit(past.matured())
    champion = Champion("1", model, _known_at(past), recipe.sha256(), past.matured().sha256())
    found = judge(rows, [Twin(recipe, model)], baselines(rows.target), champion, 0, BAR)
    return found.decision.verdict == "promoted"


def _known_at(rows: ForecastRows) -> datetime:
    return to_datetime(rows.as_of[-1]) + rows.horizon_bars * BAR


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of independent worlds' figures and its 95 % interval."""
    mean = statistics.fmean(values)
    margin = NormalDist().inv_cdf(0.975) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - margin, mean + margin


def share(flags: Sequence[bool]) -> float:
    """Share that holds."""
    return sum(flags) / len(flags)


def martingales(pool: Executor, figures: Figures, worlds: int, rows: int, horizon_bars: int) -> None:
    """Nothing can be forecast: nothing may be found."""
    found = list(pool.map(verdict, [World(seed, rows, horizon_bars) for seed in range(worlds)]))
    step = f"martingale +{horizon_bars}"
    skill, lower, upper = interval([each.skill for each in found])
    figures.note(step, worlds=worlds, rows=rows, promoted=sum(each.is_promoted for each in found))
    figures.note(step, mean_skill=skill, skill_lower=lower, skill_upper=upper)
    figures.note(step, skill_surely_above_0=share([each.is_skill_sure for each in found]))
    figures.note(step, p_below_5_percent=share([each.p_value < SIGNIFICANCE for each in found]))
    right, least, most = interval([each.direction for each in found if not math.isnan(each.direction)])
    figures.note(step, direction=right, direction_lower=least, direction_upper=most)
    figures.demand(f"{step}: share promoted", share([each.is_promoted for each in found]), most=MOST_FALSE)
    figures.demand(f"{step}: lower bound of the mean skill", lower, most=0.0)
    figures.demand(f"{step}: lower bound of the direction's accuracy", least, most=0.5)


def planted(pool: Executor, figures: Figures, worlds: int, sizes: Sequence[int], horizon_bars: int) -> None:
    """A little can be forecast: an hour ahead, with enough rows, it is found."""
    step = f"planted R2 {R_SQUARED:.0%} +{horizon_bars}"
    for rows in sizes:
        cases = [World(PLANTED_SEEDS + seed, rows, horizon_bars, R_SQUARED) for seed in range(worlds)]
        found = list(pool.map(verdict, cases))
        promoted = share([each.is_promoted for each in found])
        skill, lower, upper = interval([each.skill for each in found])
        figures.note(step, worlds=worlds, rows=rows, promoted=promoted)
        figures.note(step, mean_skill=skill, skill_lower=lower, skill_upper=upper)
        if rows >= STATED_ROWS and horizon_bars == 1:
            figures.demand(f"{step}: share promoted on {rows} rows", promoted, least=FEWEST_TRUE)


def volatility(pool: Executor, figures: Figures, worlds: int, rows: int) -> None:
    """What is known already is not forecast better; storms that are rare make it look so."""
    found = list(pool.map(beats_truth, [World(seed, rows, VOLATILITY_HORIZON) for seed in range(worlds)]))
    figures.note("volatility", worlds=worlds, rows=rows, promoted=sum(found))
    figures.demand("volatility: share promoted over the true one", share(found), most=MOST_FALSE)


def identical(pool: Executor, figures: Figures, worlds: int, rows: int) -> None:
    """A challenger that is the champion is no news."""
    for name, judged in (("the same recipe and rows", same_again), ("the same forecasts", twin)):
        cases = [World(TWIN_SEEDS + seed, rows, r_squared=R_SQUARED * (seed % 2)) for seed in range(worlds)]
        promoted = sum(pool.map(judged, cases))
        figures.demand(f"identical challenger ({name}), {worlds} worlds: promoted", promoted, most=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=200, help="martingales of each horizon")
    parser.add_argument("--planted", type=int, default=40, help="worlds of each other kind")
    parser.add_argument("--rows", type=int, default=MARTINGALE_ROWS, help="hours of each martingale")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="hours of the worlds with skill")
    parser.add_argument("--horizon", type=int, default=1, help="of planted skill, in hours")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    asked = parser.parse_args()
    figures, began = Figures(), time.perf_counter()
    parts = [asked.only] if asked.only else PARTS
    with ProcessPoolExecutor(asked.processes) as pool:
        if "martingale" in parts:
            for horizon_bars in FORECAST_HORIZONS:
                martingales(pool, figures, asked.worlds, asked.rows, horizon_bars)
        if "planted" in parts:
            planted(pool, figures, asked.planted, asked.sizes, asked.horizon)
        if "volatility" in parts:
            volatility(pool, figures, asked.planted, asked.rows)
        if "identical" in parts:
            identical(pool, figures, asked.planted, asked.rows)
    figures.note("canary", seconds=time.perf_counter() - began)
    sys.exit(f"missed: {'; '.join(figures.missed)}" if figures.missed else 0)


if __name__ == "__main__":
    main()
