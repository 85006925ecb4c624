"""### Closed months to Parquet, old files away

* **archive_candles**: writes every market's candles of each month that ends within the window to Parquet, with a
  manifest of rows and SHA-256, and reads it back and compares it row by row before it counts. With `drop_rows` the
  month then leaves the table, never otherwise, and not while features could still need it (120 days of hours, eight
  years of days).
* **remove_old_files**: task logs older than `keep_files_days`.

**A dry run by default**: it says what it would write and remove, and touches nothing. Trigger with `dry_run` false to
act; the retention of the schedule is the param's default in this file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.archive import ArchiveCandlesOperator, RemoveOldFilesOperator

with DAG(
    dag_id="archival",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 5 1 * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["archive", "retention"],
    params={
        "dry_run": Param(True, type="boolean", title="Dry run", description="Say what would happen, touch nothing"),
        "drop_rows": Param(False, type="boolean", title="Drop rows", description="Once compared, empty the month"),
        "keep_files_days": Param(30, type="integer", minimum=1, title="Keep files (days)"),
        **window_params(),
    },
    **DAG_DEFAULTS,
) as dag:
    ArchiveCandlesOperator(
        task_id="archive_candles",
        archive_uri="{{ var.value.archive_uri }}",
        is_dry_run="{{ params.dry_run }}",
        drop_rows="{{ params.drop_rows }}",
    )
    RemoveOldFilesOperator(
        task_id="remove_old_files",
        folder="{{ var.value.log_folder }}",
        keep_days="{{ params.keep_files_days }}",
        is_dry_run="{{ params.dry_run }}",
    )
