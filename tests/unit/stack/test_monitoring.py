"""Prometheus beside the stack: where it is installed, where it is not, and where its port is taken."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from include.stack.components import answers
from include.stack.layout import ROOT, Layout, Ports
from include.stack.monitoring import configuration, monitoring_components, running
from include.stack.status import addresses, component_lines
from tests.airflow.running import free_ports

PACKAGES = ("prometheus", "prometheus-node-exporter")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "a folder [with signs]", "recorded")
    layout.make()
    return layout


@pytest.fixture
def ports() -> Ports:
    return Ports.from_environment(free_ports())


@pytest.fixture
def path_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a PATH on which there are just these programs."""

    def make(*programs: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in programs:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return make


def test_without_the_package_one_line_says_so_and_nothing_is_started(layout: Layout, ports: Ports, path_of) -> None:
    path_of()
    layout.prometheus_configuration.write_text("of an earlier start")
    said: list[str] = []
    assert monitoring_components(layout, ports, {}, said.append) == []
    assert said == ["prometheus is not on PATH: going on without (Debian: apt-get install prometheus)"]
    assert running(layout, ports) == {}
    assert "Prometheus" not in addresses(layout, ports)


def test_without_the_node_exporter_prometheus_does_not_ask_it(layout: Layout, ports: Ports, path_of) -> None:
    path_of("prometheus")
    said: list[str] = []
    (component,) = monitoring_components(layout, ports, {}, said.append)
    assert component.name == "prometheus"
    assert len(said) == 1
    assert "apt-get install prometheus-node-exporter" in said[0]
    jobs = yaml.safe_load(layout.prometheus_configuration.read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["airflow", "prometheus"]
    assert running(layout, ports).keys() == {"prometheus"}


def test_with_both_they_are_shown(layout: Layout, ports: Ports, path_of) -> None:
    path_of(*PACKAGES)
    said: list[str] = []
    found = monitoring_components(layout, ports, {}, said.append)
    assert [component.name for component in found] == ["prometheus", "node-exporter"]
    assert said == []
    assert f"http://127.0.0.1:{ports.prometheus}" in addresses(layout, ports)
    _, lines = component_lines(layout, ports)
    assert {line.split()[0] for line in lines} >= {"prometheus", "node-exporter"}


def test_a_taken_port_is_named_and_stops_nothing_else(layout: Layout, ports: Ports, path_of) -> None:
    path_of(*PACKAGES)
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = replace(ports, prometheus=other.getsockname()[1])
        assert monitoring_components(layout, taken, {}, said.append) == []
    assert len(said) == 1
    assert "PROMETHEUS_PORT" in said[0]


def test_the_rules_are_productions_own_and_every_address_is_the_loopback(ports: Ports) -> None:
    found = configuration(ports, with_node_exporter=True)
    source = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert found["rule_files"] == [str(ROOT / "deploy/prometheus" / pattern) for pattern in source["rule_files"]]
    assert found["global"] == source["global"]
    targets = {job["job_name"]: job["static_configs"] for job in found["scrape_configs"]}
    assert targets == {
        "airflow": [{"targets": [f"127.0.0.1:{ports.metrics}"]}],
        "node": [{"targets": [f"127.0.0.1:{ports.node_exporter}"]}],
        "prometheus": [{"targets": [f"127.0.0.1:{ports.prometheus}"]}],
    }
    assert targets.keys() < {job["job_name"] for job in source["scrape_configs"]}
    assert "alerting" not in found


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed (Debian: prometheus)")
def test_the_real_prometheus_starts_with_it_and_has_the_rules(layout: Layout, ports: Ports) -> None:
    import json
    import urllib.request

    environment = {"PATH": "/usr/bin:/bin"}
    prometheus = monitoring_components(layout, ports, environment, print)[0]
    prometheus.start(layout.logs)
    try:
        deadline = time.monotonic() + 30
        while not prometheus.ready() and time.monotonic() < deadline:
            assert prometheus.is_running, (layout.logs / "prometheus.log").read_text()
            time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.prometheus}/api/v1/rules", timeout=5) as answer:
            groups = json.load(answer)["data"]["groups"]
    finally:
        prometheus.stop()
    assert {rule["name"] for group in groups for rule in group["rules"]} >= {"Watchdog", "SchedulerSilent"}
    assert (layout.prometheus_data / "wal").is_dir()
    assert not answers(f"http://127.0.0.1:{ports.prometheus}/-/ready")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_promtool_accepts_what_is_written(layout: Layout, ports: Ports, path_of) -> None:
    promtool = str(shutil.which("promtool"))
    path_of(*PACKAGES)
    monitoring_components(layout, ports, {}, print)
    command = [promtool, "check", "config", str(layout.prometheus_configuration)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
