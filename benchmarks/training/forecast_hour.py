"""The hour's forecasts of every market, in a process of its own. Prints what it took as JSON.

`python -m benchmarks.training.forecast_hour --dsn DSN --registry FOLDER --now TIME [--rehearse]`; a rehearsal seals
nothing. `forecasts` is a digest of every value that was forecast, without what the database adds when it seals.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
import time
from datetime import datetime
from importlib import import_module
from pathlib import Path

BEGAN = time.perf_counter()  # before anything heavy is loaded

from benchmarks.training.world import markets, registry  # noqa: E402
from include.forecasting.recipes.listing import recipes  # noqa: E402
from include.forecasting.registry import ModelRegistry  # noqa: E402
from include.forecasting.serving import make_forecasts  # noqa: E402
from include.forecasting.targets import Target  # noqa: E402
from include.warehouse.connection import Connection, connect  # noqa: E402

VALUES = """
select (to_jsonb(f) - array['forecast_id', 'sealed_at', 'chain_position', 'previous_sha256', 'row_sha256'])::text
from ml.forecast as f
where f.made_at = %s
order by f.instrument_id, f.horizon_bars
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--registry", type=Path, required=True)
    parser.add_argument("--now", type=datetime.fromisoformat, required=True)
    parser.add_argument("--markets", type=int, default=3)
    parser.add_argument("--rehearse", action="store_true")
    asked = parser.parse_args()
    # What serving loads when it first needs it: here, so that it does not count as work.
    for name in ("mlflow.sklearn", "mlflow.models", "skops.io"):
        import_module(name)
    for target in Target:
        for recipe in recipes(target):
            recipe.make()
    # MLflow's server has its database open; here it is opened, and its schema looked through, by this process.
    models = registry(asked.registry)
    models.champion("nobody")
    loaded = time.perf_counter()
    busy = time.process_time()
    with connect(asked.dsn) as connection:
        if asked.rehearse:
            with connection.transaction(force_rollback=True):
                digest = forecast(connection, models, asked)
        else:
            digest = forecast(connection, models, asked)
        seconds, busy = time.perf_counter() - loaded, time.process_time() - busy
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": seconds, "processor_seconds": busy, "import_seconds": loaded - BEGAN, "rss_mb": rss}
    print(json.dumps({**told, "forecasts": digest}))


def forecast(connection: Connection, models: ModelRegistry, asked: argparse.Namespace) -> str:
    """Make the forecasts; a digest of what they say."""
    run = make_forecasts(connection, models, asked.now, markets=markets(asked.markets))
    said = [text for (text,) in connection.execute(VALUES, (asked.now,))]
    if run.refused or run.written != 2 * asked.markets or len(said) != run.written:
        sys.exit(f"{2 * asked.markets} forecasts were expected, not {run}")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


if __name__ == "__main__":
    main()
