"""What a training and the hour's forecasts cost: time, memory, and whether they come out the same twice.

`python -m benchmarks.bench_training [--rows 70000] [--hours 5] [--quick]`. A PostgreSQL cluster and an MLflow store of
its own; drawn hours of three markets with their features. Trainings run as the DAG runs them: a process per kind of
forecast, one after the other, all markets in each. No model is promoted on random walks, so each is made champion by
hand, and every forecast is a model's. Ends with status 1 where a figure is missed; --quick runs everything on little
and judges no figure.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.features.sides import histories
from benchmarks.features.unjudged import Unjudged
from benchmarks.ingest.database import warehouse
from benchmarks.ingest.run import ROOT, Figures
from benchmarks.training.world import World, registry
from include.forecasting.kinds import KIND_KEYS
from include.forecasting.registry import ModelVersion
from include.warehouse.connection import connect

MARKETS = 3
NOTED = ("seconds", "processor_seconds", "import_seconds", "rss_mb")
MOST_SECONDS, MOST_MB, MOST_FORECAST_SECONDS = 300, 3072, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=70_000, help="hours of each of the three markets")
    parser.add_argument("--hours", type=int, default=5, help="how many hours are forecast")
    parser.add_argument("--quick", action="store_true", help="little of everything, judging no figure")
    asked = parser.parse_args()
    if asked.quick:
        asked.rows, asked.hours = 6000, 1
    figures = Unjudged() if asked.quick else Figures()
    with tempfile.TemporaryDirectory(prefix="bench-training-") as scratch, warehouse(Path(scratch)) as dsns:
        world = World(dsns, histories(MARKETS, asked.rows, asked.hours), asked.rows)
        began = time.perf_counter()
        world.fill()
        print(f"{MARKETS} markets of {asked.rows} hours with features, {time.perf_counter() - began:.0f} s", flush=True)
        first, again = Path(scratch) / "first", Path(scratch) / "again"
        first.mkdir()
        again.mkdir()
        hashes = train(figures, world, first)
        repeat(figures, world, again, hashes)
        crown(world, first)
        forecast(figures, world, first, asked.hours)
    sys.exit(f"missed: {'; '.join(figures.missed)}" if figures.missed else 0)


def train(figures: Figures, world: World, store: Path) -> dict[str, list[str]]:
    """Every kind of every market; digests of the models by kind, in the order of the markets."""
    print("trainings: a process per kind, one after the other", flush=True)
    hashes = {}
    began = time.perf_counter()
    for kind in KIND_KEYS:
        told = run("train_kind", world, store, "--kind", kind)
        figures.note(f"train {kind}", rows=told["rows"], **{name: told[name] for name in NOTED})
        for decision in told["decisions"]:
            print(f"        {decision}", flush=True)
        hashes[kind] = told["hashes"]
    whole = time.perf_counter() - began
    models = MARKETS * len(KIND_KEYS)
    busy = sum(figures.values[f"train {kind}"]["processor_seconds"][0] for kind in KIND_KEYS)
    print(f"        by processor time of these processes: {busy:,.0f} s", flush=True)
    figures.demand(f"{models} trainings on {world.rows} rows each, imports too, s", whole, most=MOST_SECONDS)
    figures.demand("memory of the largest training process, MB", figures.greatest("rss_mb"), most=MOST_MB)
    return hashes


def repeat(figures: Figures, world: World, store: Path, hashes: dict[str, list[str]]) -> None:
    """The first market once more, by other processes and into another store."""
    equal = 0
    for kind in KIND_KEYS:
        told = run("train_kind", world, store, "--kind", kind, "--markets", "1")
        is_equal = told["hashes"] == hashes[kind][:1]
        equal += is_equal
        if not is_equal:
            print(f"        {kind}: {told['hashes']}, not {hashes[kind][:1]}", flush=True)
    figures.demand(f"models of {len(KIND_KEYS)} with the same digest when trained again", equal, least=len(KIND_KEYS))


def crown(world: World, store: Path) -> None:
    """Make every model that was trained into this store a champion."""
    models = registry(store)
    with connect(world.dsns.reader) as connection:
        rows = connection.execute(
            "select distinct on (registered_model) registered_model, model_version, mlflow_run_id"
            " from ml.training_run order by registered_model, training_run_id"
        ).fetchall()
    for row in rows:
        models.promote(ModelVersion(*row))


def forecast(figures: Figures, world: World, store: Path, hours: int) -> None:
    """Each new hour's forecasts, first as a rehearsal, then sealed."""
    print(f"forecasts: {MARKETS} markets, 1 and 24 hours ahead, volatility; champions from the registry", flush=True)
    equal = 0
    for _ in range(hours):
        now = world.add_hour().isoformat()
        rehearsed = run("forecast_hour", world, store, "--now", now, "--rehearse")
        told = run("forecast_hour", world, store, "--now", now)
        figures.note("forecast", **{name: told[name] for name in NOTED})
        equal += rehearsed["forecasts"] == told["forecasts"]
    took = statistics.median(figures.values["forecast"]["seconds"])
    busy = statistics.median(figures.values["forecast"]["processor_seconds"])
    print(f"        by processor time of that process: {busy:,.2f} s", flush=True)
    figures.demand("the hour's forecasts, without imports, s", took, most=MOST_FORECAST_SECONDS)
    figures.demand("hours whose forecasts came out the same twice", equal, least=hours)


def run(module: str, world: World, store: Path, *arguments: str) -> dict[str, Any]:
    """What a process told in its last line."""
    command = [sys.executable, "-m", f"benchmarks.training.{module}"]
    command += ["--dsn", world.dsns.writer, "--registry", str(store), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{module} failed: {' '.join(arguments)}\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
