"""Alertmanager's configuration: valid, every alert reaches whom it is for, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.metrics.fact_queries import DATABASES, QUERIES

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy/alertmanager/alertmanager.yml"
RECEIVER_OF = {"page": "page", "ticket": "ticket", "none": "dead_mans_switch"}
MATCHER = re.compile(r'^(\w+)(=~|!~|!=|=)"([^"]*)"$')


def alerts() -> dict[str, dict[str, Any]]:
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def unknown_alerts(configuration: dict[str, Any]) -> set[str]:
    """Names in routes and inhibitions that no rule has."""
    lists = [route["matchers"] for route in configuration["route"]["routes"]]
    lists += [rule[side] for rule in configuration["inhibit_rules"] for side in ("source_matchers", "target_matchers")]
    matchers = [MATCHER.fullmatch(each) for several in lists for each in several]
    assert all(matchers)
    return {n for m in matchers if m and m[1] == "alertname" for n in m[3].split("|")} - set(alerts())


def held_back(configuration: dict[str, Any], by: str, alert: str, of: str | None = None, **labels: str) -> bool:
    """Whether an alert is inhibited while another one fires, of which these are the labels; `of`: its own database."""

    def matches(matcher: str, given: dict[str, str]) -> bool:
        found = MATCHER.fullmatch(matcher)
        assert found
        name, operator, value = found.groups()
        same = bool(re.fullmatch(value, given.get(name, "")))
        return same is not operator.startswith("!")

    return any(
        all(matches(each, {"alertname": by, **labels}) for each in rule["source_matchers"])
        and all(matches(each, {"alertname": alert}) for each in rule["target_matchers"])
        and ("database" not in rule.get("equal", ()) or of is None or of == labels.get("database"))
        for rule in configuration["inhibit_rules"]
    )


@pytest.fixture
def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    return loaded


def test_amtool_accepts_it(tool) -> None:
    done = tool("amtool", "check-config", CONFIGURATION)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("receiver: page\n", "receiver: pager\n"),
        ("send_resolved", "send_resolve"),
        ("group_wait: 1m", "group_wait: 1 minute"),
        ('alertname="DiskFull"', 'alertname=~"DiskFull("'),
        ("templates/*.tmpl", "templates/*.tmpl]\nroutes: ["),
    ],
)
def test_amtool_refuses_a_planted_error(tool, tmp_path: Path, sound: str, broken: str) -> None:
    text = CONFIGURATION.read_text()
    assert sound in text
    (tmp_path / "alertmanager.yml").write_text(text.replace(sound, broken, 1))
    assert tool("amtool", "check-config", tmp_path / "alertmanager.yml").returncode != 0


def test_amtool_refuses_a_planted_error_in_the_template(tool, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "alertmanager.yml").write_text(CONFIGURATION.read_text())
    template = (ROOT / "deploy/alertmanager/templates/crypto_market.tmpl").read_text()
    (tmp_path / "templates/crypto_market.tmpl").write_text(template.replace("{{ end }}", "", 1))
    assert tool("amtool", "check-config", tmp_path / "alertmanager.yml").returncode != 0


@pytest.mark.parametrize("severity", RECEIVER_OF)
def test_each_severity_reaches_its_receiver(tool, severity: str) -> None:
    name = next(name for name, rule in alerts().items() if rule["labels"]["severity"] == severity)
    labels = [f"severity={severity}", f"alertname={name}"]
    done = tool("amtool", "config", "routes", "test", f"--config.file={CONFIGURATION}", *labels)
    assert done.stdout.split() == [RECEIVER_OF[severity]]


def test_what_has_no_severity_is_not_lost(tool) -> None:
    done = tool("amtool", "config", "routes", "test", f"--config.file={CONFIGURATION}", "alertname=New")
    assert done.stdout.split() == ["ticket"]


def test_alerts_that_it_names_exist(configuration: dict[str, Any]) -> None:
    assert unknown_alerts(configuration) == set()


def test_a_planted_unknown_alert_is_found(configuration: dict[str, Any]) -> None:
    configuration["inhibit_rules"][0]["source_matchers"] = ['alertname="DatabaseGone"']
    assert unknown_alerts(configuration) == {"DatabaseGone"}


def test_no_address_is_written_into_it(configuration: dict[str, Any]) -> None:
    urls = [
        (key, value)
        for receiver in configuration["receivers"]
        for each in receiver["slack_configs"]
        for key, value in each.items()
        if "url" in key
    ]
    assert sorted(urls) == sorted(("api_url_file", f"/run/secrets/{name}_url") for name in RECEIVER_OF.values())


@pytest.mark.parametrize(
    ("by", "labels", "alert", "held"),
    [
        ("DatabaseDown", {"database": "warehouse"}, "CandlesStale", True),
        ("DatabaseDown", {"database": "airflow"}, "CandlesStale", False),
        ("DatabaseDown", {"database": "airflow"}, "RunLate", True),
        ("DatabaseDown", {"database": "warehouse"}, "VenueRefuses", False),
        ("DatabaseDown", {"database": "warehouse"}, "RowsQuarantined", False),
        ("DatabaseDown", {"database": "airflow"}, "DagRunFailed", False),
        ("DatabaseDown", {"database": "warehouse"}, "Watchdog", False),
        ("DatabaseDown", {"database": "warehouse"}, "DiskFull", False),
        ("TargetDown", {"job": "airflow"}, "SchedulerSilent", True),
        ("TargetDown", {"job": "node"}, "SchedulerSilent", False),
        ("TargetDown", {"job": "warehouse-facts"}, "FactsUnknown", True),
        ("FactsUnknown", {"database": "warehouse"}, "CandlesStale", True),
        ("FactsUnknown", {"database": "airflow"}, "BackupOld", False),
        ("FactQueriesFailing", {"database": "warehouse"}, "CandlesStale", False),
        ("FactsUnknown", {}, "DatabaseDown", False),
        ("SchedulerSilent", {}, "RunLate", True),
        ("SchedulerSilent", {}, "DatabaseDown", False),
        ("CandlesStale", {}, "SchedulerSilent", False),
    ],
)
def test_what_follows_is_held_back_and_causes_are_not(
    configuration: dict[str, Any], by: str, labels: dict[str, str], alert: str, held: bool
) -> None:
    assert held_back(configuration, by, alert, **labels) is held


@pytest.mark.parametrize("by", ["DatabaseDown", "FactsUnknown"])
@pytest.mark.parametrize("database", DATABASES)
def test_a_database_holds_back_the_alerts_on_its_facts_and_no_other(
    configuration: dict[str, Any], by: str, database: str
) -> None:
    facts = {m.prometheus_name for query in QUERIES if query.database == database for m in query.metrics}
    derived = {name for name, rule in alerts().items() if facts & set(re.findall(r"\w+", rule["expr"]))}
    held = {name for name in alerts() if held_back(configuration, by, name, database=database)}
    assert len(derived) > 5
    assert held - {"FactsUnknown", "FactQueriesFailing"} == derived


@pytest.mark.parametrize(("of", "held"), [("warehouse", True), ("airflow", False)])
def test_what_is_said_of_the_facts_follows_from_the_same_database_alone(
    configuration: dict[str, Any], of: str, held: bool
) -> None:
    for by, alert in [("DatabaseDown", "FactsUnknown"), ("FactsUnknown", "FactQueriesFailing")]:
        assert held_back(configuration, by, alert, of, database="warehouse") is held


def test_nothing_holds_back_what_it_is_inhibited_by(configuration: dict[str, Any]) -> None:
    """Two alerts that inhibit one another are both silent, for good."""
    names = sorted(alerts())
    jobs = [{"job": job} for job in ("airflow", "warehouse-facts")] + [{"database": each} for each in DATABASES]
    pairs = {(a, b) for a in names for b in names if a != b and any(held_back(configuration, a, b, **j) for j in jobs)}
    assert len(pairs) > 50
    assert {(a, b) for a, b in pairs if (b, a) in pairs} == set()
