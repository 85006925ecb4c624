"""Redis and the workers of the embedded stack: how they are started, and what they are told."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.stack.celery_settings import CELERY_SETTINGS, broker_url
from include.stack.celery_workers import celery_health, redis_answers, redis_component, worker_components
from include.stack.credentials import Credentials
from include.stack.environment import child_environment, stack_environment
from include.stack.executor import Executor
from include.stack.layout import Layout, Ports, StackError
from include.stack.processes import Component, members
from tests.airflow.running import free_ports

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not on PATH")
CREDENTIALS = Credentials(redis='quote " backslash \\ @:/ and % in it')


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "a var with spaces", "synthetic")
    made.make()
    return made


@pytest.fixture
def ports() -> Ports:
    return Ports.from_environment(free_ports())


def told(layout: Layout, ports: Ports, executor: Executor) -> dict[str, str]:
    return child_environment(stack_environment(layout, ports, CREDENTIALS, executor=executor))


def wait(component: Component, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not component.ready() and time.monotonic() < deadline and component.is_running:
        time.sleep(0.2)
    return component.ready()


def test_local_executor_hears_nothing_of_celery(layout: Layout, ports: Ports) -> None:
    environment = told(layout, ports, Executor())
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "crypto_market.executor.PreloadedLocalExecutor"
    assert not [name for name in environment if "CELERY" in name]


def test_results_outlast_redis_and_no_task_waits_in_it_for_a_slot(layout: Layout, ports: Ports) -> None:
    environment = told(layout, ports, Executor(4, 2))
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert environment["AIRFLOW__CELERY__RESULT_BACKEND"] == (
        "db+" + environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    ), "results must outlast Redis"
    assert int(environment["AIRFLOW__CORE__PARALLELISM"]) <= 2 * int(environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"])
    assert json.loads(environment["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"]) == CELERY_SETTINGS


def test_without_redis_the_remedy_is_named(layout: Layout, ports: Ports) -> None:
    with pytest.raises(StackError, match="apt-get install redis-server"):
        redis_component(layout, ports, CREDENTIALS, {"PATH": str(layout.var)})


def test_no_password_shows_in_a_process_list(layout: Layout, ports: Ports, tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    redis = redis_component(layout, ports, CREDENTIALS, {"PATH": str(tmp_path)})
    workers = worker_components(Executor(4, 2), ports, CREDENTIALS, {})
    assert not [word for each in (redis, *workers) for word in each.command if CREDENTIALS.redis in word]
    assert (layout.redis / "redis.conf").stat().st_mode & 0o777 == 0o600


def test_each_worker_has_a_name_of_its_own_in_celery_and_in_airflow(ports: Ports) -> None:
    workers = worker_components(Executor(6, 3), ports, CREDENTIALS, {"KEPT": "1"})
    assert [each.name for each in workers] == ["airflow-worker-1", "airflow-worker-2", "airflow-worker-3"]
    for each in workers:
        assert each.environment["CRYPTO_MARKET_WORKER"] == each.command[-1] == each.name.removeprefix("airflow-")
        assert each.environment["KEPT"] == "1"
        assert each.command[each.command.index("--concurrency") + 1] == "2"


def test_the_locked_celery_is_one_the_provider_can_use() -> None:
    # The newest of each need not fit: with Celery 5.7 neither scheduler nor worker came up.
    from airflow.providers.celery.executors.celery_executor_utils import app

    assert "execute_workload" in app.tasks


@pytest.fixture
def redis(layout: Layout, ports: Ports) -> Iterator[Component]:
    component = redis_component(layout, ports, CREDENTIALS, told(layout, ports, Executor(4, 2)))
    component.start(layout.logs)
    try:
        assert wait(component, 10), (layout.logs / "redis.log").read_text()
        yield component
    finally:
        component.stop()


@needs_redis
def test_redis_answers_who_knows_the_password_and_keeps_nothing(layout: Layout, ports: Ports, redis: Component) -> None:
    assert not redis_answers(ports, Credentials())
    redis.stop()
    assert not redis_answers(ports, CREDENTIALS)
    assert [path.name for path in layout.redis.iterdir()] == ["redis.conf"]


@needs_redis
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("redis")
def test_a_worker_starts_answers_and_is_ended_whole(layout: Layout, ports: Ports, tmp_path: Path) -> None:
    executor = Executor(2, 1)
    environment = told(layout, ports, executor)
    environment["AIRFLOW__CELERY__RESULT_BACKEND"] = f"db+sqlite:///{tmp_path}/results.db"
    (worker,) = worker_components(executor, ports, CREDENTIALS, environment)
    assert worker.command[0] == sys.executable
    worker.start(layout.logs)
    try:
        assert wait(worker, 120), (layout.logs / "airflow-worker-1.log").read_text()[-2000:]
        assert celery_health(executor, ports, CREDENTIALS) == {"redis": True, "airflow-worker-1": True}
        assert worker.process is not None
        processes = members({worker.process.pid})
        assert len(processes) >= 3  # the worker and its two processes for tasks
        if sys.platform.startswith("linux"):  # where /proc tells what a process has loaded
            assert sum("pandas/_libs" in Path(f"/proc/{each.pid}/maps").read_text() for each in processes) >= 3
    finally:
        worker.stop()
    assert members({worker.process.pid}) == []
    assert not worker.ready()
    assert broker_url(ports, CREDENTIALS) not in (layout.logs / "airflow-worker-1.log").read_text()
