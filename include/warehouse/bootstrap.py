"""Roles and database of the warehouse, made by an administrator once and safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

OWNER = "warehouse_owner"
WRITER = "warehouse_writer"
READER = "warehouse_reader"
MONITOR = "monitor"
ROLES = (OWNER, WRITER, READER, MONITOR)

# Sessions that only look; those that are asked every few seconds may neither last nor wait nor pile up.
SETTINGS = {
    READER: {"default_transaction_read_only": "on"},
    MONITOR: {
        "default_transaction_read_only": "on",
        "statement_timeout": "5s",
        "lock_timeout": "1s",
        "idle_in_transaction_session_timeout": "10s",
    },
}


class WarehouseDsns(NamedTuple):
    """libpq connection strings of one warehouse: who migrates, who loads, who looks, who watches."""

    owner: str
    writer: str
    reader: str
    monitor: str

    def __repr__(self) -> str:
        """Without the passwords: this ends up in tracebacks and in reports of tests."""
        return f"WarehouseDsns of {conninfo_to_dict(self.owner).get('dbname')}"


def bootstrap(superuser_dsn: str, database: str, passwords: Mapping[str, str]) -> WarehouseDsns:
    """Make the LOGIN roles of `ROLES` and a database owned by warehouse_owner; what exists is brought in line.

    superuser_dsn: a role that may create roles and databases. passwords: one per role name; they travel to the server
    as SCRAM verifiers only. Raises KeyError for a role without a password, psycopg.Error where rights are missing.
    """
    secrets = {role: passwords[role] for role in ROLES}
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        connection.execute(
            "select pg_advisory_lock(hashtextextended('warehouse bootstrap', 0))"
        )  # ends with the session
        for role, password in secrets.items():
            ensure_role(connection, role, password)
        ensure_database(connection, database, OWNER, (WRITER,), (READER, MONITOR))
        _show_statistics(connection)
    return WarehouseDsns(
        *(make_conninfo(superuser_dsn, dbname=database, user=role, password=secrets[role]) for role in ROLES)
    )


def ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """The login role with this password, which reaches the server as a SCRAM verifier only; in UTC."""
    name = sql.Identifier(role)
    if connection.execute("select from pg_roles where rolname = %s", (role,)).fetchone() is None:
        connection.execute(sql.SQL("create role {} login").format(name))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(verifier)))
    connection.execute(sql.SQL("alter role {} set timezone to 'UTC'").format(name))
    if connection.info.parameter_status("is_superuser") == "on":  # nobody else may so much as name these
        plain = "alter role {} nosuperuser nocreatedb nocreaterole nobypassrls noreplication"
        connection.execute(sql.SQL(plain).format(name))
    for setting, value in SETTINGS.get(role, {}).items():
        assign = sql.SQL("alter role {} set {} to {}").format(name, sql.Identifier(setting), sql.Literal(value))
        connection.execute(assign)


def _show_statistics(connection: psycopg.Connection) -> None:
    """Let the monitor see since when others' transactions last, and the size of databases it may not enter.

    An administrator who may not grant that leaves it at the few figures everybody sees.
    """
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("grant pg_read_all_stats to {}").format(sql.Identifier(MONITOR)))


def ensure_database(
    connection: psycopg.Connection,
    database: str,
    owner_role: str,
    users: Sequence[str] = (),
    watchers: Sequence[str] = (),
) -> None:
    """The database, owned by a role; besides it, only users and watchers may connect, and these make nothing."""
    name, owner = sql.Identifier(database), sql.Identifier(owner_role)
    connection.execute(
        sql.SQL("grant {} to current_user").format(owner)
    )  # an administrator short of superuser needs it
    if connection.execute("select from pg_database where datname = %s", (database,)).fetchone() is None:
        connection.execute(sql.SQL("create database {} owner {}").format(name, owner))
    connection.execute(sql.SQL("alter database {} owner to {}").format(name, owner))
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    for user in users:
        granted = sql.SQL("grant connect, temporary on database {} to {}").format(name, sql.Identifier(user))
        connection.execute(granted)
    for watcher in watchers:
        role = sql.Identifier(watcher)
        connection.execute(sql.SQL("grant connect on database {} to {}").format(name, role))
        connection.execute(sql.SQL("revoke temporary on database {} from {}").format(name, role))
