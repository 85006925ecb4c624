"""A task that is put off while Airflow itself runs it: it comes again in its own time, in the same try."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

import crypto_market.retry

DAG = """
from datetime import datetime, timedelta
from airflow.sdk import DAG, BaseOperator
from crypto_market.retry import VenueRetryPolicy, put_off
from include.venues.errors import CircuitOpenError

class Patient(BaseOperator):
    def execute(self, context):
        with open({log!r}, "a") as log:
            ti = context["ti"]
            print(self.task_id, ti.map_index, ti.try_number, context["task_reschedule_count"], file=log)
        with put_off(context):
            if context["task_reschedule_count"] < self.params["times"]:
                raise CircuitOpenError("binance", "open", 0)

with DAG(dag_id="put_off", schedule=None, start_date=datetime(2024, 1, 1), params={{"times": 2}}) as dag:
    Patient(task_id="alone", retries=0, retry_policy=VenueRetryPolicy())
    Patient.partial(task_id="mapped", retries=0, retry_policy=VenueRetryPolicy(), max_active_tis_per_dag=2).expand(
        doc_md=["one", "two"]
    )
    Patient(task_id="hasty", retries=0, retry_policy=VenueRetryPolicy(timedelta(seconds=0.5)))
"""


def test_a_task_comes_again_in_the_same_try_until_its_patience_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.utils.db import initdb

    monkeypatch.setattr(crypto_market.retry, "SHORTEST_RESCHEDULE_SECONDS", 0.4)
    monkeypatch.setattr(crypto_market.retry, "LEAST_SPREAD", 0.0)
    folder = {"classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([{"name": "put_off", **folder}]))
    log = tmp_path / "log"
    (tmp_path / "put_off.py").write_text(DAG.format(log=str(log)))
    initdb()
    bag = DagBag(dag_folder=str(tmp_path))
    assert bag.import_errors == {}
    run = bag.dags["put_off"].test(logical_date=datetime(2024, 6, 1, tzinfo=UTC))
    states = {(ti.task_id, ti.map_index): (str(ti.state), ti.try_number) for ti in run.get_task_instances()}
    assert states == {
        ("alone", -1): ("success", 1),
        ("mapped", 0): ("success", 1),
        ("mapped", 1): ("success", 1),
        ("hasty", -1): ("failed", 1),
    }
    lines = sorted(log.read_text().splitlines())
    patient = [f"{task} {count}" for task in ("alone -1 1", "mapped 0 1", "mapped 1 1") for count in range(3)]
    assert lines == sorted([*patient, "hasty -1 1 0", "hasty -1 1 1"])
