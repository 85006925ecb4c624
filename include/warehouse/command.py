"""`python -m include.cli migrate`: roles, database and tables of the warehouse, from the environment's secrets."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

import psycopg

from include.features.schema import install_features
from include.warehouse.bootstrap import ROLES, bootstrap
from include.warehouse.connection import UnnamedWarehouseError, connect, readable_dsn
from include.warehouse.migrations import MigrationError, migrate

ADMINISTRATOR_VARIABLE = "WAREHOUSE_SUPERUSER_DSN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--database", default="warehouse", help="the warehouse's database (default: %(default)s)")
    parser.epilog = (
        f"Environment: {ADMINISTRATOR_VARIABLE}, a role that may create roles and databases; "
        f"{', '.join(map(password_variable, ROLES))}."
    )


def password_variable(role: str) -> str:
    """Environment variable that holds a role's password."""
    return f"{role.upper()}_PASSWORD"


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Bring the warehouse up to date; 0, or 1 with the reason on standard error. Safe to repeat."""
    missing = [name for name in (ADMINISTRATOR_VARIABLE, *map(password_variable, ROLES)) if not environ.get(name)]
    if missing:
        print(f"set {', '.join(missing)}", file=sys.stderr)
        return 1
    passwords = {role: environ[password_variable(role)] for role in ROLES}
    try:
        dsns = bootstrap(
            readable_dsn(environ[ADMINISTRATOR_VARIABLE], ADMINISTRATOR_VARIABLE), options.database, passwords
        )
        with connect(dsns.owner) as connection:
            applied = migrate(connection)
            install_features(connection)
    except (psycopg.Error, MigrationError, UnnamedWarehouseError) as error:
        print(f"the warehouse could not be brought up to date: {error}", file=sys.stderr)
        return 1
    print(f"applied {', '.join(applied)}" if applied else "the warehouse is up to date")
    return 0
