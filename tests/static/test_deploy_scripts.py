"""The small programs of deploy/: each run for real, its failures included."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest
import yaml

from include.stack.postgres import PostgresCluster
from tests.conftest import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def health_page() -> Iterator[str]:
    """An Airflow whose scheduler is healthy and whose triggerer is not."""
    statuses = {"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}, "dag_processor": {}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/v2/monitor/health" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(statuses).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("part", "healthy"), [("scheduler", True), ("triggerer", False), ("dag_processor", False), ("no_such", False)]
)
def test_health_check_believes_airflows_own_page(health_page: str, part: str, healthy: bool) -> None:
    script = DEPLOY / "airflow/part_is_healthy.py"
    done = subprocess.run([sys.executable, script, part, health_page], check=False, capture_output=True)
    assert (done.returncode == 0) is healthy


def test_health_check_fails_where_nobody_answers() -> None:
    script = DEPLOY / "airflow/part_is_healthy.py"
    done = subprocess.run([sys.executable, script, "scheduler", "http://127.0.0.1:1"], check=False, capture_output=True)
    assert done.returncode != 0


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def stand_in(folder: Path, name: str, script: str) -> None:
    """A program of that name that a script finds on PATH instead of the real one."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_api_server_starts_with_the_given_passwords(tmp_path: Path) -> None:
    stand_in(tmp_path, "airflow", 'echo "$* [${AIRFLOW_ADMIN_PASSWORD-gone}] [${AIRFLOW__API__SECRET_KEY-gone}]"')
    (tmp_path / "python").symlink_to(sys.executable)
    file = tmp_path / "passwords.json"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "AIRFLOW__API__SECRET_KEY": "kept",
        "AIRFLOW_ADMIN_PASSWORD": 'with "quotes"',
        "AIRFLOW_VIEWER_PASSWORD": "other",
    }
    command = ["bash", DEPLOY / "airflow/start_api_server.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "api-server --proxy-headers [gone] [kept]\n"
    assert json.loads(file.read_text()) == {"admin": 'with "quotes"', "viewer": "other"}
    assert file.stat().st_mode & 0o077 == 0
    del environment["AIRFLOW_VIEWER_PASSWORD"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "AIRFLOW_VIEWER_PASSWORD" in done.stderr


@pytest.mark.parametrize(
    ("executor", "redis", "starts"),
    [("LocalExecutor", 1, True), ("CeleryExecutor", 1, False), ("CeleryExecutor", 0, True)],
)
def test_celery_without_redis_is_told_at_the_start(tmp_path: Path, executor: str, redis: int, starts: bool) -> None:
    stand_in(tmp_path, "airflow", 'echo "airflow $*"')
    stand_in(tmp_path, "python", f"exit {redis}")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AIRFLOW__CORE__EXECUTOR": executor}
    command = ["bash", DEPLOY / "airflow/initialise.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is starts
    assert done.stdout == ("airflow db migrate\n" if starts else "")
    assert ("COMPOSE_PROFILES" in done.stderr) is not starts


def test_alertmanager_starts_with_its_addresses_as_files(tmp_path: Path) -> None:
    stand_in(tmp_path, "alertmanager", 'echo "$* [${ALERT_PAGE_URL-gone}] [${url-gone}]"')
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "ticket_url").write_text("of the last start")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SECRETS_FOLDER": str(secrets),
        "ALERT_PAGE_URL": "https://example.com/a?b=$c&d",
        "ALERT_TICKET_URL": "",
        "ALERT_DEAD_MANS_SWITCH_URL": "https://example.com/alive",
    }
    command = ["sh", DEPLOY / "compose/start_alertmanager.sh", "--config.file=/x"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "--config.file=/x [gone] [gone]\n"
    written = {path.name: path.read_text() for path in secrets.iterdir()}
    assert written == {
        "page_url": environment["ALERT_PAGE_URL"],
        "dead_mans_switch_url": environment["ALERT_DEAD_MANS_SWITCH_URL"],
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets.iterdir())


def test_alertmanager_is_told_every_address_its_configuration_reads() -> None:
    read = set(re.findall(r"/run/secrets/(\w+)", (DEPLOY / "alertmanager/alertmanager.yml").read_text()))
    names = re.search(r"for name in (.+); do", (DEPLOY / "compose/start_alertmanager.sh").read_text())
    assert names
    assert read == {f"{name.lower()}_url" for name in names[1].split()}


def test_redis_takes_its_password_from_standard_input(tmp_path: Path) -> None:
    """The script of the compose file, run for real: without the password nobody is answered."""
    server, client = shutil.which("redis-server"), shutil.which("redis-cli")
    if not server or not client:
        pytest.skip("redis-server is not installed")
    service = yaml.safe_load((DEPLOY.parent / "docker-compose.yaml").read_text())["services"]["redis"]
    script = (
        service["command"][0]
        .replace("$$", "$")
        .replace("dir /tmp", f"port {free_port()}\nbind 127.0.0.1\ndir {tmp_path}")
    )
    port = re.search(r"port (\d+)", script)
    assert port
    running = subprocess.Popen(
        ["sh", "-c", script], env={**os.environ, "REDIS_PASSWORD": "s3cret"}, stdout=subprocess.DEVNULL
    )
    try:
        ping = [client, "-p", port[1], "ping"]
        allowed = {**os.environ, "REDISCLI_AUTH": "s3cret"}
        wait_until(lambda: b"PONG" in subprocess.run(ping, env=allowed, capture_output=True, check=False).stdout)
        refused = subprocess.run(ping, capture_output=True, text=True, check=False)
        assert "NOAUTH" in refused.stdout
        assert "s3cret" not in Path(f"/proc/{running.pid}/cmdline").read_text()
        persisted = [client, "-p", port[1], "config", "get", "save"]
        assert subprocess.run(persisted, env=allowed, capture_output=True, text=True, check=True).stdout == "save\n\n"
    finally:
        running.terminate()
        assert running.wait(timeout=20) == 0


def test_databases_are_made_once_and_passwords_follow(tool, cluster: PostgresCluster) -> None:
    def run(airflow_password: str) -> None:
        secrets = {"AIRFLOW_DATABASE_PASSWORD": airflow_password, "MLFLOW_DATABASE_PASSWORD": "m"}
        secrets["AIRFLOW_JANITOR_PASSWORD"] = "j"
        sql = DEPLOY / "postgres/databases.sql"
        done = tool("psql", "--quiet", "--no-psqlrc", "-d", cluster.dsn(), "-f", sql, env={**os.environ, **secrets})
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""

    for password in ("first'quoted", "second"):
        run(password)
        with psycopg.connect(cluster.dsn("airflow", "airflow", password)) as connection:
            owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'airflow'"
            assert connection.execute(owner).fetchone() == ("airflow",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.dsn("airflow", "airflow", "first'quoted"))
    for database, role, secret in (
        ("airflow", "mlflow", "m"),
        ("mlflow", "airflow_janitor", "j"),
        ("postgres", "mlflow", "m"),
    ):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(cluster.dsn(database, role, secret))
    psycopg.connect(cluster.dsn("airflow", "airflow_janitor", "j")).close()
