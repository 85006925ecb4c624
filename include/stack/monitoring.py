"""Prometheus and the node exporter beside the stack, where Debian's packages are installed; all else works without."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from include.stack.components import answers
from include.stack.layout import ROOT, Layout, Ports
from include.stack.processes import Component

SOURCE = ROOT / "deploy/prometheus/prometheus.yml"
RETENTION, RETENTION_SIZE = "30d", "1GB"


def configuration(ports: Ports, with_node_exporter: bool, source: Path = SOURCE) -> dict[str, Any]:
    """Production's configuration as it is here: the same rules, jobs that have a program, nobody to notify."""
    settings: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    local = {"airflow": ports.metrics, "prometheus": ports.prometheus}
    if with_node_exporter:
        local["node"] = ports.node_exporter
    settings.pop("alerting", None)
    settings["rule_files"] = [str(source.parent / pattern) for pattern in settings["rule_files"]]
    settings["scrape_configs"] = [
        {**job, "static_configs": [{"targets": [f"127.0.0.1:{local[job['job_name']]}"]}]}
        for job in settings["scrape_configs"]
        if job["job_name"] in local
    ]
    return settings


def monitoring_components(
    layout: Layout, ports: Ports, environment: dict[str, str], say: Callable[[str], None]
) -> list[Component]:
    """What can be started here, Prometheus' configuration written; a line says what cannot, and why."""
    layout.prometheus_configuration.unlink(missing_ok=True)
    program = _program("prometheus", "prometheus", ports, say)
    if program is None:
        return []
    exporter = _program("prometheus-node-exporter", "node_exporter", ports, say)
    settings = yaml.safe_dump(configuration(ports, exporter is not None), sort_keys=False)
    layout.prometheus_configuration.write_text(settings, encoding="utf-8")
    url = f"http://127.0.0.1:{ports.prometheus}"
    command = [
        program,
        f"--config.file={layout.prometheus_configuration}",
        f"--web.listen-address=127.0.0.1:{ports.prometheus}",
        f"--storage.tsdb.path={layout.prometheus_data}",
        f"--storage.tsdb.retention.time={RETENTION}",
        f"--storage.tsdb.retention.size={RETENTION_SIZE}",
        "--log.level=warn",
    ]
    found = [Component("prometheus", command, environment, partial(answers, f"{url}/-/ready"))]
    if exporter:
        address = f"127.0.0.1:{ports.node_exporter}"
        command = [exporter, f"--web.listen-address={address}"]
        found.append(Component("node-exporter", command, environment, partial(answers, f"http://{address}/metrics")))
    return found


def running(layout: Layout, ports: Ports) -> dict[str, str]:
    """Name and health address of what the stack that is up has of these."""
    if not layout.prometheus_configuration.exists():
        return {}
    found = {"prometheus": f"http://127.0.0.1:{ports.prometheus}/-/ready"}
    jobs = yaml.safe_load(layout.prometheus_configuration.read_text(encoding="utf-8"))["scrape_configs"]
    if any(job["job_name"] == "node" for job in jobs):
        found["node-exporter"] = f"http://127.0.0.1:{ports.node_exporter}/metrics"
    return found


def _program(package: str, port: str, ports: Ports, say: Callable[[str], None]) -> str | None:
    """Path of the program that Debian's package of the same name installs, where it is there and its port is free."""
    program = shutil.which(package)
    if program is None:
        say(f"{package} is not on PATH: going on without (Debian: apt-get install {package})")
    elif taken := ports.taken_line(port):
        say(f"going on without {package}: {taken}")
        return None
    return program
