"""Connections to the warehouse, and the locks that keep writers of the same series apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

Connection = psycopg.Connection[tuple[Any, ...]]

DSN_VARIABLE = "WAREHOUSE_DSN"  # of the environment: libpq connection string or URL, for commands


class UnnamedWarehouseError(ValueError):
    """A command was not told which warehouse it is about, or not so that it can be read."""


def dsn_of_command(given: str | None, environ: Mapping[str, str]) -> str:
    """The warehouse a command is about: its option `--dsn`, else DSN_VARIABLE; UnnamedWarehouseError for neither."""
    dsn = given or environ.get(DSN_VARIABLE)
    if not dsn:
        raise UnnamedWarehouseError(f"name the warehouse: --dsn, or {DSN_VARIABLE} in the environment")
    return readable_dsn(dsn, DSN_VARIABLE)


def readable_dsn(dsn: str, variable: str) -> str:
    """The connection string as it was given.

    Raises UnnamedWarehouseError, which names the variable and shows nothing, where libpq cannot read it: libpq's own
    message repeats the words it stumbles over, which are a password's where that has a blank or a quote.
    """
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        message = f"{variable} is no connection string; is a password with blanks or quotes in it not quoted?"
        raise UnnamedWarehouseError(message) from None
    return dsn


def connect(dsn: str) -> Connection:
    """A connection in autocommit mode: each function of this package opens its own transaction and ends it.

    On a connection with a transaction already open they join it, and the caller commits.
    Raises psycopg.OperationalError where the warehouse does not answer.
    """
    connection = psycopg.connect(dsn, autocommit=True, application_name="crypto-market")
    connection.execute("set timezone to 'UTC'")
    return connection


def lock(connection: Connection, name: str) -> None:
    """Wait for and hold the lock of that name until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


@contextmanager
def held_lock(connection: Connection, name: str) -> Iterator[None]:
    """Hold the lock of that name without a transaction: a snapshot held for minutes keeps vacuum from its work.

    It is the session's own: a proxy that pools by transaction would lose it.
    """
    connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (name,))
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (name,))
