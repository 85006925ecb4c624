"""The real sql_exporter, scraped as Prometheus is told to: the same series and values as on the receiver's page."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from include.metrics.collector import FactsCollector
from include.metrics.fact_queries import COLLECTED, FAILED_QUERIES, QUERIES, UP
from include.metrics.sql_exporter import TARGET, configuration, text
from tests.conftest import free_port
from tests.integration.facts_world import EXPECTED, Databases, samples

ROOT = Path(__file__).parents[2]
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def test_the_committed_file_is_what_the_code_says() -> None:
    assert TARGET.read_text() == text(), "run python -m include.metrics.sql_exporter"
    assert yaml.safe_load(TARGET.read_text()) == configuration()


@pytest.fixture
def exporter(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """Address of a sql_exporter at work on the test's databases."""
    program = shutil.which("prometheus-sql-exporter") or shutil.which("sql_exporter")
    if program is None:
        pytest.skip("sql_exporter is not installed (Debian: prometheus-sql-exporter)")
    given = {name: conninfo_to_dict(getattr(databases, name)) for name in ("warehouse", "airflow")}
    config = TARGET.read_text()
    for name, parts in given.items():
        config = config.replace(f"postgres:///{name}?", f"postgres:///{parts['dbname']}?")
    (tmp_path / "config.yml").write_text(config)
    where = given["warehouse"]
    environment = {
        "PGHOST": where["host"],
        "PGPORT": where["port"],
        "PGUSER": where["user"],
        "PGPASSWORD": where["password"],
        "PGSSLMODE": "disable",
    }
    address = f"127.0.0.1:{free_port()}"
    command = [program, f"-config.file={tmp_path / 'config.yml'}", f"-web.listen-address={address}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env={name: str(value) for name, value in environment.items()}, stdout=log, stderr=log
        )
    yield f"http://{address}/metrics"
    process.kill()
    process.wait()


def scraped(address: str) -> str:
    """The page, once both databases have been asked."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                page = str(response.read().decode())
        except OSError:
            page = ""
        if page.count('col="facts_collected_timestamp_seconds"') == 2:
            return page
        assert time.monotonic() < deadline, page
        time.sleep(0.2)


def relabelled(labels: dict[str, str], rules: list[dict[str, Any]]) -> dict[str, str] | None:
    """What Prometheus makes of a sample's labels; None where it drops it."""
    for rule in rules:
        pattern = re.compile(rule.get("regex", "(.*)"))
        value = ";".join(labels.get(name, "") for name in rule.get("source_labels", ()))
        match rule.get("action", "replace"):
            case "keep":
                if not pattern.fullmatch(value):
                    return None
            case "labeldrop":
                labels = {name: text for name, text in labels.items() if not pattern.fullmatch(name)}
            case "labelmap":
                renamed = {found[1]: labels[name] for name in labels if (found := pattern.fullmatch(name))}
                labels = labels | renamed
            case "replace":
                if found := pattern.fullmatch(value):
                    target = found.expand(rule["replacement"].replace("$", "\\"))
                    labels = {name: text for name, text in labels.items() if name != rule["target_label"]}
                    if target:
                        labels[rule["target_label"]] = target
            case other:
                raise AssertionError(f"this test does not know Prometheus' relabelling action {other}")
    return labels


def in_prometheus(page: str) -> dict[str, float]:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    rules = next(job for job in scrape if job["job_name"] == "warehouse-facts")["metric_relabel_configs"]
    found: dict[str, float] = {}
    for line in page.splitlines():
        if line.startswith("#") or not (sample := SAMPLE.fullmatch(line)):
            continue
        labels = relabelled({"__name__": sample[1], **dict(LABEL.findall(sample[2] or ""))}, rules)
        if labels is not None:
            name = labels.pop("__name__")
            inner = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
            series = f"{name}{{{inner}}}" if inner else name
            assert series not in found, "a series twice: Prometheus would refuse the scrape"
            found[series] = float(sample[3])
    return found


def test_prometheus_gets_what_the_receiver_shows(exporter: str, databases: Databases) -> None:
    theirs = in_prometheus(scraped(exporter))
    failed = {series: value for series, value in theirs.items() if series.startswith("sql_exporter_last_scrape_failed")}
    assert set(failed.values()) == {0}
    collector = FactsCollector(
        {"warehouse": databases.warehouse, "airflow": databases.airflow}, time.monotonic, lambda line: None
    )
    # The recording rules of deploy/prometheus/rules/facts.yml make these, of the flag that each query has.
    recorded = (UP.prometheus_name, FAILED_QUERIES.prometheus_name)
    ours = {s: value for s, value in samples(collector.page()).items() if not s.startswith(recorded)}
    assert set(re.findall(r'query="(\w+)"', " ".join(failed))) == {query.file for query in (*QUERIES, *COLLECTED)}
    assert theirs.keys() - failed.keys() == ours.keys()
    still = {series for series in EXPECTED if not series.startswith(recorded)}
    assert {series: theirs[series] for series in still} == {series: ours[series] for series in still}
    assert len(still) > 40
