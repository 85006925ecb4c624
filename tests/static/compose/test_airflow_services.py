"""What the services of Airflow are told: one spelling of each address, the same settings as the embedded stack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.stack.celery_settings import celery_environment
from include.stack.credentials import Credentials
from include.stack.environment import stack_environment
from include.stack.executor import Executor
from include.stack.layout import Layout, Ports

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yaml"
PARTS = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
# Addresses, folders, secrets and users differ by nature.
OF_A_PLACE = re.compile(r"HOST|PORT$|URL|CONN|KEY|SECRET|FOLDER|FILE|USERS|BACKEND$|REFRESH_INTERVAL$")


@pytest.fixture
def airflow(services) -> dict[str, dict[str, Any]]:
    return {part: services()[f"airflow-{part}"] for part in PARTS}


def test_one_statsd_port_and_one_mapping(services, airflow) -> None:
    assert "--statsd.listen-udp=:9125" in services()["statsd-exporter"]["command"]
    assert "profiles" not in services()["statsd-exporter"]
    for part, service in airflow.items():
        environment = service["environment"]
        assert environment["AIRFLOW__METRICS__STATSD_HOST"] == environment["STATSD_HOST"] == "statsd-exporter", part
        assert environment["AIRFLOW__METRICS__STATSD_PORT"] == environment["STATSD_PORT"] == "9125", part
        assert service["depends_on"]["statsd-exporter"]["restart"], part


def test_settings_are_those_of_the_embedded_stack(airflow, tmp_path: Path) -> None:
    credentials = Credentials()
    embedded = stack_environment(Layout(tmp_path, "live"), Ports(), credentials)
    embedded |= celery_environment(Executor(4, 1), Ports(), credentials, "")
    given = airflow["worker"]["environment"]
    compared = {name for name in embedded.keys() & given.keys() if name.startswith(("AIRFLOW__", "MLFLOW"))}
    compared = {name for name in compared if not OF_A_PLACE.search(name)} - {"AIRFLOW__CORE__EXECUTOR"}
    assert len(compared) > 15
    assert {name: as_data(given[name]) for name in compared} == {name: as_data(embedded[name]) for name in compared}


def as_data(text: str) -> object:
    """JSON however it is spaced; any other text as it is."""
    return json.loads(text) if text.startswith("{") else text


def test_celery_settings_are_complete(airflow) -> None:
    embedded = celery_environment(Executor(4, 1), Ports(), Credentials(), "")
    assert set(embedded) <= set(airflow["worker"]["environment"])


def test_executor_is_chosen_by_one_variable(compose, airflow) -> None:
    assert {each["environment"]["AIRFLOW__CORE__EXECUTOR"] for each in airflow.values()} == {
        "crypto_market.executor.PreloadedLocalExecutor"
    }
    done = compose("--format", "json", AIRFLOW_EXECUTOR="CeleryExecutor")
    chosen = json.loads(done.stdout)["services"]
    for name in (*(f"airflow-{part}" for part in PARTS), "airflow-init"):
        assert chosen[name]["environment"]["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor", name


def test_the_broker_is_known_to_those_that_use_it(airflow, services) -> None:
    password = services()["redis"]["environment"]["REDIS_PASSWORD"]
    assert password
    for part, service in airflow.items():
        environment = service["environment"]
        if part in ("scheduler", "worker"):
            assert environment["AIRFLOW__CELERY__BROKER_URL"] == f"redis://:{password}@redis:6379/0"
            database = environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
            assert environment["AIRFLOW__CELERY__RESULT_BACKEND"] == f"db+{database}"
        else:
            assert password not in json.dumps(service), part
    assert password not in json.dumps([services()["redis"]["command"], services()["redis"]["healthcheck"]])


def test_workers_can_be_many(airflow) -> None:
    worker = airflow["worker"]
    assert worker["deploy"]["replicas"] == 2
    assert not worker.get("ports")
    environment = worker["environment"]
    assert int(environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"]) >= int(environment["AIRFLOW__CORE__PARALLELISM"])


def test_every_task_log_is_where_the_api_server_looks(airflow) -> None:
    for part, service in airflow.items():
        assert ("logs", "/opt/airflow/logs") in {(each["source"], each["target"]) for each in service["volumes"]}, part
    for part in ("scheduler", "triggerer", "worker"):
        assert "--skip-serve-logs" in airflow[part]["command"], part


def test_connections_are_the_declared_ones(airflow) -> None:
    declared = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]
    names = {connection["conn_id"] for connection in declared["connections"]}
    environment = airflow["scheduler"]["environment"]
    given = {key.removeprefix("AIRFLOW_CONN_").lower(): value for key, value in environment.items() if "_CONN_" in key}
    given.pop("airflow__database__sql_alchemy_conn", None)
    assert given.pop("deadline_alerts") == ""
    janitor = json.loads(given.pop("airflow_metadata"))
    assert (janitor["schema"], janitor["login"]) == ("airflow", "airflow_janitor")
    assert set(given) == {"warehouse", "mlflow"} <= names
    warehouse = json.loads(given["warehouse"])
    assert warehouse["login"] == "warehouse_writer"
    assert warehouse["password"]
    assert json.loads(given["mlflow"])["host"] == "http://mlflow:5000"


def test_the_api_server_alone_reads_the_warehouse_as_the_reader(airflow, services) -> None:
    reader = json.loads(airflow["api-server"]["environment"]["AIRFLOW_CONN_WAREHOUSE_READER"])
    assert reader["login"] == "warehouse_reader"
    assert reader["password"] == services()["warehouse-migrate"]["environment"]["WAREHOUSE_READER_PASSWORD"]
    others = [part for part in PARTS if "AIRFLOW_CONN_WAREHOUSE_READER" in airflow[part]["environment"]]
    assert others == ["api-server"]


def test_mlflow_admits_the_name_tasks_use(services) -> None:
    assert any(part.startswith("--allowed-hosts=mlflow:5000,") for part in services()["mlflow"]["command"])


def test_replay_points_every_venue_and_the_clock_at_the_replay_exchange(services) -> None:
    replayed = services(files=(COMPOSE, ROOT / "deploy/compose/replay.yaml"))
    assert Path(replayed["replay"]["build"]["context"]) == ROOT
    declared = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]["connections"]
    venues = {each["conn_id"] for each in declared if each["conn_type"] == "http"} - {"mlflow"}
    for part in PARTS:
        service = replayed[f"airflow-{part}"]
        environment = service["environment"]
        for venue in venues:
            connection = json.loads(environment[f"AIRFLOW_CONN_{venue.upper()}"])
            assert connection["host"].startswith(f"http://replay:9009/{venue}"), venue
        assert environment["MARKET_CLOCK_URL"] == "http://replay:9009/clock"
        assert environment["AIRFLOW__METRICS__STATSD_HOST"] == "statsd-exporter"
        assert {"replay", "airflow-init"} <= set(service["depends_on"])
