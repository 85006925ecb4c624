"""The programs of the stack beside PostgreSQL: how each is started and when it is healthy."""

from __future__ import annotations

import json
import sys
import urllib.request
from functools import partial

from include.stack.layout import ROOT, Layout, Ports
from include.stack.processes import Component
from include.stack.replay_source import ReplaySource

# The api-server reads the log files itself; a log server would listen on every interface.
LOCAL_LOGS = {"scheduler": ("--skip-serve-logs",), "triggerer": ("--skip-serve-logs",)}


def answers(url: str, seconds: float = 2) -> bool:
    """Whether an HTTP GET of the URL is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310 - loopback addresses of ours
            return bool(response.status == 200)
    except OSError:
        return False


def airflow_part_is_healthy(port: int, part: str) -> bool:
    """Whether Airflow's own health page calls the part healthy."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=2) as response:
            return bool(json.load(response)[part]["status"] == "healthy")
    except (OSError, KeyError, TypeError, ValueError):
        return False


def service_components(
    layout: Layout, ports: Ports, environment: dict[str, str], replay: ReplaySource | None, facts: dict[str, str]
) -> list[Component]:
    """StatsD receiver and MLflow, and the replay exchange unless the world is live.

    facts: what the receiver needs beside, to show the facts of the databases.
    """
    cli = [sys.executable, "-m", "include.cli"]
    receiver = [*cli, "statsd-receiver", "--mapping", str(ROOT / "deploy/statsd/mapping.yml")]
    receiver += ["--statsd-port", str(ports.statsd), "--http-port", str(ports.metrics)]
    mlflow = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(ports.mlflow)]
    mlflow += ["--workers", "1", "--artifacts-destination", str(layout.mlflow_artifacts)]
    parts = [
        Component(
            "statsd", receiver, environment | facts, partial(answers, f"http://127.0.0.1:{ports.metrics}/health")
        ),
        Component("mlflow", mlflow, environment, partial(answers, f"http://127.0.0.1:{ports.mlflow}/health")),
    ]
    if replay:
        exchange = [*cli, "replay", "--port", str(ports.replay), "--state", str(layout.state / "replay-clock.json")]
        exchange += replay.arguments()
        ready = partial(answers, f"http://127.0.0.1:{ports.replay}/health")
        parts.insert(0, Component("replay", exchange, environment, ready))
    return parts


def airflow_components(ports: Ports, environment: dict[str, str]) -> list[Component]:
    """The four services of Airflow."""
    airflow = [sys.executable, "-m", "airflow"]
    health = f"http://127.0.0.1:{ports.airflow}/api/v2/monitor/health"
    return [
        Component("airflow-api-server", [*airflow, "api-server"], environment, partial(answers, health)),
        *(
            Component(
                f"airflow-{part.replace('_', '-')}",
                [*airflow, part.replace("_", "-"), *LOCAL_LOGS.get(part, ())],
                environment,
                partial(airflow_part_is_healthy, ports.airflow, part),
            )
            for part in ("scheduler", "dag_processor", "triggerer")
        ),
    ]
