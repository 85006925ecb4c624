"""Fixtures every test may use: recorded data, a real PostgreSQL, a real replay exchange, an Airflow of its own."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import psycopg
import pytest
import uvicorn
from playwright.sync_api import Browser
from starlette.types import ASGIApp
from xdist.scheduler import LoadScopeScheduling

from docs.pictures.browser import BROWSERS, launched
from include.features.schema import install_features
from include.replay.app import create_app
from include.replay.clock import ReplayClock
from include.replay.limits import WeightBudget
from include.replay.recorded import RecordedWorld
from include.replay.request_bucket import RequestBucket
from include.replay.world import World
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES, WarehouseDsns, bootstrap
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import migrate

ROOT = Path(__file__).parents[1]

# A busy machine is not a failing property; pytest's own timeout ends what hangs.
hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")

AIRFLOW_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Airflow reads its settings when it is first imported: they must stand before any test module is loaded."""
    home = Path(tempfile.mkdtemp(prefix="airflow-of-tests-"))
    config.stash[AIRFLOW_HOME] = home
    for name in [n for n in os.environ if n.startswith(("AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_"))]:
        del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "CRYPTO_MARKET_DEADLINES": "off",  # dag.test() fails with one
    }


class ByFile(LoadScopeScheduling):
    """A file's tests stay together, and those that share the one stack: it is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "tests/airflow" if file.startswith("tests/airflow/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Who works on what where tests run in several processes (`-n 2`)."""
    return ByFile(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[AIRFLOW_HOME], ignore_errors=True)


@pytest.fixture(scope="session")
def market_data_dir() -> Path:
    """Folder of recorded market data; tests that need it are skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("MARKET_DATA_DIR") or ROOT.parent / "shared" / "data").absolute()
    if not (folder / "MANIFEST.md").exists():
        pytest.skip(f"no recorded market data in {folder} (set MARKET_DATA_DIR)")
    return folder


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of the loopback interface that nobody has now, nor gets by chance before it is used.

    Below those the kernel gives to whoever connects: another test would take it with a mere request.
    """
    while True:
        port = secrets.choice(range(10_000, 32_000))
        with socket.socket(socket.AF_INET, kind) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def recorded_world(market_data_dir: Path) -> RecordedWorld:
    """The recorded world, read once; its clock belongs to each exchange that serves it."""
    return RecordedWorld(market_data_dir)


BUCKETS = ("kraken_bucket", "coinbase_bucket", "coinbase_advanced_bucket")


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """An application over real HTTP on loopback, in a thread of this process; its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", date_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Skipped where there is none; one that is named or there and does not start fails."""
    if "CHROMIUM" not in os.environ and not any(map(shutil.which, BROWSERS)):
        pytest.skip(f"none of {', '.join(BROWSERS)} is on PATH (Debian: apt-get install chromium)")
    with launched() as started:
        yield started


@contextmanager
def served(world: World, now: datetime, weight_limit: int = 10**6, **limits: Any) -> Iterator[str]:
    """The replay exchange over real HTTP at a time that stands still; its base URL.

    weight_limit: Binance's and CoinGecko's, in a minute that does not pass. limits: budgets and buckets as
    `create_app` takes them; other venues are not limited without one.
    """
    clock = ReplayClock(now, ends_at=world.ends_at, speed=0)
    unlimited = {name: RequestBucket(10**6, 10**6) for name in BUCKETS}
    budgets = {
        "binance_budget": WeightBudget(weight_limit, patience=1, seconds=lambda: 620.0),
        "coingecko_budget": WeightBudget(weight_limit, seconds=lambda: 620.0),
    }
    with listening(create_app(world, clock, **{**unlimited, **budgets, **limits})) as url:
        yield url


Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """`serve(world, now, weight_limit=…, coinbase_bucket=…)`: a context manager with the exchange's base URL."""
    return served


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A real PostgreSQL cluster for the test session."""
    folder = tmp_path_factory.mktemp("postgres")
    cluster = PostgresCluster(folder / "data", free_port(), secrets.token_urlsafe(12))
    cluster.initialise()
    with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
        # Nothing here outlives the session, and each test has a database made and dropped.
        settings.write("fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n")
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
        install_features(connection)
    return template


@contextmanager
def fresh_warehouse(cluster: PostgresCluster, template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    """DSNs (owner, writer, reader) of a fresh, empty, migrated warehouse, which is gone afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template.name}"')
    yield bootstrap(cluster.dsn(), name, template.passwords)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def warehouse(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    """A warehouse of this test's own."""
    with fresh_warehouse(cluster, warehouse_template) as dsns:
        yield dsns


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
