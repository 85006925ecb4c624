"""How long Airflow takes to parse each DAG file, against a DAG file with only the Airflow imports that it uses.

`python benchmarks/bench_dag_parse.py [ROUNDS]`. Each parse runs in a fresh interpreter, subject and baseline in turn:
`cold` is the whole interpreter with Airflow's imports in it, as a task process or a person's command pays it; `warm`
starts the watch after Airflow itself has been imported, as in the DAG processor, which forks.
"""

from __future__ import annotations

import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROBE = """
import sys, time
began = time.perf_counter()
import airflow.sdk, airflow.dag_processing.dagbag
from airflow.sdk import DAG, task, BaseOperator, Asset, Param
from airflow.providers.standard.operators.empty import EmptyOperator
imported = time.perf_counter()
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1], load_op_links=False)
ended = time.perf_counter()
assert len(bag.dags) == 1 and not bag.import_errors, bag.import_errors
print(ended - began, ended - imported)
"""


def baseline(dag_file: Path) -> str:
    """A DAG file that imports from Airflow what `dag_file` imports, and holds one empty DAG."""
    imports = [
        ast.unparse(node)
        for node in ast.parse(dag_file.read_text()).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "airflow"
    ]
    return "\n".join([*imports, "from airflow.sdk import DAG", f"dag = DAG('{dag_file.stem}_baseline', schedule=None)"])


def parse(path: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds (cold, warm) of one parse in a fresh interpreter."""
    command = [sys.executable, "-W", "ignore", "-c", PROBE, str(path)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    cold, warm = printed.split()[-2:]
    return float(cold), float(warm)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            "AIRFLOW_HOME": scratch,
            "AIRFLOW__CORE__DAGS_FOLDER": scratch,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        }
        print(f"{'DAG file':26}{'cold s':>9}{'baseline':>10}{'ratio':>7}{'warm ms':>10}{'baseline':>10}{'ratio':>7}")
        results = {}
        for dag_file in sorted((ROOT / "dags").glob("*.py")):
            reference = Path(scratch) / f"{dag_file.stem}_baseline.py"
            reference.write_text(baseline(dag_file))
            pairs = [(parse(dag_file, environment), parse(reference, environment)) for _ in range(rounds)]
            subject, bare = ([statistics.median(p[i][j] for p in pairs) for j in (0, 1)] for i in (0, 1))
            cold, warm = subject[0] / bare[0], subject[1] / bare[1]
            worst = max(worst, cold)
            results[dag_file.stem] = {"cold_ratio": round(cold, 2), "warm_ratio": round(warm, 2)}
            print(
                f"{dag_file.stem:26}{subject[0]:9.2f}{bare[0]:10.2f}{cold:7.2f}"
                f"{subject[1] * 1000:10.1f}{bare[1] * 1000:10.1f}{warm:7.2f}",
                flush=True,
            )
    print(f"worst cold ratio: {worst:.2f}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
