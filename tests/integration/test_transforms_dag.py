"""The DAG market_transforms as `airflow dags test` runs it: transforms, alerts through a notifier, and checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.replay.synthetic import SyntheticWorld
from include.stack.layout import ROOT
from include.warehouse.connection import Connection
from tests.integration.kept_notices import KeepingNotifier
from tests.integration.mart import BINANCE, COINBASE, HOUR, KRAKEN, closes, put

NOW = datetime(2024, 6, 1, 12, 20, tzinfo=UTC)
BEGIN = datetime(2024, 5, 29, 23, tzinfo=UTC)
GREEN = {"transform_markets": "success", "notify_alerts": "success", "check_mart": "success"}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    """Every DAG, with a metadata database of the test session's own."""
    from airflow.utils.db import initdb

    initdb()
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(autouse=True)
def world(
    serve: Callable[..., AbstractContextManager[str]],
    airflow_at: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """The clock at NOW, and the notifier that keeps what it is given."""
    monkeypatch.setattr(KeepingNotifier, "kept", [])
    monkeypatch.setattr(KeepingNotifier, "broken", False)
    extra = {"notifier": "tests.integration.kept_notices.KeepingNotifier", "arguments": {"text": "{{ message }}"}}
    monkeypatch.setenv("AIRFLOW_CONN_PRICE_ALERTS", json.dumps({"conn_type": "generic", "extra": extra}))
    with serve(SyntheticWorld(7, datetime(2024, 5, 1, tzinfo=UTC)), NOW) as url:
        airflow_at(url)
        yield


def run(bag: DagBag, logical_date: datetime | None = None) -> dict[str, str]:
    """Run the DAG; the states of its tasks."""
    result = bag.dags["market_transforms"].test(logical_date=logical_date)
    return {instance.task_id: str(instance.state) for instance in result.get_task_instances()}


def jumping(last: int) -> list[object]:
    """Two days of prices; the alert at the beginning is old, that of the last hour is new."""
    return [100] * 30 + [106] + [100] * 29 + [last]


def test_any_run_brings_mart_up_to_date_sends_what_is_new_and_checks_it(bag: DagBag, writer: Connection) -> None:
    assert run(bag) == GREEN, "an empty warehouse is no fault"
    for where in (BINANCE, KRAKEN, COINBASE):
        put(writer, where, closes(jumping(107), BEGIN), NOW)
    assert run(bag, datetime(2018, 1, 1, tzinfo=UTC)) == GREEN
    expected = "BTC +7.00 % in 24 h, from 100 to 107 USDT (binance, 2024-06-01 12:00 UTC)"
    assert KeepingNotifier.kept == [(expected, "")]
    assert run(bag) == GREEN
    assert len(KeepingNotifier.kept) == 1


def test_a_notifier_that_fails_fails_its_task_alone_and_the_next_run_sends(
    bag: DagBag, writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bag.dags["market_transforms"].get_task("notify_alerts"), "retries", 0)
    put(writer, BINANCE, closes(jumping(107), BEGIN), NOW)
    KeepingNotifier.broken = True
    states = run(bag)
    assert states == {**GREEN, "notify_alerts": "failed"}
    KeepingNotifier.broken = False
    assert run(bag) == GREEN
    assert len(KeepingNotifier.kept) == 1


def test_a_fault_planted_in_mart_fails_the_check_by_name(
    bag: DagBag, writer: Connection, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    put(writer, BINANCE, closes(jumping(100), BEGIN), NOW)
    assert run(bag) == GREEN
    writer.execute("update mart.hourly_price set mean_price = highest + 1 where hour_at = %s", (BEGIN + 5 * HOUR,))
    states = run(bag)
    assert states == {**GREEN, "check_mart": "failed"}
    out, error = capfd.readouterr()
    assert "no_means_out_of_range" in out + error + caplog.text
