"""What the janitor of Airflow's metadata may trim, before and after a Celery worker has made its tables."""

from __future__ import annotations

import secrets

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from include.maintenance.metadata import CELERY_RESULTS, HISTORY, _granted
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ensure_role
from include.warehouse.sql import statement

RIGHTS = "maintenance/metadata_rights.sql"


@pytest.fixture
def janitor(cluster: PostgresCluster, empty_database: str) -> str:
    """DSN that acts as the janitor in a database with Airflow's tables, as far as their names go."""
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        ensure_role(connection, "airflow_janitor", secrets.token_urlsafe(12))
    with psycopg.connect(empty_database) as airflow:
        for name in (*HISTORY, "asset_partition_dag_run"):
            airflow.execute(sql.SQL("create table {} ()").format(sql.Identifier(name)))
        airflow.execute("create sequence log_id_seq")
        airflow.execute(statement(RIGHTS))
    return make_conninfo(empty_database, options="-c role=airflow_janitor")


def test_celerys_results_are_trimmed_from_the_start_after_the_first_workers(empty_database: str, janitor: str) -> None:
    assert _granted(janitor) == []
    with psycopg.connect(empty_database, autocommit=True) as airflow, psycopg.connect(janitor) as connection:
        for name in CELERY_RESULTS:
            airflow.execute(sql.SQL("create table {} (date_done timestamp)").format(sql.Identifier(name)))
        assert _granted(janitor) == [], "asked for, they would fail the whole command"
        for _ in range(2):
            airflow.execute(statement(RIGHTS))
        assert _granted(janitor) == list(CELERY_RESULTS)
        for name in CELERY_RESULTS:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("update {} set date_done = null").format(sql.Identifier(name)))
        airflow.execute("revoke select on celery_taskmeta from airflow_janitor")
    assert _granted(janitor) == ["celery_tasksetmeta"]


def test_the_history_is_trimmed_as_it_is_granted(empty_database: str, janitor: str) -> None:
    with psycopg.connect(janitor) as connection:
        for name in HISTORY:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("select from {}").format(sql.Identifier(name)))
    with psycopg.connect(empty_database) as airflow:
        granted = airflow.execute(
            "select distinct table_name from information_schema.role_table_grants "
            "where grantee = 'airflow_janitor' and privilege_type = 'DELETE'"
        )
        assert {name for (name,) in granted} == set(HISTORY)
