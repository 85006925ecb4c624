"""The small programs of deploy/: each run for real, its failures included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from include.stack.postgres import PostgresCluster

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


def test_api_server_starts_with_the_given_password(tmp_path: Path) -> None:
    program = tmp_path / "airflow"
    program.write_text('#!/bin/sh\necho "$1 [${AIRFLOW_ADMIN_PASSWORD-gone}]"\n')
    program.chmod(0o755)
    (tmp_path / "python").symlink_to(sys.executable)
    file = tmp_path / "passwords.json"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "AIRFLOW_ADMIN_PASSWORD": 'with "quotes"',
    }
    command = ["bash", DEPLOY / "airflow/start_api_server.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "api-server [gone]\n"
    assert json.loads(file.read_text()) == {"admin": 'with "quotes"'}
    assert file.stat().st_mode & 0o077 == 0
    del environment["AIRFLOW_ADMIN_PASSWORD"]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode != 0


def test_databases_are_made_once_and_passwords_follow(tool, cluster: PostgresCluster) -> None:
    def run(airflow_password: str) -> None:
        secrets = {"AIRFLOW_DATABASE_PASSWORD": airflow_password, "MLFLOW_DATABASE_PASSWORD": "m"}
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
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(cluster.dsn("airflow", "mlflow", "m"))
