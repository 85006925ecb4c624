"""The databases of the embedded cluster: warehouse, Airflow's metadata, MLflow's store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict

import psycopg

from include.features.schema import install_features
from include.stack.credentials import Credentials
from include.stack.environment import (
    DEVELOPMENT_DATABASE,
    METADATA_DATABASE,
    MLFLOW_DATABASE,
    WAREHOUSE_DATABASE,
)
from include.stack.layout import Layout, StackError
from include.stack.postgres import PostgresCluster
from include.stack.processes import Component
from include.warehouse.bootstrap import ROLES, bootstrap, ensure_database, ensure_role
from include.warehouse.migrations import migrate
from include.warehouse.sql import statement


def component(cluster: PostgresCluster, environment: dict[str, str]) -> Component:
    """PostgreSQL as a supervised component. SIGINT is its fast shutdown."""

    def ready() -> bool:
        try:
            psycopg.connect(cluster.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return Component(
        "postgres",
        cluster.command(),
        server_environment(environment),
        ready,
        cluster.identity.popen,
        signal.SIGINT,
        stop_seconds=30,
    )


def server_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """initdb's locale is C; a caller's LC_* that the server does not know must not reach it."""
    return {name: value for name, value in environment.items() if not name.startswith("LC_")}


def prepare(cluster: PostgresCluster, credentials: Credentials) -> list[str]:
    """Roles, databases and the warehouse's schema; names of the migrations applied now."""
    given = asdict(credentials)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        ensure_role(connection, "airflow", credentials.airflow_database)
        ensure_role(connection, "airflow_janitor", credentials.airflow_janitor)
        ensure_role(connection, "mlflow", credentials.mlflow_database)
        ensure_database(connection, METADATA_DATABASE, "airflow")
        ensure_database(connection, DEVELOPMENT_DATABASE, "airflow")
        ensure_database(connection, MLFLOW_DATABASE, "mlflow")
        connection.execute("revoke connect, temporary on database postgres, template1 from public")
    bootstrap(cluster.dsn(), WAREHOUSE_DATABASE, {role: given[role] for role in ROLES})
    owner = cluster.dsn(WAREHOUSE_DATABASE, "warehouse_owner", credentials.warehouse_owner)
    with psycopg.connect(owner) as connection:
        applied = migrate(connection)
        install_features(connection)
    return applied


def grant_maintenance(cluster: PostgresCluster) -> None:
    """Let `warehouse_maintenance` trim Airflow's history; the tables must have been migrated. Repeatable."""
    with psycopg.connect(cluster.dsn(METADATA_DATABASE), autocommit=True) as connection:
        connection.execute(f"grant connect on database {METADATA_DATABASE} to airflow_janitor")
        connection.execute(statement("maintenance/metadata_rights.sql"))


def migrate_airflow(layout: Layout, environment: dict[str, str], say: Callable[[str], None], suffix: str = "") -> None:
    """Bring a metadata database to this Airflow's schema; skipped where the same lock file did so before.

    Raises StackError with the end of the output where Airflow refuses.
    """
    from importlib.metadata import version

    stamp = layout.airflow_home / f"migrated{suffix}"
    current = version("apache-airflow")
    if stamp.exists() and stamp.read_text() == current:
        return
    say("migrating Airflow's metadata database")
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=os.sep,
        check=False,
    )
    (layout.logs / f"airflow-db-migrate{suffix}.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise StackError(f"airflow db migrate failed:\n{(done.stdout + done.stderr)[-1500:]}")
    stamp.write_text(current)
