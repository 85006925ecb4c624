"""What of the stack is healthy, asked from outside its launcher."""

from __future__ import annotations

import socket

from include.stack.celery_workers import celery_health
from include.stack.components import airflow_part_is_healthy, answers
from include.stack.credentials import load_or_create
from include.stack.executor import last_executor
from include.stack.layout import Layout, Ports
from include.stack.monitoring import running


def listens(port: int) -> bool:
    """Whether somebody accepts TCP connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def component_lines(layout: Layout, ports: Ports) -> tuple[bool, list[str]]:
    """Whether all is well, and a line per component."""
    airflow = f"http://127.0.0.1:{ports.airflow}/api/v2/monitor/health"
    healthy = {
        "postgres": listens(ports.postgres),
        "statsd": answers(f"http://127.0.0.1:{ports.metrics}/health"),
        "mlflow": answers(f"http://127.0.0.1:{ports.mlflow}/health"),
        "airflow-api-server": answers(airflow),
    }
    for part in ("scheduler", "dag_processor", "triggerer"):
        healthy[f"airflow-{part.replace('_', '-')}"] = airflow_part_is_healthy(ports.airflow, part)
    if layout.world != "live":
        healthy["replay"] = answers(f"http://127.0.0.1:{ports.replay}/health")
    healthy |= {name: answers(url) for name, url in running(layout, ports).items()}
    executor = last_executor(layout.var)
    if executor.is_celery:
        healthy |= celery_health(executor, ports, load_or_create(layout.credentials)[0])
    lines = [
        f"  {name:24}{'healthy' if ok else f'NOT healthy, see {layout.logs / name}.log'}"
        for name, ok in sorted(healthy.items())
    ]
    return all(healthy.values()), lines


def addresses(layout: Layout, ports: Ports) -> str:
    """Where to look, a line each."""
    lines = [
        f"Airflow    http://127.0.0.1:{ports.airflow}   (login admin, password: airflow_admin in {layout.credentials};",
        "           op, user and viewer have one there, too)",
        f"MLflow     http://127.0.0.1:{ports.mlflow}",
        f"metrics    http://127.0.0.1:{ports.metrics}/metrics",
        f"warehouse  127.0.0.1:{ports.postgres}   (make sql Q='select …')",
        f"logs       {layout.logs}",
    ]
    if "prometheus" in running(layout, ports):
        lines.insert(3, f"Prometheus http://127.0.0.1:{ports.prometheus}   (its /alerts: what production would tell)")
    if layout.world != "live":
        lines.insert(3, f"replay     http://127.0.0.1:{ports.replay}   ({layout.world} data)")
    return "\n".join(lines)
