"""What the demo left behind, beside the budget of a run: a leak is seen before it has gone on for a month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import LiteralString

import psutil
import psycopg
import pytest

from benchmarks.month.budget import breaches, limits
from benchmarks.month.sample import Figures, of_databases, of_files, of_processes, processes
from include.maintenance.metadata import clean_metadata, metadata_url
from include.maintenance.removed import Removed
from include.stack.credentials import Credentials, load_or_create
from include.stack.environment import METADATA_DATABASE, child_environment, stack_environment
from include.stack.processes import SessionBook
from tests.airflow.running import RunningStack

FORBIDDEN: tuple[LiteralString, ...] = (
    "select * from connection",
    "select * from variable",
    "delete from dag",
    "update dag_run set state = 'success'",
)
RENAMED = ("airflow api_server", "airflow worker -- LocalExecutor", "postgres: airflow", "postgres: checkpointer")
pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def credentials(stack: RunningStack) -> Credentials:
    return load_or_create(stack.layout.credentials)[0]


def dsn(stack: RunningStack, user: str, password: str) -> str:
    return f"host=127.0.0.1 port={stack.ports.postgres} dbname={METADATA_DATABASE} user={user} password={password}"


def test_logs_and_metadata_of_a_run_memory_and_open_files_keep_the_budget(
    stack: RunningStack, credentials: Credentials
) -> None:
    api = stack.api()
    runs = sum(len(api.runs(dag_id)) for dag_id in api.dags())
    of_runs = of_files(stack.layout) | of_databases(dsn(stack, "postgres", credentials.postgres))
    figures: Figures = {name: of_runs[name] / runs for name in ("log_bytes", "metadata_rows")}
    leaders = SessionBook(stack.layout.sessions).sessions()
    postgres = {pid: "postgres" for pid in leaders if psutil.Process(pid).name() == "postgres"}
    assert len(postgres) == 1
    figures |= of_processes(stack.layout, postgres)
    print({name: round(value) for name, value in figures.items()})
    assert breaches(figures, limits("run")) == []


def test_processes_that_named_themselves_anew_are_counted(stack: RunningStack) -> None:
    named = " ".join(" ".join(process.cmdline()) for process in processes(stack.layout))
    for name in (
        "airflow api_server",
        "airflow worker -- LocalExecutor",
        "postgres: airflow",
        "postgres: checkpointer",
    ):
        assert name in named, name


def test_old_history_goes_by_the_role_of_maintenance_which_reads_no_secret(
    stack: RunningStack, credentials: Credentials
) -> None:
    user, password = "airflow_janitor", credentials.airflow_janitor
    environ = child_environment(stack_environment(stack.layout, stack.ports, credentials))
    with (
        psycopg.connect(dsn(stack, "postgres", credentials.postgres), autocommit=True) as administrator,
        psycopg.connect(dsn(stack, user, password), autocommit=True) as janitor,
    ):
        for _ in range(3):
            administrator.execute("insert into log (dttm, event) values ('2001-01-01', 'planted')")
        # What a clean that was killed leaves behind.
        janitor.execute("create table _airflow_deleted__log__20010101 as select * from log where event = 'planted'")
        url = metadata_url("127.0.0.1", stack.ports.postgres, METADATA_DATABASE, user, password)
        before = datetime(2002, 1, 1, tzinfo=UTC)
        assert clean_metadata(url, before, dry_run=False, environ=environ) == [Removed("log", 3)]
        assert counted(administrator, "select count(*) from log where event = 'planted'") == 0
        assert counted(administrator, "select count(*) from pg_tables where starts_with(tablename, '_airflow_')") == 0
        for refused in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                janitor.execute(refused)


def counted(connection: psycopg.Connection[tuple[int]], query: LiteralString) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
