"""Old rows of the warehouse's machinery go; everything that is evidence or market data cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from include.config.retention import RETENTION
from include.maintenance import rows
from include.maintenance.removed import Removed
from include.maintenance.rows import TRIMMED, trim_rows
from include.maintenance.table_sizes import table_sizes
from include.warehouse.connection import Connection, connect

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEEP = {"pipeline_runs": 180, "request_usage": 400, "quarantine": 1_095}


def plant(writer: Connection, setting: str, ages_in_days: list[float]) -> None:
    """Rows of the setting's table, as old as told at NOW."""
    for number, age in enumerate(ages_in_days):
        at = NOW - timedelta(days=age)
        match setting:
            case "pipeline_runs":
                writer.execute(
                    "insert into ops.pipeline_run (dag_id, run_id, task_id, rows_new, rows_changed, rows_unchanged,"
                    " finished_at) values ('d', %s, 't', 1, 0, 0, %s)",
                    (f"run {number}", at),
                )
            case "request_usage":
                hour = at.replace(minute=0, second=0, microsecond=0)
                writer.execute("insert into ops.request_usage values ('binance', %s, 'live', 1, 2)", (hour,))
            case "quarantine":
                writer.execute(
                    "insert into market.quarantine (fingerprint, recorded_at, dataset, source, reason, raw)"
                    " values (%s, %s, 'candle', 'binance', 'so', 'raw')",
                    (bytes([number]), at),
                )


@pytest.mark.parametrize("each", TRIMMED, ids=lambda each: each.table)
def test_older_rows_go_younger_stay_and_a_repeat_finds_nothing(writer: Connection, each: rows.Trimmed) -> None:
    keep = KEEP[each.setting]
    plant(writer, each.setting, [keep + 2, keep + 1, keep - 1, 0.0])
    (told,) = trim_rows(writer, {each.setting: keep}, NOW)
    assert (told.what, told.number) == (each.table, 2)
    assert told.bytes is not None
    assert told.bytes > 0
    assert count(writer, each.table) == 4, "a dry run is the default"
    (removed,) = trim_rows(writer, {each.setting: keep}, NOW, dry_run=False)
    assert (removed.number, bool(removed.bytes)) == (2, True)
    assert count(writer, each.table) == 2
    assert trim_rows(writer, {each.setting: keep}, NOW, dry_run=False) == [Removed(each.table, 0, 0)]


def test_more_than_a_batch_goes_in_several(writer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH", 2)
    plant(writer, "pipeline_runs", [200.0] * 5)
    assert trim_rows(writer, KEEP, NOW, dry_run=False)[0].number == 5


def test_rows_somebody_else_is_at_are_left_to_the_next_time(writer: Connection, warehouse: object) -> None:
    plant(writer, "pipeline_runs", [200.0, 201.0])
    with connect(warehouse.writer) as other, other.transaction():  # type: ignore[attr-defined]
        other.execute("select from ops.pipeline_run where run_id = 'run 0' for update")
        assert trim_rows(writer, KEEP, NOW, dry_run=False)[0].number == 1
    assert trim_rows(writer, KEEP, NOW, dry_run=False)[0].number == 1


@pytest.mark.parametrize(
    "table",
    [
        "market.candle_revision",
        "market.attestation",
        "ops.circuit_event",
        "ops.repair_step",
        "ml.forecast",
        "ml.refusal",
    ],
)
def test_evidence_is_not_the_loaders_to_delete(writer: Connection, table: str) -> None:
    assert table not in {each.table for each in TRIMMED}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(f"delete from {table}")


def test_the_largest_tables_are_reported(writer: Connection) -> None:
    plant(writer, "pipeline_runs", [1.0])
    found = table_sizes(writer)
    assert [each.bytes for each in found] == sorted((each.bytes for each in found), reverse=True)
    assert all("bytes" in str(each) for each in found)


def test_the_shipped_ages_are_those_the_rows_are_trimmed_by() -> None:
    assert {name: getattr(RETENTION, name) for name in KEEP} == KEEP


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])
