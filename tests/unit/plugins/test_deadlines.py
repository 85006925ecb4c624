"""Deadlines of the hourly DAGs: which have one, where there is none, and what is done when it passes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseHook
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from crypto_market.deadlines import EXAMPLE, SWITCH, deadline_missed, done_within
from include.metrics import emit
from tests.integration.kept_notices import KeepingNotifier

ROOT = Path(__file__).parents[3]
MINUTES = {"ohlcv_hourly": 20, "spot_sentiment_hourly": 20, "price_forecast": 20, "ticker_snapshots": 5}
CONTEXT: dict[str, Any] = {
    "dag_run": {"dag_id": "ohlcv_hourly", "dag_run_id": "scheduled__1", "queued_at": "2024-06-01T01:02:00Z"},
    "deadline": {"id": "1", "deadline_time": "2024-06-01T01:22:00Z"},
}
MESSAGE = "ohlcv_hourly: run scheduled__1, queued at 2024-06-01T01:02:00Z, was not done by 2024-06-01T01:22:00Z"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []
    monkeypatch.setattr(emit, "count", lambda name, **labels: seen.append((name, labels)))
    return seen


@pytest.mark.parametrize("dag_id", MINUTES)
def test_what_runs_every_hour_or_more_often_has_a_deadline(dag_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH)
    dag = DagBag(dag_folder=str(ROOT / "dags" / f"{dag_id}.py")).dags[dag_id]
    assert dag.deadline is not None
    (deadline,) = dag.deadline
    assert isinstance(deadline, DeadlineAlert)
    assert deadline.interval == timedelta(minutes=MINUTES[dag_id])
    assert isinstance(deadline.callback, SyncCallback)
    assert deadline.callback.path == "crypto_market.deadlines.deadline_missed"
    assert dag.dagrun_timeout is not None
    assert deadline.interval < dag.dagrun_timeout


@pytest.mark.parametrize(
    ("arguments", "switch", "has_one"),
    [
        (["airflow", "scheduler"], "", True),
        (["airflow", "dags", "list"], "", True),
        (["/a/.venv/bin/airflow", "dags", "test", "ohlcv_hourly"], "", False),
        (["pytest"], "off", False),
    ],
)
def test_a_test_run_has_none(arguments: list[str], switch: str, has_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setenv(SWITCH, switch)
    assert (done_within(timedelta(minutes=1)) is not None) is has_one


def test_a_missed_deadline_is_logged_counted_and_told(
    counted: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(KeepingNotifier, "kept", [])
    notifier = {"notifier": "tests.integration.kept_notices.KeepingNotifier"}
    extra = {**notifier, "arguments": {"text": "{{ alert.dag_id }}: {{ message }}", "token": "t"}}
    monkeypatch.setenv("AIRFLOW_CONN_DEADLINE_ALERTS", json.dumps({"conn_type": "generic", "extra": extra}))
    deadline_missed(CONTEXT)
    assert f"deadline missed: {MESSAGE}" in caplog.text
    assert counted == [("crypto.deadline.missed", {"dag_id": "ohlcv_hourly"})]
    assert KeepingNotifier.kept == [(f"ohlcv_hourly: {MESSAGE}", "t")]


def test_without_the_connection_the_log_has_to_do_and_none_is_asked_for(
    counted: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(conn_id: str) -> None:
        raise AssertionError(f"{conn_id} was asked for, which a callback may not")

    monkeypatch.setattr(BaseHook, "get_connection", refuse)
    deadline_missed(CONTEXT)
    assert f"deadline missed: {MESSAGE}" in caplog.text
    assert len(counted) == 1


def test_the_example_has_every_field_a_template_may_ask_for() -> None:
    assert all(EXAMPLE.as_dict().values())


DAG = """
from datetime import datetime, timedelta
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from crypto_market.deadlines import done_within

with DAG(dag_id="due", schedule=None, start_date=datetime(2024, 1, 1), deadline=done_within(timedelta(hours=1))) as dag:
    EmptyOperator(task_id="nothing")
"""


@pytest.mark.parametrize("off", [True, False])
def test_a_dag_with_a_deadline_can_only_be_tested_without_it(
    off: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second case fails when Airflow is mended (apache/airflow#73428): then the switch can go."""
    from airflow.utils.db import initdb

    if not off:
        monkeypatch.delenv(SWITCH)
    folder = {"classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([{"name": "due", **folder}]))
    (tmp_path / "due.py").write_text(DAG)
    initdb()
    bag = DagBag(dag_folder=str(tmp_path))
    assert bag.import_errors == {}
    if off:
        assert str(bag.dags["due"].test().state) == "success"
    else:
        with pytest.raises(Exception, match=r"(?i)deadline"):
            bag.dags["due"].test()
