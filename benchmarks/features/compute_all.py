"""Our features of everything that is pending, in a process of its own. Prints what it took as JSON.

`python -m benchmarks.features.compute_all --dsn DSN`; parsing, loading of modules and memory are its own alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from benchmarks.features.sides import KNOWN
from include.features.upsert import upsert_features
from include.warehouse.connection import connect


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    asked = parser.parse_args()
    with connect(asked.dsn) as connection:
        before = _peak_mb()
        began = time.perf_counter()
        run = upsert_features(connection, KNOWN)
        seconds = time.perf_counter() - began
    told = {"rows": run.rows_new + run.rows_changed + run.rows_unchanged, "seconds": seconds, "idle_mb": before}
    print(json.dumps({**told, "rss_mb": _peak_mb()}))


def _peak_mb() -> float:
    """Most memory this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
