"""`python -m include.cli monitor-grants`: lets the role monitor read the facts of Airflow's metadata database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

import psycopg
from psycopg import sql

from include.warehouse.bootstrap import MONITOR
from include.warehouse.sql import statement

URL_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"Environment: {URL_VARIABLE}, Airflow's own connection. Repeat it after each `airflow db migrate`;"
        " the role is made by `migrate`."
    )


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Grant; 0, or 1 with the reason on standard error. Safe to repeat."""
    del options
    url = environ.get(URL_VARIABLE, "")
    if not url.startswith("postgresql"):
        print(f"set {URL_VARIABLE} to the URL of a PostgreSQL database", file=sys.stderr)
        return 1
    try:
        let_monitor_read(url)
    except psycopg.Error as error:
        print(f"the role {MONITOR} was not let read Airflow's metadata: {error}", file=sys.stderr)
        return 1
    print(f"{MONITOR} reads the facts of Airflow's metadata")
    return 0


def let_monitor_read(url: str) -> None:
    """Grant the role monitor what sql/facts reads. url: SQLAlchemy's, of the owner of Airflow's tables."""
    scheme, _, address = url.partition("://")
    with psycopg.connect(f"{scheme.partition('+')[0]}://{address}") as connection:
        database, role = sql.Identifier(connection.info.dbname), sql.Identifier(MONITOR)
        connection.execute(sql.SQL("grant connect on database {} to {}").format(database, role))
        connection.execute(statement("bootstrap/grant_airflow_facts.sql"))
