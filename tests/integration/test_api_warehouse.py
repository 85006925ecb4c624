"""The data API's way into the warehouse can only read, however much more its role could, and holds nothing for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from include.api import warehouse as module
from include.api.warehouse import CONNECTIONS, STATEMENT_SECONDS, Warehouse
from include.clock import SystemClock
from include.config.markets import MARKETS
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument


@pytest.fixture
def as_writer(warehouse: WarehouseDsns) -> Iterator[Warehouse]:
    """A configuration gone wrong: the API was given the role that writes."""
    made = Warehouse(lambda: warehouse.writer, SystemClock)
    yield made
    made.close()


def test_it_reads_only_and_not_for_long(as_writer: Warehouse) -> None:
    with as_writer.look() as look:
        assert look.connection.execute("show statement_timeout").fetchone() == (f"{STATEMENT_SECONDS}s",)
        assert look.connection.execute("show timezone").fetchone() == ("UTC",)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), as_writer.look() as look:
        look.connection.execute("delete from market.ticker")


def test_one_question_sees_one_state(as_writer: Warehouse, writer: Connection) -> None:
    counted = "select count(*) from market.instrument"
    with as_writer.look() as look:
        before = look.connection.execute(counted).fetchone()
        ensure_instrument(writer, MARKETS[0])
        assert look.connection.execute(counted).fetchone() == before == (0,)
    with as_writer.look() as look:
        assert look.connection.execute(counted).fetchone() == (1,)


def test_who_finds_no_connection_free_is_told_soon(as_writer: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    with ExitStack() as others:
        for _ in range(CONNECTIONS):
            others.enter_context(as_writer.look())
        with pytest.raises(PoolTimeout), as_writer.look():
            pytest.fail("more connections than there are to be")
    with as_writer.look() as found:
        assert found.connection.execute("select 1").fetchone() == (1,)
