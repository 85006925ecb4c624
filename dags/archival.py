"""### Closed months to Parquet, public views to CSV

* **archive_candles**: writes every market's candles of each month that ends within the window to Parquet, with a
  manifest of rows, SHA-256 and schema version, reads it back and compares it row by row before it counts. With
  `drop_rows` the month then leaves the table, never otherwise, and not while features could still need it (the last 52
  days of hours, 3.4 years of days).
* **archive_tickers**: the same for the tickers of every month older than `keep_ticker_months`; with `drop_rows` the
  month's partition is dropped as a whole.
* **export_views**: the window's rows of the views in `export_views` as CSV files; skipped where none is chosen.

**A dry run by default**: it says what it would archive, and touches nothing. Trigger with `dry_run` false to act.
An export is asked for by name and only adds files, so it is written either way. `python -m include.cli archive`
lists, verifies and restores what was archived.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.archive import ArchiveCandlesOperator, ArchiveTickersOperator, ExportViewsOperator
from include.warehouse.views import VIEWS

ARCHIVING: dict[str, Any] = {
    "archive_uri": "{{ var.value.archive_uri }}",
    "is_dry_run": "{{ params.dry_run }}",
    "drop_rows": "{{ params.drop_rows }}",
}

with DAG(
    dag_id="archival",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 5 1 * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["archive", "export"],
    params={
        "dry_run": Param(True, type="boolean", title="Dry run", description="Say what would happen, touch nothing"),
        "drop_rows": Param(False, type="boolean", title="Drop rows", description="Once compared, empty the month"),
        "keep_ticker_months": Param(6, type="integer", minimum=1, title="Keep tickers (whole months)"),
        "export_views": Param(
            [],
            type="array",
            items={"type": "string", "enum": list(VIEWS)},
            examples=list(VIEWS),
            title="Export views",
            description="The window's rows of these as CSV files beside the archive; also in a dry run",
        ),
        **window_params(),
    },
    **DAG_DEFAULTS,
) as dag:
    ArchiveCandlesOperator(task_id="archive_candles", **ARCHIVING)
    ArchiveTickersOperator(task_id="archive_tickers", keep_months="{{ params.keep_ticker_months }}", **ARCHIVING)
    ExportViewsOperator(task_id="export_views", archive_uri=ARCHIVING["archive_uri"], views="{{ params.export_views }}")
