"""Prometheus' configuration and alert rules: valid, and about metrics that exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/prometheus"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
SEVERITIES = {"page", "ticket"}
WATCHDOG = "Watchdog"  # fires always, so that its absence is the news; nobody is to be called for it
RULE_TESTS = sorted(Path(__file__).parent.glob("alerts*_test.yml"))


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    groups = [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def problems(rule: dict[str, Any], series_of: Callable[[str], set[str]], known: set[str]) -> list[str]:
    """What is wrong with an alert: an unknown series, or no severity or summary."""
    found = [f"unknown series {name}" for name in sorted(series_of(rule["expr"]) - known)]
    if rule.get("labels", {}).get("severity") not in ({"none"} if rule["alert"] == WATCHDOG else SEVERITIES):
        found.append("severity is page or ticket")
    if not rule.get("annotations", {}).get("summary"):
        found.append("no summary")
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alert_is_about_series_that_exist(rule: dict[str, Any], series_of, known_series: set[str]) -> None:
    assert problems(rule, series_of, known_series) == []


def test_alert_names_are_unique() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 40


def test_the_watchdog_depends_on_nothing() -> None:
    watchdog = next(rule for rule in rules() if rule["alert"] == WATCHDOG)
    assert watchdog["expr"] == "vector(1)"
    assert "for" not in watchdog


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"expr": "sum(rate(airflow_schedular_heartbeat[2m])) < 1"}, "unknown series airflow_schedular_heartbeat"),
        ({"expr": "crypto_ingest_rows > 1"}, "unknown series crypto_ingest_rows"),
        ({"labels": {}}, "severity is page or ticket"),
        ({"annotations": {}}, "no summary"),
    ],
)
def test_a_planted_error_is_found(change: dict[str, Any], problem: str, series_of, known_series: set[str]) -> None:
    sound = next(rule for rule in rules() if rule["alert"] == "SchedulerSilent")
    assert problems(sound | change, series_of, known_series) == [problem]


def test_promtool_accepts_configuration_and_rules(tool) -> None:
    done = tool("promtool", "check", "config", FOLDER / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_refuses_a_planted_error(tool, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text((FOLDER / "rules/airflow.yml").read_text().replace("[2m]", "", 1))
    assert tool("promtool", "check", "rules", tmp_path / "rules.yml").returncode != 0


def test_alerts_fire_when_they_should_and_only_then(tool) -> None:
    done = tool("promtool", "test", "rules", *RULE_TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def cases(documents: list[dict[str, Any]]) -> dict[str, set[bool]]:
    """For each alert, whether tests of the rules expect it to fire (True), to be silent (False), or have both."""
    found: dict[str, set[bool]] = {}
    for document in documents:
        for test in document["tests"]:
            for case in test["alert_rule_test"]:
                found.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    return found


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    expected = {rule["alert"]: {True} if rule["alert"] == WATCHDOG else {True, False} for rule in rules()}
    assert cases([yaml.safe_load(path.read_text()) for path in RULE_TESTS]) == expected


def test_every_dag_has_its_longest_time_without_a_success() -> None:
    expression = next(rule["expr"] for rule in rules() if rule["alert"] == "DagWithoutSuccess")
    named = [dag for matched in re.findall(r'dag_id=~?"([^"]+)"', expression) for dag in matched.split("|")]
    assert sorted(named) == sorted(path.stem for path in (ROOT / "dags").glob("*.py"))


@pytest.mark.parametrize("rule", [each for each in rules() if "crypto_dag_" in each["expr"]], ids=lambda r: r["alert"])
def test_a_paused_dag_alerts_nobody(rule: dict[str, Any]) -> None:
    assert rule["expr"].endswith("unless on (dag_id) crypto_dag_paused == 1")


def test_scrapes_the_exporter_of_the_compose_file() -> None:
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    }
    assert jobs["airflow"] == ["statsd-exporter:9102"]
    assert "statsd-exporter" in yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
