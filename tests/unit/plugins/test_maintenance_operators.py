"""The operators of maintenance: what they are told reaches the work, and a missing connection is no failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.operators.maintenance import CleanMetadataOperator, RemoveOldFilesOperator


def test_old_files_go_and_a_dry_run_touches_nothing(tmp_path: Path) -> None:
    old, young = tmp_path / "old.log", tmp_path / "young.log"
    for path in (old, young):
        path.write_text("text")
    os.utime(old, (0, 0))
    given = {"folder": str(tmp_path), "keep_days": "7"}
    told = RemoveOldFilesOperator(task_id="dry", **given).execute({})
    assert told[0] == {"what": "files", "number": 1, "bytes": 4}
    assert old.exists()
    assert RemoveOldFilesOperator(task_id="wet", is_dry_run="False", **given).execute({}) == told
    assert [path.name for path in tmp_path.iterdir()] == ["young.log"]


def test_without_a_role_for_it_airflows_history_is_left_to_others() -> None:
    with pytest.raises(AirflowSkipException, match="retention"):
        CleanMetadataOperator(task_id="clean", keep_days=60, metadata_conn_id="nowhere").execute({})


def test_what_is_said_to_be_removed_is_told_in_days_before_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_METADATA", "postgres://airflow_janitor:p%40ss@db:5433/airflow")
    asked = []
    monkeypatch.setattr(
        "include.maintenance.metadata.clean_metadata",
        lambda url, older_than, dry_run: asked.append((url, older_than, dry_run)) or [],
    )
    CleanMetadataOperator(task_id="clean", keep_days="60", is_dry_run="False").execute({})
    ((url, _, dry_run),) = asked
    assert (url, dry_run) == ("postgresql+psycopg2://airflow_janitor:p%40ss@db:5433/airflow", False)
