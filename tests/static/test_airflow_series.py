"""Series of Airflow's we rely on: in Airflow's own list, under these names by our mapping, so in a recorded stream."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from include.metrics.airflow_series import AIRFLOW_SERIES
from include.metrics.receiver.line import Kind
from include.metrics.receiver.mapping import Mapping, load_mapping
from include.metrics.receiver.server import Receiver

ROOT = Path(__file__).parents[2]
KINDS: dict[str, Kind] = {"counter": "counter", "gauge": "gauge", "timer": "observer"}
SHOWN_AS = {"counter": "counter", "gauge": "gauge", "timer": "histogram"}
FAMILY = re.compile(r"# TYPE (airflow_\w+) (\w+)")
SAMPLE = re.compile(r"(airflow_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+")


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load_mapping(ROOT / "deploy/statsd/mapping.yml")


@pytest.fixture(scope="module")
def template() -> dict[str, str]:
    """Types by name, of Airflow's own list."""
    package = find_spec("airflow")
    assert package
    assert package.submodule_search_locations
    file = Path(next(iter(package.submodule_search_locations))) / "_shared/observability/metrics/metrics_template.yaml"
    return {metric["name"]: metric["type"] for metric in yaml.safe_load(file.read_text())["metrics"]}


@pytest.mark.parametrize("series", AIRFLOW_SERIES.values(), ids=lambda series: series.name)
def test_airflow_has_it_and_the_mapping_names_it_so(series, mapping: Mapping, template: dict[str, str]) -> None:
    assert template[series.airflow_name] == series.type
    target = mapping.resolve(KINDS[series.type], f"airflow.{series.airflow_name}")
    assert target.name == series.name
    assert target.action != "drop"


def test_alerts_read_no_other(series_of: Callable[[str], set[str]]) -> None:
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    read = {name for group in groups for rule in group["rules"] for name in series_of(rule["expr"])}
    ofs = {re.sub(r"_(bucket|sum|count)$", "", name) for name in read if name.startswith("airflow_")}
    assert ofs
    assert ofs <= AIRFLOW_SERIES.keys()


def test_a_recorded_stream_shows_them_with_these_types_and_labels(mapping: Mapping, market_data_dir: Path) -> None:
    receiver = Receiver(mapping, host="127.0.0.1", statsd_port=0, http_port=0, max_series=10_000, monotonic=lambda: 0.0)
    with receiver, gzip.open(market_data_dir / "airflow_statsd/airflow332_influx_tags.udp.gz", "rb") as packets:
        for line in packets:
            receiver.feed(line.rstrip(b"\n").split(b"\t", 1)[1])
        page = receiver.page()
    types = dict(FAMILY.findall(page))
    assert {name: SHOWN_AS[series.type] for name, series in AIRFLOW_SERIES.items()} == {
        name: types.get(name) for name in AIRFLOW_SERIES
    }
    labels: dict[str, set[tuple[str, ...]]] = {}
    for line in page.splitlines():
        if found := SAMPLE.fullmatch(line):
            names = re.findall(r'(\w+)="', found[2] or "")
            labels.setdefault(found[1], set()).add(tuple(sorted(set(names) - {"le"})))
    assert {name: {tuple(sorted(series.labels))} for name, series in AIRFLOW_SERIES.items()} == {
        name: labels[name] for name in AIRFLOW_SERIES
    }
