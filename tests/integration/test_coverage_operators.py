"""Operators of completeness: what they mend, what they put off, and what they account for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException

from crypto_market.operators.candles import CandlesToPostgresOperator
from crypto_market.operators.coverage import CloseMonthsOperator, ReconcileOperator, RepairCoverageOperator
from include.config.markets import MARKETS
from include.coverage.repair import RepairError
from include.replay.synthetic import SyntheticWorld
from include.warehouse.connection import Connection

HOUR = timedelta(hours=1)
NOW = datetime(2024, 6, 20, 12, 2, 30, tzinfo=UTC)
HOLE = datetime(2024, 6, 20, 6, tzinfo=UTC)  # recent: the venue is asked for its clock first
BTC = MARKETS[0]

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def exchange(serve: Serve, exchange_at: Any, airflow_at: Callable[[str], None]) -> Iterator[Any]:
    """A replay exchange at NOW, to which Airflow is connected."""
    with serve(SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC)), NOW) as url:
        airflow_at(url)
        yield exchange_at(url)


def context(task_id: str = "repair") -> Any:
    """What an operator reads of Airflow's context; never put off before."""
    instance = SimpleNamespace(dag_id="a_dag", run_id="a_run", task_id=task_id, map_index=None, try_number=1)
    instance.get_first_reschedule_date = lambda given: None
    task = SimpleNamespace(retry_policy=None, log=SimpleNamespace(info=lambda *text: None))
    interval = {"data_interval_start": NOW - 60 * HOUR, "data_interval_end": NOW}
    return {"ti": instance, "task": task, "dag_run": SimpleNamespace(run_after=NOW), "params": {}, **interval}


def repair() -> list[str]:
    return RepairCoverageOperator(task_id="repair", venue="binance").execute(context())


@pytest.fixture
def holed(exchange: Any, writer: Connection, owner: Connection) -> Any:
    """Sixty hours of one market, of which one was deleted."""
    load = CandlesToPostgresOperator(task_id="load", venue="binance", markets=[BTC.key], timeframes=["1h"])
    load.execute(context("load"))
    owner.execute("delete from market.candle where opened_at = %s", (HOLE,))
    return exchange


def account(reader: Connection) -> list[tuple[Any, ...]]:
    query = "select rows_new, wait_seconds > 0 from ops.pipeline_run where task_id = 'repair'"
    return reader.execute(query).fetchall()


def test_a_hole_is_mended_explained_and_accounted_for_with_the_wait(
    holed: Any, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {"conn_type": "http", "host": f"{holed.url}/binance", "extra": {"limits": [[3, 1]]}}
    monkeypatch.setenv("AIRFLOW_CONN_BINANCE", json.dumps(connection))
    explained = repair()
    assert "1 candle deleted; 1 new, 0 changed; complete now" in explained[0]
    assert account(reader) == [(1, True)]
    assert reader.execute("select count(*) from market.candle where opened_at = %s", (HOLE,)).fetchone() == (1,)


def test_a_venue_that_says_for_how_long_puts_the_repair_off(holed: Any, reader: Connection) -> None:
    holed.fail("binance", "rate_limited", retry_after=77)
    with pytest.raises(AirflowRescheduleException) as put_off:
        repair()
    assert put_off.value.reschedule_date.tzinfo is not None
    assert reader.execute("select outcome from ops.repair_step").fetchall() == [("failed",)]


def test_any_other_trouble_fails_the_repair(holed: Any) -> None:
    holed.fail("binance", "geo_blocked")
    with pytest.raises(RepairError, match="HTTP 451"):
        repair()


def test_months_are_closed_and_venues_compared(exchange: Any, reader: Connection) -> None:
    may = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    load = CandlesToPostgresOperator(
        task_id="load",
        venue="binance",
        markets=[BTC.key],
        timeframes=["1h"],
        purpose="live",  # not from the file
    )
    load.execute({**context("load"), "data_interval_start": may[0], "data_interval_end": may[1]})
    done = CloseMonthsOperator(task_id="close").execute(context("close"))
    april, of_may = (f"binance:BTC/USDT 1h 2024-{verdict}" for verdict in ("04: filled", "05: equal"))
    assert [line.partition(";")[0] for line in done] == [april, of_may]
    counts = "select rows_unchanged, rows_new from ops.pipeline_run where task_id = 'close'"
    assert reader.execute(counts).fetchall() == [(2 + 744, 30 * 24 - 2)]
    assert not ReconcileOperator(task_id="reconcile", days="30").execute(context("reconcile")), "one venue has no peers"
