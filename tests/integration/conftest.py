"""Whole collections: a venue served by the replay exchange, and the warehouse they end in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
import requests
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.clock import CLOCK_URL_VARIABLE
from include.metrics.airflow_grants import let_monitor_read
from include.stack.environment import REPLAYED
from include.stack.postgres import PostgresCluster
from include.venues.binance import Binance
from include.venues.http import RequestsTransport, Response, Retry
from include.warehouse.bootstrap import WarehouseDsns, bootstrap
from include.warehouse.connection import connect
from include.warehouse.migrations import MIGRATIONS_FOLDER, migrate
from tests.conftest import WarehouseTemplate, fresh_warehouse
from tests.integration import market_world
from tests.integration.facts_world import Databases, fill

# Two quick attempts: what is tried again within a task is tested with the venues.
IMPATIENT = Retry(attempts=2, sleep=lambda seconds: None)


# Tests of the budgets themselves are elsewhere; here nobody should wait for one.
GENEROUS = {"limits": [[1000, 1]]}


class Exchange:
    """A running replay exchange as a test steers it; `impatient`: two attempts without waiting."""

    impatient = IMPATIENT

    def __init__(self, url: str) -> None:
        self.url = url

    def binance(self, spoil: Callable[[str, Response], Response] | None = None) -> Binance:
        """A client of it; `spoil(path, answer)` may change what arrives."""
        transport = RequestsTransport(f"{self.url}/binance")
        return Binance(Spoilt(transport, spoil) if spoil else transport, retry=IMPATIENT)

    def transport(self, path: str) -> RequestsTransport:
        return RequestsTransport(f"{self.url}/{path}")

    def set_time(self, now: datetime) -> None:
        requests.put(f"{self.url}/clock", json={"now": now.isoformat()}, timeout=5).raise_for_status()

    def fail(self, venue: str, kind: str, times: int = 10, **details: Any) -> None:
        wish = {"venue": venue, "kind": kind, "times": times, **details}
        requests.post(f"{self.url}/faults", json=wish, timeout=5).raise_for_status()

    def heal(self) -> None:
        requests.delete(f"{self.url}/faults", timeout=5).raise_for_status()

    def revise(self, symbol: str, timeframe: str, opened_at: datetime) -> None:
        wish = {"symbol": symbol, "timeframe": timeframe, "opened_at": opened_at.isoformat()}
        requests.post(f"{self.url}/revisions", json=wish, timeout=5).raise_for_status()


class Spoilt:
    """A transport whose answers are changed on their way."""

    def __init__(self, transport: RequestsTransport, spoil: Callable[[str, Response], Response]) -> None:
        self._transport, self._spoil = transport, spoil

    def get(self, path: str, *arguments: Any, **named: Any) -> Response:
        return self._spoil(path, self._transport.get(path, *arguments, **named))


@pytest.fixture(scope="session")
def exchange_at() -> Callable[[str], Exchange]:
    """`exchange_at(url)`: a test's handle on a running replay exchange."""
    return Exchange


@pytest.fixture
def airflow_at(warehouse: WarehouseDsns, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`airflow_at(url)`: Airflow's connections and the clock, pointed at an exchange and at the test's warehouse."""

    def point(url: str) -> None:
        writer = conninfo_to_dict(warehouse.writer)
        connections: dict[str, dict[str, Any]] = {
            "warehouse": {
                "conn_type": "postgres",
                "host": writer["host"],
                "port": int(str(writer["port"])),
                "schema": writer["dbname"],
                "login": writer["user"],
                "password": writer["password"],
                "extra": {"connect_timeout": "10"},
            },
            **{name: {"conn_type": "http", "host": f"{url}/{name}", "extra": GENEROUS} for name in REPLAYED},
            "coingecko": {
                "conn_type": "http",
                "host": f"{url}/coingecko/api/v3",
                "extra": {"tier": "keyless", **GENEROUS},
            },
        }
        for name, fields in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))
        monkeypatch.setenv(CLOCK_URL_VARIABLE, f"{url}/clock")

    return point


@pytest.fixture(scope="session")
def metadata(cluster: PostgresCluster) -> Iterator[str]:
    """Superuser's connection string of a database with the tables of this Airflow."""
    import sqlalchemy
    from airflow.models import import_all_models
    from airflow.models.base import Base

    name = f"metadata_{secrets.token_hex(4)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    given = conninfo_to_dict(cluster.dsn(name))
    import_all_models()
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", connect_args=given)
    Base.metadata.create_all(engine)
    engine.dispose()
    yield cluster.dsn(name)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def databases(cluster: PostgresCluster, warehouse: WarehouseDsns, metadata: str) -> Databases:
    """Both, filled, and what the role monitor may see of them."""
    monitor, given = conninfo_to_dict(warehouse.monitor), conninfo_to_dict(metadata)
    url = "postgresql+psycopg2://{user}:{password}@{host}:{port}/{dbname}".format(**given)
    let_monitor_read(url)
    superuser = cluster.dsn(str(monitor["dbname"]))
    fill(superuser, metadata)
    airflow = make_conninfo(metadata, user="monitor", password=monitor["password"])
    return Databases(warehouse.monitor, airflow, superuser, metadata)


class Before(Protocol):
    """Makes a warehouse of before the migration of this number; `texts` stand in for the files of their names."""

    def __call__(self, number: str, texts: Mapping[str, str] = ...) -> WarehouseDsns: ...


@pytest.fixture
def warehouse_before(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, tmp_path: Path
) -> Iterator[Before]:
    """See `Before`; the rest of the migrations is the test's."""
    name = f"test_{secrets.token_hex(6)}"
    folder = tmp_path / "migrations before"
    folder.mkdir()

    def made(number: str, texts: Mapping[str, str] = {}) -> WarehouseDsns:
        for path in MIGRATIONS_FOLDER.glob("*.sql"):
            if path.name < number:
                (folder / path.name).write_text(texts.get(path.name, path.read_text()))
        dsns = bootstrap(cluster.dsn(), name, warehouse_template.passwords)
        with connect(dsns.owner) as connection:
            migrate(connection, folder)
        return dsns

    yield made
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture(scope="module")
def market(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    """A warehouse with all that market_world says of two venues."""
    with fresh_warehouse(cluster, warehouse_template) as dsns:
        market_world.fill(dsns)
        yield dsns
