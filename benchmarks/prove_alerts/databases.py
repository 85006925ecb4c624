"""A PostgreSQL cluster of the proof's own: our warehouse with its migrations, and Airflow's metadata with Airflow's."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.prove_alerts.programs import ProofError
from include.features.schema import install_features
from include.metrics.airflow_grants import let_monitor_read
from include.stack.layout import ROOT
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES, bootstrap, ensure_database, ensure_role
from include.warehouse.connection import connect
from include.warehouse.migrations import migrate

# Dead rows have to last until they are counted.
SETTINGS = "fsync = off\nautovacuum = off\n"


@dataclass
class Databases:
    """Both databases, as their superuser, and the environment that lets the receiver show their facts."""

    cluster: PostgresCluster
    folder: Path
    facts: dict[str, str]
    process: subprocess.Popen[bytes]
    airflow_login: str
    held: list[psycopg.Connection] = field(default_factory=list)

    def run(self, database: str, statement: str, /, **values: object) -> None:
        """One statement in a transaction of its own, without triggers: what is sealed is dated back here."""
        with psycopg.connect(self.cluster.dsn(database)) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement.encode(), values)

    def insert(self, database: str, table: str, /, **given: object) -> None:
        """A row with these values; other columns that must not be null get a plain value of their type."""
        with psycopg.connect(self.cluster.dsn(database)) as connection:
            connection.execute("set session_replication_role = replica")
            needed = connection.execute(NEEDED, {"table": table}).fetchall()
            values = {name: PLAIN.get(kind, "x") for name, kind in needed} | given
            names, marks = ", ".join(f'"{n}"' for n in values), ", ".join(f"%({n})s" for n in values)
            connection.execute(f"insert into {table} ({names}) values ({marks})".encode(), values)

    def hold(self, count: int, statement: str) -> None:
        """Open sessions that run a statement and go on."""
        for _ in range(count):
            connection = psycopg.connect(self.cluster.dsn("warehouse"))
            connection.execute(statement.encode())
            self.held.append(connection)

    def let_go(self) -> None:
        for connection in self.held:
            connection.close()
        self.held.clear()

    def stop(self) -> None:
        self.cluster.stop(self.process)

    def start(self) -> None:
        self.process = self.cluster.start(self.folder / "postgres.log")


PLAIN: Mapping[str, object] = {
    "timestamp with time zone": "now", "integer": 1, "bigint": 1, "smallint": 1, "numeric": 1, "boolean": False,
    "double precision": 0.5, "jsonb": "{}", "json": "{}", "date": "today",
    "uuid": "00000000-0000-0000-0000-000000000001", "bytea": b"x",
}  # fmt: skip
NEEDED = """
select a.attname, format_type(a.atttypid, null)
from pg_attribute as a
where
    a.attrelid = %(table)s::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull
    and not a.atthasdef and a.attidentity = '' and a.attgenerated = ''
"""


def prepare(folder: Path, port: int) -> Databases:
    """Make and start everything; about a minute, most of it Airflow's migrations."""
    cluster = PostgresCluster(folder / "data", port, secrets.token_urlsafe(12))
    cluster.initialise()
    with (folder / "data/postgresql.auto.conf").open("a") as settings:
        settings.write(SETTINGS)
    process = cluster.start(folder / "postgres.log")
    try:
        passwords = {role: secrets.token_urlsafe(12) for role in (*ROLES, "airflow")}
        dsns = bootstrap(cluster.dsn(), "warehouse", passwords)
        with connect(dsns.owner) as owner:
            migrate(owner)
            install_features(owner)
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            ensure_role(connection, "airflow", passwords["airflow"])
            ensure_database(connection, "airflow", "airflow")
        _migrate_airflow(folder, port, passwords["airflow"])
        metadata = cluster.dsn("airflow", "monitor", passwords["monitor"])
    except BaseException:
        cluster.stop(process)
        raise
    facts = {"FACTS_WAREHOUSE_DSN": dsns.monitor, "FACTS_AIRFLOW_DSN": metadata}
    return Databases(cluster, folder, facts, process, f"airflow:{passwords['airflow']}")


def _migrate_airflow(folder: Path, port: int, password: str) -> None:
    address = f"airflow:{password}@127.0.0.1:{port}/airflow"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    environ |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=environ,
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    if done.returncode:
        raise ProofError(f"airflow db migrate failed:\n{(done.stdout + done.stderr)[-1500:]}")
    let_monitor_read(f"postgresql://{address}")
