"""Who can talk to whom: the whole table, read from the networks that Compose would make.

Two services reach each other where they share a network that lets its members see each other.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PARTS = {"airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "airflow-worker"}
TASKS = {"airflow-scheduler", "airflow-worker"}
# Who may reach it at all. What is not named here is reached by nobody but its own network's members, as listed.
REACH = {
    "postgres": PARTS
    | {"databases", "warehouse-migrate", "airflow-init", "airflow-rights", "mlflow", "backup", "sql-exporter"},
    "redis": TASKS | {"airflow-init"},
    "grafana": {"prometheus", "alertmanager", "statsd-exporter", "sql-exporter", "node-exporter", "cadvisor"},
    "cadvisor": {"prometheus", "alertmanager", "grafana", "statsd-exporter", "sql-exporter", "node-exporter"},
    "statsd-exporter": PARTS
    | {
        "mlflow",
        "airflow-settings",
        "prometheus",
        "alertmanager",
        "grafana",
        "sql-exporter",
        "node-exporter",
        "cadvisor",
    },
    "backup": PARTS
    | {"postgres", "databases", "warehouse-migrate", "airflow-init", "airflow-rights", "mlflow", "sql-exporter"},
}
CALL_OUT = {"airflow-scheduler", "airflow-worker", "airflow-triggerer", "alertmanager"}
PUBLISHED = {"airflow-api-server", "mlflow", "prometheus", "alertmanager", "grafana"}
WITH_PASSWORD = {"airflow-api-server", "grafana"}


@pytest.fixture(scope="module")
def networks(compose) -> dict[str, dict[str, Any]]:
    done = compose("--format", "json")
    return {name: network or {} for name, network in json.loads(done.stdout)["networks"].items()}


def members_see_each_other(network: dict[str, Any]) -> bool:
    return network.get("driver_opts", {}).get("com.docker.network.bridge.enable_icc") != "false"


def leads_out(network: dict[str, Any]) -> bool:
    masquerades = network.get("driver_opts", {}).get("com.docker.network.bridge.enable_ip_masquerade") != "false"
    return not network.get("internal", False) and masquerades


@pytest.fixture(scope="module")
def reaches(services, networks) -> dict[str, set[str]]:
    """For each service, those that share a talkative network with it."""
    shared: dict[str, set[str]] = {name: set() for name in services()}
    for one, other in combinations(services(), 2):
        common = set(services()[one]["networks"]) & set(services()[other]["networks"])
        if any(members_see_each_other(networks[name]) for name in common):
            shared[one].add(other)
            shared[other].add(one)
    return shared


@pytest.mark.parametrize("target", REACH)
def test_only_these_reach(reaches, target: str) -> None:
    assert reaches[target] == REACH[target]


def test_nobody_of_the_monitoring_reaches_the_database_or_airflow_but_the_exporters(reaches) -> None:
    for name in ("prometheus", "grafana", "alertmanager", "node-exporter", "cadvisor"):
        assert not reaches[name] & (PARTS | {"postgres", "redis", "mlflow", "backup"}), name


def test_only_these_call_out(services, networks) -> None:
    assert {
        name for name, each in services().items() if any(leads_out(networks[n]) for n in each["networks"])
    } == CALL_OUT


def test_only_these_publish_a_port_and_only_where_docker_can(services, networks) -> None:
    publish = {name: each for name, each in services().items() if each.get("ports")}
    assert publish.keys() == PUBLISHED
    for name, service in publish.items():
        assert any(not networks[network].get("internal") for network in service["networks"]), name
        assert not any("expose" in service for service in services().values()), name


def test_only_what_asks_for_a_password_leaves_the_loopback(compose) -> None:
    done = compose("--format", "json", BIND_ADDRESS="192.0.2.1")
    for name, service in json.loads(done.stdout)["services"].items():
        for port in service.get("ports", []):
            assert port["host_ip"] == ("192.0.2.1" if name in WITH_PASSWORD else "127.0.0.1"), name


def test_nothing_shares_a_network_of_the_host(services, networks) -> None:
    for name, service in services().items():
        assert not {"network_mode", "pid", "ipc"} & service.keys(), name
        assert set(service["networks"]) <= set(networks) - {"default"}, name


def test_the_replay_is_seen_by_those_that_ask_it(services, networks) -> None:
    files = (ROOT / "docker-compose.yaml", ROOT / "deploy/compose/replay.yaml")
    replayed = services(files=files)
    for name in PARTS:
        common = set(replayed[name]["networks"]) & set(replayed["replay"]["networks"])
        assert any(members_see_each_other(networks[network]) for network in common), name


def test_files_are_of_one_mind_about_networks() -> None:
    base = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["networks"]
    included = yaml.safe_load((ROOT / "deploy/compose/monitoring.yaml").read_text())["networks"]
    assert included == {name: base[name] for name in included}


def test_prometheus_reaches_what_it_scrapes(reaches) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = [target for job in config["scrape_configs"] for each in job["static_configs"] for target in each["targets"]]
    managers = [each for one in config["alerting"]["alertmanagers"] for each in one["static_configs"]]
    hosts = {target.split(":")[0] for target in [*jobs, *(t for each in managers for t in each["targets"])]}
    assert hosts - {"127.0.0.1"} <= reaches["prometheus"]
    assert {"statsd-exporter", "sql-exporter", "node-exporter", "cadvisor", "alertmanager"} <= hosts
