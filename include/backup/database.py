"""What a database holds, to the byte, and whose it is: what a restored copy is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

from include.backup.client import BackupError
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class TableState(NamedTuple):
    """Rows of a table, and the sum over its rows of 64 bits of the MD5 of each: no order, the same in every version."""

    rows: int
    digest: str


class Access(NamedTuple):
    """Rights on a database as a whole."""

    owner: str
    grants: tuple[tuple[str, str], ...]  # role or `public`, privilege


def table_states(connection: Connection) -> dict[str, TableState]:
    """State of every table, by `schema.table`, as the connection's transaction sees it."""
    states = {}
    for schema, table in connection.execute(statement("backup/select_tables.sql")).fetchall():
        query = sql.SQL(
            "select count(*), coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text "
            "from only {} as t"
        ).format(sql.Identifier(schema, table))
        row = connection.execute(query).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always answers one row
        states[f"{schema}.{table}"] = TableState(*row)
    return states


def differences(expected: Mapping[str, TableState], found: Mapping[str, TableState]) -> list[str]:
    """One line for each table that is not the same."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        wanted, seen = expected.get(name), found.get(name)
        if wanted is None or seen is None:
            lines.append(f"{name}: {'not in the backup' if wanted is None else 'missing'}")
        elif wanted.rows != seen.rows:
            lines.append(f"{name}: {seen.rows} rows instead of {wanted.rows}")
        elif wanted != seen:
            lines.append(f"{name}: {seen.rows} rows, but other values")
    return lines


def access_of(connection: Connection, database: str) -> Access | None:
    """Rights on the database; None where there is no such database."""
    rows = connection.execute(statement("backup/select_access.sql"), {"database": database}).fetchall()
    return Access(rows[0][0], tuple((grantee, privilege) for _, grantee, privilege in rows)) if rows else None


def roles_in(connection: Connection) -> tuple[str, ...]:
    """Roles that must exist before this database can be restored elsewhere."""
    return tuple(name for (name,) in connection.execute(statement("backup/select_roles.sql")))


def is_empty(connection: Connection) -> bool:
    """Whether the database has no table at all."""
    return connection.execute(statement("backup/select_tables.sql")).fetchone() is None


def refuse_missing_roles(connection: Connection, roles: tuple[str, ...]) -> None:
    """BackupError naming the roles that are not there."""
    query = "select name from unnest(%s::text[]) as wanted (name) where name not in (select rolname from pg_roles)"
    missing = [name for (name,) in connection.execute(query, (list(roles),))]
    if missing:
        raise BackupError(
            f"roles that the backup's tables belong to are not there: {', '.join(missing)}. Make them first: "
            f"`python -m include.cli migrate` for the warehouse's, deploy/postgres/databases.sql for the others"
        )


def create_database(connection: Connection, database: str, access: Access) -> None:
    """An empty database with these rights and no others."""
    name, owner = sql.Identifier(database), sql.Identifier(access.owner)
    connection.execute(sql.SQL("create database {} template template0 owner {}").format(name, owner))
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    for grantee, privilege in access.grants:
        to = sql.SQL("public") if grantee == "public" else sql.Identifier(grantee)
        connection.execute(sql.SQL("grant {} on database {} to {}").format(sql.SQL(privilege), name, to))


def drop_database(connection: Connection, database: str) -> None:
    """Drop it, ending whoever is connected; nothing happens where it is not there."""
    connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def server_major(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """Major version of the server."""
    return connection.info.server_version // 10000
