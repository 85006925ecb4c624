"""Least privilege, by trying: what each role must not do is refused by PostgreSQL, and what it must do works."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from include.backup.database import access_of
from include.stack import databases
from include.stack.credentials import Credentials
from include.stack.environment import DEVELOPMENT_DATABASE, METADATA_DATABASE, MLFLOW_DATABASE, WAREHOUSE_DATABASE
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES
from tests.conftest import WarehouseTemplate

DENIED = "42501"  # insufficient_privilege
OWNER, WRITER, READER, MONITOR = ROLES
AIRFLOW, JANITOR, MLFLOW = "airflow", "airflow_janitor", "mlflow"
EVERYBODY = (*ROLES, AIRFLOW, JANITOR, MLFLOW)
HOMES = {AIRFLOW: METADATA_DATABASE, JANITOR: METADATA_DATABASE, MLFLOW: MLFLOW_DATABASE}

# What is evidence: added to, never altered, not even by the role that adds. The second group nobody but the owner or
# the administrator writes at all.
APPEND_ONLY = {
    "market.attestation",
    "market.candle_revision",
    "market.fear_greed_revision",
    "ml.forecast",
    "ml.promotion",
    "ml.training_run",
    "ops.circuit_event",
    "ops.repair_step",
    "ops.world",
}
NOT_THE_WRITERS = {"ops.backup", "ops.migration"}
KEPT = {"ml.forecast_score", "ml.refusal", "mart.price_alert"}  # amended, never deleted

# Anything that reaches beyond tables: nobody in daily work may.
BEYOND = {
    "a table in public": "create table public.stolen (a integer)",
    "a view in public": "create view public.stolen as select 1 as a",
    "a function in public": "create function public.stolen() returns integer language sql return 1",
    "a table beside the data": "create table market.stolen (a integer)",
    "a schema": "create schema stolen",
    "an extension": "create extension dblink",
    "a database": "create database stolen",
    "a role": "create role stolen",
    "more rights for itself": "alter role current_user superuser",
    "the owner's hat": "set role warehouse_owner",
    "the superuser's hat": "set session authorization postgres",
    "triggers off": "set session_replication_role = replica",
    "server settings": "alter system set fsync = off",
    "a program": "copy (select 1) to program 'true'",
    "a file of the server": "select pg_read_file('postgresql.conf')",
    "others' password hashes": "select rolpassword from pg_authid",
    "a trigger's text": "alter function ml.refuse_change() rename to harmless",
    "a seal's removal": "drop trigger forecast_is_sealed on ml.forecast",
}


# Variables that databases.sql reads, and whose password each is.
CONTAINER_PASSWORDS = """
AIRFLOW_DATABASE_PASSWORD=airflow_database AIRFLOW_JANITOR_PASSWORD=airflow_janitor
MLFLOW_DATABASE_PASSWORD=mlflow_database
"""


class Server:
    """The whole installation's databases and roles, made by the code that makes them in the embedded stack."""

    def __init__(self, cluster: PostgresCluster, credentials: Credentials) -> None:
        self._cluster, self.credentials = cluster, credentials

    @contextmanager
    def session(self, role: str, database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        secret = {AIRFLOW: "airflow_database", MLFLOW: "mlflow_database"}.get(role, role)
        dsn = self._cluster.dsn(database, role, getattr(self.credentials, secret))
        with psycopg.connect(dsn) as connection:
            # The read-only default of who looks is a courtesy that anybody can switch off: rights have to hold alone.
            connection.execute("set session characteristics as transaction read write")
            connection.commit()
            yield connection
            connection.rollback()

    def administrator(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._cluster.dsn(database), autocommit=True)


@pytest.fixture(scope="module")
def server(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[Server]:
    credentials = Credentials(**warehouse_template.passwords)
    databases.prepare(cluster, credentials)
    server = Server(cluster, credentials)
    yield server
    with server.administrator("postgres") as postgres:
        # The cluster is other tests' as well.
        postgres.execute("grant connect, temporary on database postgres, template1 to public")
        for name in (WAREHOUSE_DATABASE, METADATA_DATABASE, DEVELOPMENT_DATABASE, MLFLOW_DATABASE):
            postgres.execute(f'drop database "{name}" with (force)')


def refusal(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> str | None:
    """SQLSTATE the statement is refused with; None where it went through (it is undone)."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def tables(server: Server) -> list[str]:
    with server.administrator(WAREHOUSE_DATABASE) as connection:
        rows = connection.execute(
            "select format('%I.%I', n.nspname, c.relname), (select quote_ident(attname) from pg_attribute "
            "where attrelid = c.oid and attnum > 0 and attgenerated = '' and attidentity = '' order by attnum limit 1) "
            "from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid "
            "where c.relkind in ('r', 'p') and n.nspname in ('market', 'features', 'mart', 'ml', 'ops', 'public') "
            "order by 1"
        ).fetchall()
    assert len(rows) > 30
    return [f"{name} {column}" for name, column in rows]


def changes(table: str) -> dict[str, str]:
    """Each way to change a table, harmless where it is allowed."""
    name, column = table.split()
    return {
        "insert": f"insert into {name} ({column}) select null where false",
        "update": f"update {name} set {column} = null where false",
        "delete": f"delete from {name} where false",
    }


def rebuilds(table: str) -> dict[str, str]:
    name, column = table.split()
    return {
        "truncate": f"truncate {name}",
        "drop": f"drop table {name} cascade",
        "alter": f"alter table {name} add column stolen integer",
        "disable": f"alter table {name} disable trigger user",
        "index": f"create index stolen on {name} ({column})",
        "owner": f"alter table {name} owner to current_user",
        "grant": f"alter table {name} enable row level security",
    }


@pytest.mark.parametrize("role", [READER, MONITOR])
def test_who_looks_changes_no_table(server: Server, role: str) -> None:
    with server.session(role, WAREHOUSE_DATABASE) as connection:
        went = {
            f"{verb} {table}": state
            for table in tables(server)
            for verb, text in (changes(table) | rebuilds(table)).items()
            if (state := refusal(connection, text)) != DENIED
        }
    assert went == {}


def test_who_loads_rebuilds_no_table(server: Server) -> None:
    with server.session(WRITER, WAREHOUSE_DATABASE) as connection:
        went = {
            f"{verb} {table}": state
            for table in tables(server)
            for verb, text in rebuilds(table).items()
            if (state := refusal(connection, text)) != DENIED
        }
    assert went == {}


def test_who_loads_adds_to_evidence_and_alters_none_of_it(server: Server) -> None:
    allowed: dict[str, set[str]] = {}
    with server.session(WRITER, WAREHOUSE_DATABASE) as connection:
        for table in tables(server):
            states = {verb: refusal(connection, text) for verb, text in changes(table).items()}
            assert set(states.values()) <= {None, DENIED}, (table, states)
            allowed[table.split()[0]] = {verb for verb, state in states.items() if state != DENIED}
    for name in NOT_THE_WRITERS:
        assert allowed.pop(name) == set(), name
    for name in APPEND_ONLY:
        assert allowed.pop(name) == {"insert"}, name
    for name in KEPT:
        assert allowed.pop(name) == {"insert", "update"}, name
    assert {name: verbs for name, verbs in allowed.items() if verbs != {"insert", "update", "delete"}} == {}


@pytest.mark.parametrize("role", [WRITER, READER, MONITOR])
@pytest.mark.parametrize("wish", BEYOND)
def test_nobody_in_daily_work_reaches_beyond_the_tables(server: Server, role: str, wish: str) -> None:
    with server.session(role, WAREHOUSE_DATABASE) as connection:
        if wish == "a database" or wish == "server settings":  # these refuse a transaction before they look at rights
            connection.autocommit = True
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(BEYOND[wish])
            connection.autocommit = False
        else:
            assert refusal(connection, BEYOND[wish]) == DENIED


@pytest.mark.parametrize("role", [READER, MONITOR])
def test_who_looks_makes_no_temporary_table(server: Server, role: str) -> None:
    with server.session(role, WAREHOUSE_DATABASE) as connection:
        assert refusal(connection, "create temp table stolen (a integer)") == DENIED


@pytest.mark.parametrize("function", ["add_ticker_month('2024-01-01')", "drop_ticker_month('2024-01-01', now())"])
@pytest.mark.parametrize("role", [READER, MONITOR])
def test_functions_with_the_owners_rights_are_the_writers_alone(server: Server, role: str, function: str) -> None:
    with server.session(role, WAREHOUSE_DATABASE) as connection:
        assert refusal(connection, f"select market.{function}") == DENIED


def test_functions_with_the_owners_rights_keep_to_their_own_schemas(server: Server) -> None:
    with server.administrator(WAREHOUSE_DATABASE) as connection:
        rows = connection.execute(
            "select oid::regprocedure::text, coalesce(array_to_string(proconfig, ' '), ''), "
            "has_function_privilege('public', oid, 'execute') from pg_proc as p where prosecdef "
            "and pronamespace in (select oid from pg_namespace where nspname !~ '^(pg_|information_schema)')"
        ).fetchall()
    assert rows
    assert [
        name for name, settings, _ in rows if not re.search(r"search_path=pg_catalog,.*pg_temp", str(settings))
    ] == []
    assert [name for name, _, everybody in rows if everybody] == []


@pytest.mark.parametrize(
    ("role", "database"),
    [
        *((role, METADATA_DATABASE) for role in (WRITER, READER, OWNER)),
        *((role, DEVELOPMENT_DATABASE) for role in (WRITER, READER, OWNER)),
        *((role, MLFLOW_DATABASE) for role in (WRITER, READER, OWNER)),
        (MONITOR, MLFLOW_DATABASE),
        (AIRFLOW, WAREHOUSE_DATABASE),
        (AIRFLOW, MLFLOW_DATABASE),
        (JANITOR, WAREHOUSE_DATABASE),
        (JANITOR, MLFLOW_DATABASE),
        (MLFLOW, WAREHOUSE_DATABASE),
        (MLFLOW, METADATA_DATABASE),
        *((role, database) for role in EVERYBODY for database in ("postgres", "template1")),
    ],
)
def test_nobody_enters_another_services_database(server: Server, role: str, database: str) -> None:
    with (
        pytest.raises(psycopg.OperationalError, match="permission denied for database"),
        server.session(role, database),
    ):
        pass


@pytest.mark.parametrize("column", ["quarantine raw", "quarantine request", "attestation request_url"])
def test_the_monitor_reads_no_raw_text(server: Server, column: str) -> None:
    table, name = column.split()
    with server.session(MONITOR, WAREHOUSE_DATABASE) as connection:
        assert refusal(connection, f"select * from market.{table}") == DENIED, name


def test_containers_give_nobody_more(cluster: PostgresCluster, server: Server) -> None:
    """deploy/postgres/databases.sql, run over what the embedded stack made, adds no right to any database."""
    psql = cluster.binaries.folder / "psql"
    if not psql.exists():
        pytest.skip(f"no psql beside {cluster.binaries.folder}")
    script = Path(__file__).parents[2] / "deploy/postgres/databases.sql"
    with server.administrator("postgres") as connection:
        # The embedded stack does this once Airflow's own migration has run.
        connection.execute(f"grant connect on database {METADATA_DATABASE} to {JANITOR}")
        before = {name: access_of(connection, name) for name in (METADATA_DATABASE, MLFLOW_DATABASE, "postgres")}
        passwords = {
            name: getattr(server.credentials, field) for name, field in re.findall(r"(\w+)=(\w+)", CONTAINER_PASSWORDS)
        }
        assert set(passwords) == set(re.findall(r"^\\getenv \w+ (\w+)$", script.read_text(), re.MULTILINE))
        command = [str(psql), "--quiet", "--no-psqlrc", f"--file={script}", cluster.dsn()]
        subprocess.run(command, env={**os.environ, **passwords}, check=True, capture_output=True, timeout=60)
        assert {name: access_of(connection, name) for name in before} == before


def test_no_role_has_a_power_of_the_server(server: Server) -> None:
    with server.administrator("postgres") as connection:
        rows = connection.execute(
            "select rolname from pg_roles where rolname = any(%s) "
            "and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)",
            (list(EVERYBODY),),
        ).fetchall()
        assert rows == []
        members = connection.execute(
            "select member::regrole::text, roleid::regrole::text from pg_auth_members "
            "where member::regrole::text = any(%s)",
            (list(EVERYBODY),),
        ).fetchall()
    assert members == [(MONITOR, "pg_read_all_stats")]


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_wrong_password_is_refused_without_being_repeated(
    cluster: PostgresCluster, server: Server, role: str
) -> None:
    wrong = "planted-wrong-password"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed") as refused:
        psycopg.connect(make_conninfo(cluster.dsn(HOMES.get(role, WAREHOUSE_DATABASE), role), password=wrong))
    assert wrong not in str(refused.value)


MAY: dict[str, tuple[str, str, str]] = {
    "the reader reads what consumers read": (READER, WAREHOUSE_DATABASE, "select count(*) from public.crypto_prices"),
    "the reader reads evidence": (READER, WAREHOUSE_DATABASE, "select count(*) from ml.forecast"),
    "the writer adds": (
        WRITER,
        WAREHOUSE_DATABASE,
        "insert into market.instrument (venue, symbol, venue_symbol, listed_at) values ('a', 'A/B', 'AB', now())",
    ),
    "the writer stages": (
        WRITER,
        WAREHOUSE_DATABASE,
        "create temp table staging on commit drop as table market.candle",
    ),
    "the writer opens a month": (WRITER, WAREHOUSE_DATABASE, "select market.add_ticker_month('2031-01-01')"),
    "the owner migrates": (OWNER, WAREHOUSE_DATABASE, "create table market.next (a integer)"),
    "the monitor reads ages": (MONITOR, WAREHOUSE_DATABASE, "select max(finished_at) from ops.backup"),
    "Airflow migrates itself": (AIRFLOW, METADATA_DATABASE, "create table public.next (a integer)"),
    "Airflow's twin too": (AIRFLOW, DEVELOPMENT_DATABASE, "create table public.next (a integer)"),
    "MLflow migrates itself": (MLFLOW, MLFLOW_DATABASE, "create table public.next (a integer)"),
}


@pytest.mark.parametrize("work", MAY)
def test_what_a_role_is_there_for_works(server: Server, work: str) -> None:
    role, database, statement = MAY[work]
    with server.session(role, database) as connection:
        assert refusal(connection, statement) is None


@pytest.mark.parametrize("role", [READER, MONITOR])
def test_who_looks_is_read_only_by_default(cluster: PostgresCluster, server: Server, role: str) -> None:
    with server.session(role, WAREHOUSE_DATABASE) as connection:
        connection.execute("reset default_transaction_read_only")
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
