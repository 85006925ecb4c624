"""Celery in the embedded stack: Redis as the broker, and some workers."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial

import redis

from include.stack.celery_settings import broker_url
from include.stack.credentials import Credentials
from include.stack.executor import Executor
from include.stack.layout import Layout, Ports, StackError
from include.stack.processes import Component
from include.stack.worker_name import WORKER_VARIABLE


def redis_component(layout: Layout, ports: Ports, credentials: Credentials, environment: dict[str, str]) -> Component:
    """The broker, on the loopback interface. Raises StackError where there is no redis-server."""
    server = shutil.which("redis-server", path=environment.get("PATH"))
    if server is None:
        raise StackError(
            "Celery needs redis-server, which is not on PATH: install it (Debian: apt-get install redis-server), "
            "or leave AIRFLOW_EXECUTOR unset for LocalExecutor"
        )
    layout.redis.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(ports.redis),
        "requirepass": credentials.redis,
        "dir": str(layout.redis),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
    }
    file = layout.redis / "redis.conf"  # a password among the arguments would show in every process list
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.writelines(f"{name} {_quoted(value)}\n" for name, value in settings.items())
    return Component("redis", [server, str(file)], environment, partial(redis_answers, ports, credentials))


def worker_components(
    executor: Executor, ports: Ports, credentials: Credentials, environment: dict[str, str]
) -> list[Component]:
    """The workers, each under a name of its own in Celery and in Airflow's task instances."""
    worker = [sys.executable, "-m", "airflow", "celery", "worker", "--skip-serve-logs"]
    worker += ["--concurrency", str(executor.concurrency)]
    parts = []
    for name in worker_names(executor):
        own = {WORKER_VARIABLE: name, "AIRFLOW__CORE__HOSTNAME_CALLABLE": "include.stack.worker_name.worker_name"}
        ready = partial(worker_answers, broker_url(ports, credentials), name)
        parts.append(Component(f"airflow-{name}", [*worker, "--celery-hostname", name], environment | own, ready))
    return parts


def worker_names(executor: Executor) -> list[str]:
    return [f"worker-{number}" for number in range(1, executor.workers + 1)]


def celery_health(executor: Executor, ports: Ports, credentials: Credentials) -> dict[str, bool]:
    """Component name -> whether it answers."""
    broker = broker_url(ports, credentials)
    workers = {f"airflow-{name}": worker_answers(broker, name) for name in worker_names(executor)}
    return {"redis": redis_answers(ports, credentials), **workers}


def redis_answers(ports: Ports, credentials: Credentials) -> bool:
    """Whether Redis answers a ping with our password."""
    try:
        with redis.Redis(port=ports.redis, password=credentials.redis, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def worker_answers(broker: str, name: str) -> bool:
    """Whether the worker of that name takes messages now."""
    from celery import Celery
    from kombu.exceptions import OperationalError

    try:
        with Celery(broker=broker, set_as_current=False) as app:
            return bool(app.control.ping(destination=[f"celery@{name}"], timeout=2))
    except (OperationalError, redis.RedisError, OSError):
        return False


def _quoted(value: str) -> str:
    """A word of redis.conf, whatever it holds."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
