"""What the checks of deployment files share."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.metrics.receiver.mapping import Mapping, load_mapping
from include.metrics.registry import REGISTRY

ROOT = Path(__file__).parents[2]
SUFFIXES_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
# Of Prometheus itself and of node_exporter.
OF_OTHERS = {"up", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"}


@pytest.fixture
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of the virtual environment, or of the system; skipped, saying so, where it is not installed."""

    def run(name: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        beside = Path(sys.executable).parent / name
        program = str(beside) if beside.exists() else shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed")
        command = [program, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)

    return run


def airflow_series(mapping: Mapping) -> dict[str, str]:
    """Every series name Airflow's own list of metrics can become through the mapping, with its Prometheus type."""
    package = find_spec("airflow")
    assert package
    assert package.submodule_search_locations
    folder = Path(next(iter(package.submodule_search_locations)))
    declared = yaml.safe_load((folder / "_shared/observability/metrics/metrics_template.yaml").read_text())["metrics"]
    types = {"counter": "counter", "gauge": "gauge", "timer": "observer"}
    series = {}
    for metric in declared:
        name = "airflow." + re.sub(r"\{\w+\}", "x", metric["name"])
        target = mapping.resolve(types[metric["type"]], name)
        series[target.name] = metric["type"]
    return series


@pytest.fixture(scope="session")
def known_series() -> set[str]:
    """Names a query may use: ours, Airflow's, and those Prometheus makes itself."""
    mapping = load_mapping(ROOT / "deploy/statsd/mapping.yml")
    types = airflow_series(mapping) | {metric.prometheus_name: metric.type for metric in REGISTRY.values()}
    histograms = {
        name + suffix for name, kind in types.items() if kind == "timer" for suffix in SUFFIXES_OF_A_HISTOGRAM
    }
    return {name for name, kind in types.items() if kind != "timer"} | histograms | OF_OTHERS


def series_in(expression: str) -> set[str]:
    """Names of series a PromQL expression reads: identifiers that are neither functions nor within braces or labels."""
    bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\[[^\]]*\]", " ", expression)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    words = re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\w*\s*\()", bare)
    return set(words) - {"or", "and", "unless", "offset", "bool", "sum", "max", "min", "avg", "count"}


@pytest.fixture(scope="session")
def series_of() -> Callable[[str], set[str]]:
    return series_in
