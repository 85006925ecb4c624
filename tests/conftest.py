"""Fixtures every test may use: the recorded data, and a real PostgreSQL for the session."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis
import psycopg
import pytest

from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES, WarehouseDsns, bootstrap
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import migrate

ROOT = Path(__file__).parents[1]

# A busy machine is not a failing property; pytest's own timeout ends what hangs.
hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")


@pytest.fixture(scope="session")
def market_data_dir() -> Path:
    """Folder of recorded market data; tests that need it are skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("MARKET_DATA_DIR") or ROOT.parent / "shared" / "data").absolute()
    if not (folder / "MANIFEST.md").exists():
        pytest.skip(f"no recorded market data in {folder} (set MARKET_DATA_DIR)")
    return folder


def free_port() -> int:
    """A TCP port of the loopback interface nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A real PostgreSQL cluster for the test session."""
    folder = tmp_path_factory.mktemp("postgres")
    cluster = PostgresCluster(folder / "data", free_port(), secrets.token_urlsafe(12))
    cluster.initialise()
    process = cluster.start(folder / "postgres.log")
    yield cluster
    cluster.stop(process)


@pytest.fixture
def empty_database(cluster: PostgresCluster) -> Iterator[str]:
    """DSN (superuser) of a database that is made for this test alone."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    yield cluster.dsn(name)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


class WarehouseTemplate(NamedTuple):
    """A migrated database each test's warehouse is copied from, and its roles' passwords."""

    name: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def warehouse_template(cluster: PostgresCluster) -> WarehouseTemplate:
    """Migrations run once per session; copying the result is quicker than running them for each test."""
    template = WarehouseTemplate("warehouse_template", {role: secrets.token_urlsafe(12) for role in ROLES})
    dsns = bootstrap(cluster.dsn(), template.name, template.passwords)
    with connect(dsns.owner) as connection:
        migrate(connection)
    return template


@pytest.fixture
def warehouse(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    """DSNs (owner, writer, reader) of a fresh, empty, migrated warehouse."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{warehouse_template.name}"')
    yield bootstrap(cluster.dsn(), name, warehouse_template.passwords)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def owner(warehouse: WarehouseDsns) -> Iterator[Connection]:
    """Autocommit connection to the fresh warehouse as its owner."""
    with connect(warehouse.owner) as connection:
        yield connection


@pytest.fixture
def writer(warehouse: WarehouseDsns) -> Iterator[Connection]:
    """Autocommit connection to the fresh warehouse as the role that loads."""
    with connect(warehouse.writer) as connection:
        yield connection


@pytest.fixture
def reader(warehouse: WarehouseDsns) -> Iterator[Connection]:
    """Autocommit connection to the fresh warehouse as the role that only looks."""
    with connect(warehouse.reader) as connection:
        yield connection
