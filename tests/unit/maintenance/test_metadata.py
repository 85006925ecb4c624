"""What `airflow db clean` is asked for, what its words mean, and what happens where it refuses."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.utils.db_cleanup import config_dict

from include.maintenance import metadata
from include.maintenance.metadata import (
    CELERY_RESULTS,
    HISTORY,
    MetadataError,
    clean_metadata,
    found_rows,
    metadata_url,
)
from include.maintenance.removed import Removed

BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
SAID = """
Checking table dag_run
Found 12 rows meeting deletion criteria.
Performing Delete (batch 1, max 5000 rows)...

Checking table xcom
Found 0 rows meeting deletion criteria.
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Commands that were run, with their environment; each says SAID."""
    seen: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append((command, env))
        return subprocess.CompletedProcess(command, 1 if env.get("REFUSE") else 0, SAID, "no rights")

    monkeypatch.setattr(metadata.subprocess, "run", run)
    monkeypatch.setattr(metadata, "_granted", lambda url: [])
    return seen


def test_rows_by_table() -> None:
    assert found_rows(SAID) == [Removed("dag_run", 12)]


def test_the_command_knows_every_table_it_is_asked_about() -> None:
    asked_about = {*HISTORY, *CELERY_RESULTS}
    assert asked_about <= set(config_dict)
    # What is left out does not grow by itself, or is another auth manager's.
    assert set(config_dict) - asked_about <= {"_xcom_archive", "connection_test_request", "dag", "session"}


@pytest.mark.parametrize("granted", [[], ["celery_taskmeta"]])
def test_celerys_results_are_asked_about_where_they_are_granted(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, granted: list[str]
) -> None:
    monkeypatch.setattr(metadata, "_granted", lambda url: granted)
    clean_metadata("postgresql://", BEFORE, environ={})
    ((clean, _),) = asked
    assert clean[clean.index("--tables") + 1].split(",") == [*HISTORY, *granted]


@pytest.mark.parametrize("left_behind", [True, False])
def test_the_address_goes_by_environment_and_leftovers_are_dropped(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, left_behind: bool
) -> None:
    url = metadata_url("db", None, "airflow", "airflow_janitor", "p@ss/w")
    assert url == "postgresql+psycopg2://airflow_janitor:p%40ss%2Fw@db:5432/airflow"
    monkeypatch.setattr(metadata, "_is_set_aside", lambda given: left_behind and given == url)
    assert clean_metadata(url, BEFORE, dry_run=False, environ={"PATH": "/bin"}) == [Removed("dag_run", 12)]
    (clean, env), *dropped = asked
    assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == url
    assert url not in clean
    assert "2024-01-01T00:00:00+00:00" in clean
    assert "--dry-run" not in clean
    assert [command[-2:] for command, _ in dropped] == [["drop-archived", "--yes"]] * left_behind


def test_a_dry_run_is_the_default_and_drops_nothing(asked: list[Any]) -> None:
    clean_metadata("postgresql://", BEFORE, environ={})
    ((clean, _),) = asked
    assert clean[-1] == "--dry-run"


@pytest.mark.usefixtures("asked")
def test_a_refusal_says_why() -> None:
    with pytest.raises(MetadataError, match="no rights"):
        clean_metadata("postgresql://", BEFORE, environ={"REFUSE": "1"})
