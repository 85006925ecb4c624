"""What the stack's processes inherit, and what a person's terminal takes over from `make env`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManagerRole

from include.clock import CLOCK_URL_VARIABLE
from include.stack import query
from include.stack.components import service_components
from include.stack.credentials import Credentials
from include.stack.environment import (
    STACK_VARIABLE,
    WORLD_VARIABLE,
    child_environment,
    facts_environment,
    stack_environment,
)
from include.stack.executor import Executor
from include.stack.layout import Layout, Ports


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path, "live")
    made.make()
    (tmp_path / "world").write_text("live")
    return made


def test_a_live_stack_never_inherits_a_replayed_world(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    # In a terminal that took over the settings of a demo, as `eval "$(make -s env)"` does.
    for name, value in stack_environment(Layout(layout.var, "synthetic"), Ports(), Credentials()).items():
        monkeypatch.setenv(name, value)
    assert "9009" in os.environ["AIRFLOW_CONN_BINANCE"] + os.environ[CLOCK_URL_VARIABLE]
    environment = child_environment(stack_environment(layout, Ports(), Credentials()))
    assert CLOCK_URL_VARIABLE not in environment
    assert "data-api.binance.vision" in environment["AIRFLOW_CONN_BINANCE"]


def test_a_live_source_may_be_given_another_host_or_a_key(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORLD_VARIABLE, raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_BINANCE", "https://api.binance.us")
    monkeypatch.setenv("AIRFLOW_CONN_DEADLINE_ALERTS", "generic://")
    environment = stack_environment(layout, Ports(), Credentials())
    assert environment["AIRFLOW_CONN_BINANCE"] == "https://api.binance.us"
    assert environment["AIRFLOW_CONN_DEADLINE_ALERTS"] == "generic://"


def test_what_a_person_starts_in_a_terminal_carries_no_mark(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    # A sweep ends every process with the mark: an editor started after `eval "$(make -s env)"` must not be one.
    monkeypatch.setattr(query, "read_lock", lambda var: 4711)
    monkeypatch.setattr(query.databases, "migrate_airflow", lambda *given, **named: None)
    for database in ("development", "live"):
        environment = query.development_environment(layout.var, database, print)  # type: ignore[arg-type]
        assert STACK_VARIABLE not in environment
        assert environment["AIRFLOW_HOME"] == str(layout.airflow_home)


def test_only_the_receiver_knows_the_monitors_password_and_by_its_environment(layout: Layout) -> None:
    credentials = Credentials()
    everybody = stack_environment(layout, Ports(), credentials)
    facts = facts_environment(Ports(), credentials)
    assert set(facts) == {"FACTS_WAREHOUSE_DSN", "FACTS_AIRFLOW_DSN"}
    assert all(f"password={credentials.monitor}" in dsn and "user=monitor" in dsn for dsn in facts.values())
    parts = service_components(layout, Ports(), everybody, None, facts)
    assert [part.name for part in parts if facts.items() <= part.environment.items()] == ["statsd"]
    shown = [*everybody.values(), *(word for part in parts for word in part.command)]
    assert not any(credentials.monitor in text for text in shown)


def test_every_role_of_airflow_has_one_user_with_a_password(layout: Layout) -> None:
    credentials = Credentials()
    told = stack_environment(layout, Ports(), credentials)["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
    role_by_user = dict(each.split(":") for each in told.split(","))
    assert sorted(role.upper() for role in role_by_user.values()) == sorted(role.name for role in SimpleAuthManagerRole)
    passwords = credentials.airflow_users()
    assert passwords.keys() == role_by_user.keys()
    assert len(set(passwords.values())) == len(passwords)


def test_the_data_api_reads_as_the_reader(layout: Layout) -> None:
    credentials = Credentials()
    reader = json.loads(stack_environment(layout, Ports(), credentials)["AIRFLOW_CONN_WAREHOUSE_READER"])
    assert (reader["login"], reader["password"]) == ("warehouse_reader", credentials.warehouse_reader)


def test_a_terminal_has_the_executor_of_the_stack_it_belongs_to(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_EXECUTOR", raising=False)
    monkeypatch.setattr(query, "read_lock", lambda var: 4711)
    Executor(6, 3).note(layout.var)
    environment = query.development_environment(layout.var, "live", print)
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "2"
