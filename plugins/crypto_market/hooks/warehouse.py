"""The warehouse connection as include/ wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.warehouse.connection import Connection


def warehouse_dsn(postgres_conn_id: str = "warehouse") -> str:
    """The Airflow connection as libpq's connection string."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from psycopg.conninfo import make_conninfo

    stored = PostgresHook.get_connection(postgres_conn_id)
    return make_conninfo(
        host=stored.host,
        port=stored.port or 5432,
        dbname=stored.schema,
        user=stored.login,
        password=stored.password,
        **stored.extra_dejson,
    )


@contextmanager
def warehouse(postgres_conn_id: str = "warehouse") -> Iterator[Connection]:
    """An open connection in autocommit mode and UTC, closed at the end of the block."""
    from include.warehouse.connection import connect

    with connect(warehouse_dsn(postgres_conn_id)) as connection:
        yield connection
