"""Connections to the warehouse, and the locks that keep writers of the same series apart."""

from __future__ import annotations

from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


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
