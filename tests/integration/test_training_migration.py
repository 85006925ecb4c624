"""Trainings and decisions of before walk-forward evidence keep what they said."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from include.config.markets import MARKETS
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.migrations import migrate
from tests.integration.conftest import Before


@pytest.fixture
def before(warehouse_before: Before) -> Iterator[Connection]:
    """The owner's connection to a warehouse of before the migration."""
    with connect(warehouse_before("0015").owner) as connection:
        yield connection


def test_old_trainings_are_tries_against_the_random_walk(before: Connection) -> None:
    instrument_id = ensure_instrument(before, MARKETS[0])
    for version, decision, after in (("1", "promoted", "1"), ("2", "retired", None)):
        before.execute(
            "with trained as (insert into ml.training_run (instrument_id, timeframe, horizon_bars, trained_at,"
            " mlflow_run_id, registered_model, model_version, dataset_sha256, definition_sha256, training_rows,"
            " training_starts_at, training_ends_at, holdout_rows, holdout_starts_at, holdout_ends_at, mae, naive_mae,"
            " rmse, naive_rmse, skill, p_value_over_naive, interval_coverage, naive_interval_coverage)"
            " values (%s, '1h', 24, '2025-01-01', %s, 'm', %s, 'd', 'e', 9, '2023-01-01', '2024-01-01', 9,"
            " '2024-02-01', '2024-12-01', 1, 2, 0.25, 0.5, 0.75, 0.004, 0.8, 0.8) returning training_run_id)"
            " insert into ml.promotion (training_run_id, decided_at, decision, reason, skill, p_value_over_naive,"
            " champion_after) select training_run_id, '2025-01-01', %s, 'so', 0.75, 0.004, %s from trained",
            (instrument_id, f"run {version}", version, decision, after),
        )
    assert "0015_training_evidence.sql" in migrate(before)
    assert (
        before.execute(
            "select target, recipe, baseline, tries, p_value_adjusted, loss, baseline_loss, known_at = trained_at,"
            " test_rows, rows_since, evidence from ml.training_run"
        ).fetchall()
        == [("log_return", "boosting", "random_walk", 1, 0.004, 0.0625, 0.25, True, 9, None, None)] * 2
    )
    assert before.execute(
        "select registered_model, target, baseline, tries, p_value_adjusted, decision, champion_after, decided_by"
        " from ml.promotion order by promotion_id"
    ).fetchall() == [
        ("m", "log_return", "random_walk", 1, 0.004, "promoted", "1", None),
        ("m", "log_return", "random_walk", 1, 0.004, "retired", None, None),
    ]
    with pytest.raises(psycopg.errors.RestrictViolation):
        before.execute("update ml.promotion set reason = 'better'")
    with pytest.raises(psycopg.errors.CheckViolation, match="promotion_rollback_names_who"):
        before.execute(
            "insert into ml.promotion (registered_model, target, decided_at, decision, reason)"
            " values ('m', 'log_return', now(), 'rolled_back', 'odd')"
        )
    with pytest.raises(psycopg.errors.UniqueViolation, match="promotion_of_training"):
        before.execute(
            "insert into ml.promotion (training_run_id, registered_model, target, decided_at, decision, reason, skill,"
            " p_value_over_baseline, baseline, tries, p_value_adjusted) select training_run_id, 'm', target, now(),"
            " 'kept', 'again', skill, p_value_over_baseline, baseline, tries, p_value_adjusted from ml.training_run"
        )
