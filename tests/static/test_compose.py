"""docker-compose.yaml: read by the real Compose, and held to what an unattended server needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yaml"
REPLAY = ROOT / "deploy/compose/replay.yaml"
ONE_OFF = {"databases", "warehouse-migrate", "airflow-init", "airflow-settings"}


@pytest.fixture
def env_file(tool, tmp_path: Path) -> Path:
    """A .env as deploy/make_env.sh writes it, in a copy of the folder."""
    (tmp_path / "deploy").mkdir()
    for name in (".env.example", "deploy/make_env.sh"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    done = tool("sh", tmp_path / "deploy/make_env.sh")
    assert done.returncode == 0, done.stderr
    return tmp_path / ".env"


@pytest.fixture
def config(tool, env_file: Path) -> dict[str, Any]:
    done = tool("docker-compose", "--env-file", env_file, "-f", COMPOSE, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def altered(tmp_path: Path, old: str, new: str) -> Path:
    text = COMPOSE.read_text()
    assert old in text
    path = tmp_path / "docker-compose.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_is_valid_compose(tool, env_file: Path) -> None:
    assert tool("docker-compose", "--env-file", env_file, "-f", COMPOSE, "config", "-q").returncode == 0
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert done.returncode == 0, done.stdout


def test_compose_refuses_a_dependency_on_nothing(tool, env_file: Path, tmp_path: Path) -> None:
    broken = altered(tmp_path, "mlflow: {condition: service_started}", "mlfow: {condition: service_started}")
    done = tool("docker-compose", "--env-file", env_file, "-f", broken, "config", "-q")
    assert "mlfow" in done.stderr
    assert done.returncode != 0


def test_schema_refuses_a_misspelt_key(tool, tmp_path: Path) -> None:
    broken = altered(tmp_path, "    healthcheck:", "    healthchek:")
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", broken)
    assert "healthchek" in done.stdout
    assert done.returncode != 0


@pytest.mark.parametrize("secret", re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE))
def test_every_secret_is_required(tool, env_file: Path, tmp_path: Path, secret: str) -> None:
    shortened = tmp_path / "short.env"
    shortened.write_text(re.sub(rf"^{secret}=.*$", f"{secret}=", env_file.read_text(), flags=re.MULTILINE))
    done = tool("docker-compose", "--env-file", shortened, "-f", COMPOSE, "config", "-q")
    assert f"required variable {secret} is missing" in done.stderr
    assert done.returncode != 0


def test_example_and_compose_name_the_same_variables() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text() + REPLAY.read_text()))
    assert used == set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_secrets_are_random_and_safe_in_a_url(env_file: Path) -> None:
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line[:40])
    written = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line[:40])
    secrets = [value for name, value in written.items() if name.isupper() and not example[name]]
    assert len(secrets) == len(set(secrets)) == 11
    assert all(re.fullmatch(r"[\w-]{43,64}=?", secret, re.ASCII) for secret in secrets)
    assert env_file.stat().st_mode & 0o077 == 0


def test_an_existing_env_is_left_alone(tool, env_file: Path) -> None:
    before = env_file.read_bytes()
    assert tool("sh", env_file.parent / "deploy/make_env.sh").returncode == 1
    assert env_file.read_bytes() == before


def test_services_survive_unattended(config: dict[str, Any]) -> None:
    for name, service in config["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert service["logging"]["options"]["max-size"], name
        if name in ONE_OFF:
            assert service["restart"] in ("no", "on-failure:3"), name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_services_are_confined(config: dict[str, Any]) -> None:
    for name, service in config["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("user", "0:0").split(":")[0] != "0" or service["image"].startswith("crypto-market"), name
        assert not service.get("privileged"), name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), name
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume" or volume["read_only"], (name, volume)


def test_images_are_pinned_and_files_exist(config: dict[str, Any]) -> None:
    for name, service in config["services"].items():
        if not service["image"].startswith("crypto-market"):
            assert re.search(r":v?\d+\.\d+", service["image"]), name
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume" or Path(volume["source"]).exists(), volume


def test_one_statsd_port_and_one_mapping(config: dict[str, Any]) -> None:
    exporter = config["services"]["statsd-exporter"]
    assert "--statsd.listen-udp=:9125" in exporter["command"]
    for name, service in config["services"].items():
        if "AIRFLOW__METRICS__STATSD_HOST" in service.get("environment", {}):
            environment = service["environment"]
            assert environment["AIRFLOW__METRICS__STATSD_HOST"] == environment["STATSD_HOST"] == "statsd-exporter", name
            assert environment["AIRFLOW__METRICS__STATSD_PORT"] == environment["STATSD_PORT"] == "9125", name
            assert environment["AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED"] == "True", name
            assert environment["AIRFLOW__METRICS__LEGACY_NAMES_ON"] == "False", name


def test_connections_are_the_declared_ones(config: dict[str, Any]) -> None:
    declared = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]
    names = {connection["conn_id"] for connection in declared["connections"]}
    environment = config["services"]["airflow-scheduler"]["environment"]
    given = {key.removeprefix("AIRFLOW_CONN_").lower(): value for key, value in environment.items() if "_CONN_" in key}
    given.pop("airflow__database__sql_alchemy_conn", None)
    assert set(given) == {"warehouse", "mlflow"} <= names
    warehouse = json.loads(given["warehouse"])
    assert warehouse["login"] == "warehouse_writer"
    assert warehouse["password"]
    assert json.loads(given["mlflow"])["host"] == "http://mlflow:5000"


def test_mlflow_admits_the_name_tasks_use(config: dict[str, Any]) -> None:
    assert any(part.startswith("--allowed-hosts=mlflow:5000,") for part in config["services"]["mlflow"]["command"])


def test_replay_points_every_venue_and_the_clock_at_the_replay_exchange(tool, env_file: Path) -> None:
    files = ("-f", COMPOSE, "-f", REPLAY)
    done = tool("docker-compose", "--env-file", env_file, *files, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert Path(services["replay"]["build"]["context"]) == ROOT
    declared = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]["connections"]
    venues = {each["conn_id"] for each in declared if each["conn_type"] == "http"} - {"mlflow"}
    for part in ("api-server", "scheduler", "dag-processor", "triggerer"):
        service = services[f"airflow-{part}"]
        environment = service["environment"]
        for venue in venues:
            connection = json.loads(environment[f"AIRFLOW_CONN_{venue.upper()}"])
            assert connection["host"].startswith(f"http://replay:9009/{venue}"), venue
        assert environment["MARKET_CLOCK_URL"] == "http://replay:9009/clock"
        assert environment["AIRFLOW__METRICS__STATSD_HOST"] == "statsd-exporter"
        assert {"replay", "airflow-init"} <= set(service["depends_on"])
