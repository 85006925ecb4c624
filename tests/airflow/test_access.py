"""Who gets in: nobody without logging in, nobody from another machine, and no secret is left lying about."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import psutil
import psycopg
import pytest
import requests
from psycopg.conninfo import make_conninfo

from include.stack.credentials import Credentials
from include.stack.environment import METADATA_DATABASE
from tests.airflow.running import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

# Pages of the login and what a load balancer asks; they tell nothing of the data.
OPEN = re.compile(r"^/api/v2/(monitor/health|version|auth/log(in|out))$|^/auth/|^/openapi\.json$")


def url(stack: RunningStack, path: str) -> str:
    return f"http://127.0.0.1:{stack.ports.airflow}{path}"


def credentials(stack: RunningStack) -> Credentials:
    return Credentials(**json.loads(stack.layout.credentials.read_text()))


def metadata_dsn(stack: RunningStack, role: str, password: str) -> str:
    port = stack.ports.postgres
    return make_conninfo(host="127.0.0.1", port=port, dbname=METADATA_DATABASE, user=role, password=password)


def test_every_route_of_the_api_asks_who_is_there(stack: RunningStack) -> None:
    described = requests.get(url(stack, "/openapi.json"), timeout=30).json()["paths"]
    let_in, asked = {}, 0
    for path, methods in described.items():
        if OPEN.match(path):
            continue
        filled = re.sub(r"\{[^}]+\}", "1", path)
        for method in methods:
            asked += 1
            status = requests.request(
                method, url(stack, filled), json={}, timeout=30, allow_redirects=False
            ).status_code
            if status not in (401, 403):
                let_in[f"{method} {path}"] = status
    assert asked > 100
    assert let_in == {}


@pytest.mark.parametrize(
    "path", ["/ui/dags", "/ui/config", "/ui/structure/structure_data?dag_id=ohlcv_hourly", "/ui/connections/hook_meta"]
)
def test_the_pages_data_ask_as_well(stack: RunningStack, path: str) -> None:
    assert requests.get(url(stack, path), timeout=30, allow_redirects=False).status_code in (401, 403)


@pytest.mark.parametrize(
    "token", ["", "Bearer ", "Bearer nonsense", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."]
)
def test_no_made_up_token_opens(stack: RunningStack, token: str) -> None:
    answer = requests.get(url(stack, "/api/v2/connections"), headers={"Authorization": token}, timeout=30)
    assert answer.status_code in (401, 403)


def test_a_wrong_password_gets_no_token_and_the_right_one_does(stack: RunningStack) -> None:
    def login(password: str) -> int:
        given = {"username": "admin", "password": password}
        return requests.post(url(stack, "/auth/token"), json=given, timeout=30).status_code

    assert login("admin") in (401, 403)
    assert login("") in (400, 401, 403, 422)
    assert login(credentials(stack).airflow_admin) == 201


def test_the_tasks_api_is_closed_to_others(stack: RunningStack) -> None:
    for path in ("/execution/connections/warehouse", "/execution/variables/archive_uri"):
        assert requests.get(url(stack, path), timeout=30).status_code in (401, 403)


def test_everything_listens_on_the_loopback_alone(stack: RunningStack) -> None:
    ours = set(asdict(stack.ports).values())
    pids = {process.pid for process in stack.processes()}
    listening = {
        (socket.laddr.ip, socket.laddr.port)
        for socket in psutil.net_connections("inet")
        if socket.laddr.port == stack.ports.statsd  # UDP knows no listening; who sends has a port of every address too
        or (socket.status == psutil.CONN_LISTEN and (socket.laddr.port in ours or socket.pid in pids))
    }
    assert {stack.ports.airflow, stack.ports.postgres, stack.ports.mlflow, stack.ports.statsd} <= {
        port for _, port in listening
    }
    assert {(ip, port) for ip, port in listening if ip not in ("127.0.0.1", "::1")} == set()


def test_no_secret_stands_in_an_argument_or_in_a_log(stack: RunningStack) -> None:
    held = credentials(stack)
    secrets = {name: getattr(held, name) for name in Credentials.__slots__}
    assert all(len(secret) > 15 for secret in secrets.values())
    shown = {
        f"arguments of {process.name()}: {name}"
        for process in stack.processes()
        for name, secret in secrets.items()
        if secret in " ".join(process.cmdline())
    }
    assert shown == set()
    logs = [path for path in stack.layout.logs.rglob("*") if path.is_file()]
    assert len(logs) > 20
    leaked = {
        f"{path.relative_to(stack.layout.logs)}: {name}"
        for path in [*logs, stack.log]
        for name, secret in secrets.items()
        if secret in path.read_text(errors="replace") and not (path == stack.log and name == "airflow_admin")
    }
    assert leaked == set(), "the first start's own line with Airflow's login is the only one there may be"


def test_no_secret_is_stored_or_shown_as_a_metric(stack: RunningStack) -> None:
    held = credentials(stack)
    secrets = {name: getattr(held, name) for name in Credentials.__slots__}
    page = requests.get(f"http://127.0.0.1:{stack.ports.metrics}/metrics", timeout=30).text
    with stack.warehouse() as warehouse:
        names = warehouse.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('ops', 'ml') "
            "union all select 'market.quarantine'"
        ).fetchall()
        rows = [str(row) for (name,) in names for row in warehouse.execute(f"select t::text from {name} as t")]
    assert len(rows) > 20
    text = page + "\n".join(rows)
    assert [name for name, secret in secrets.items() if secret in text] == []


def test_what_holds_secrets_is_for_its_owner_alone(stack: RunningStack) -> None:
    for path in (stack.layout.credentials, stack.layout.airflow_home / "passwords.json"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert stack.layout.airflow_home.stat().st_mode & 0o077 == 0


SECRET_TABLES = ("connection", "variable", "serialized_dag", "rendered_task_instance_fields")


@pytest.mark.parametrize(
    ("role", "table"),
    [*((role, table) for role in ("monitor", "airflow_janitor") for table in SECRET_TABLES), ("monitor", "xcom")],
)
def test_no_other_role_reads_or_writes_what_airflow_keeps_secret(stack: RunningStack, role: str, table: str) -> None:
    dsn = metadata_dsn(stack, role, getattr(credentials(stack), role))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set session characteristics as transaction read write")
        for statement in ("select * from public.{}", "delete from public.{}", "insert into public.{} default values"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.format(table))


def test_the_monitor_makes_nothing_in_airflows_database(stack: RunningStack) -> None:
    dsn = metadata_dsn(stack, "monitor", credentials(stack).monitor)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set session characteristics as transaction read write")
        for statement in ("create table public.stolen (a integer)", "create temp table stolen (a integer)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_stored_connection_is_encrypted_and_never_shown(stack: RunningStack) -> None:
    """What Airflow stores of a connection's password is no use without the Fernet key."""
    secret = "planted-connection-4711"
    api = stack.api()
    body = {"connection_id": "planted", "conn_type": "http", "password": secret}
    api.call("POST", "connections", json=body)
    try:
        with psycopg.connect(metadata_dsn(stack, "airflow", credentials(stack).airflow_database)) as connection:
            row = connection.execute("select c::text from connection as c where conn_id = 'planted'").fetchone()
        assert row is not None
        assert secret not in str(row)
        shown = api.call("GET", "connections/planted").text
        assert secret not in shown
    finally:
        api.call("DELETE", "connections/planted")
