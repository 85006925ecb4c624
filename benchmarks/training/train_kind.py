"""One training task: a kind of forecast of every market, in a process of its own. Prints what it took as JSON.

`python -m benchmarks.training.train_kind --dsn DSN --registry FOLDER --kind log_return/24 [--markets 3]`.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

BEGAN = time.perf_counter()  # before anything heavy is loaded

from benchmarks.features.sides import KNOWN  # noqa: E402
from benchmarks.training.world import markets, registry  # noqa: E402
from include.forecasting.kinds import kind_by_key  # noqa: E402
from include.forecasting.training import train_market  # noqa: E402
from include.warehouse.connection import connect  # noqa: E402

HASHES = "select model_sha256 from ml.training_run where mlflow_run_id = any(%s) order by instrument_id"
RUNS = "select mlflow_run_id from ml.training_run"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--registry", type=Path, required=True)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--markets", type=int, default=3)
    asked = parser.parse_args()
    loaded = time.perf_counter()
    kind, models = kind_by_key(asked.kind), registry(asked.registry)
    with connect(asked.dsn) as connection:
        before = {run for (run,) in connection.execute(RUNS)}
        outcomes = [train_market(connection, models, each, "1h", kind, KNOWN) for each in markets(asked.markets)]
        runs = [run for (run,) in connection.execute(RUNS) if run not in before]
        hashes = [digest for (digest,) in connection.execute(HASHES, (runs,))]
    print(
        json.dumps(
            {
                "rows": sum(outcome.training_rows + outcome.test_rows for outcome in outcomes),
                "seconds": time.perf_counter() - loaded,
                "import_seconds": loaded - BEGAN,
                "processor_seconds": time.process_time(),
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "hashes": hashes,
                "decisions": [f"{outcome.verdict}, {outcome.recipe}: {outcome.reason}" for outcome in outcomes],
            }
        )
    )


if __name__ == "__main__":
    main()
