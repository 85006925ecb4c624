"""### What would grow without end

Once a day, each step a task of its own, every one safe to repeat and to kill:

* **remove_old_files**: task logs not written to for `keep_files_days`, and folders that are empty then.
* **clean_metadata**: Airflow's own history (runs, task instances, XComs, jobs, audit log, events, deadlines) older than
  `keep_metadata_days`, by Airflow's own `airflow db clean`; each DAG's newest run stays. Skipped where there is no
  connection `airflow_metadata`.
* **remove_models**: MLflow runs and model versions older than `keep_models_days` that **never served**. Champions, past
  champions and whatever spoke in a sealed forecast stay, with all their evidence.
* **trim_rows**: old rows of the warehouse's machinery: what each task wrote, requests per hour, rejected rows.
* **report_tables**: the largest tables and their dead rows, for the log; vacuuming is autovacuum's.

Never touched: candles, revisions, features, forecasts, scores, promotions, attestations of coverage. **It acts**, by
the ages of `include/config/retention.py`; trigger with `dry_run` to be told what would go, and nothing goes.
How-to: docs/how-to/retention.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.maintenance import (
    CleanMetadataOperator,
    RemoveModelsOperator,
    RemoveOldFilesOperator,
    ReportTablesOperator,
    TrimRowsOperator,
)
from include.config.retention import FEWEST_DAYS, RETENTION


def keep_days(setting: str, title: str) -> Param:
    """A param of days with the setting's age as default and its least as minimum."""
    least = FEWEST_DAYS[setting]
    return Param(getattr(RETENTION, setting), type="integer", minimum=least, title=f"Keep {title} (days)")


with DAG(
    dag_id="warehouse_maintenance",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("30 3 * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    tags=["retention"],
    params={
        "dry_run": Param(False, type="boolean", title="Dry run", description="Say what would go, remove nothing"),
        "keep_files_days": keep_days("local_files", "files"),
        "keep_metadata_days": keep_days("airflow_metadata", "Airflow's history"),
        "keep_models_days": keep_days("models", "models that never served"),
        "keep_pipeline_runs_days": keep_days("pipeline_runs", "what tasks wrote"),
        "keep_request_usage_days": keep_days("request_usage", "requests per hour"),
        "keep_quarantine_days": keep_days("quarantine", "rejected rows"),
    },
    **DAG_DEFAULTS,
) as dag:
    dry_run = "{{ params.dry_run }}"
    RemoveOldFilesOperator(
        task_id="remove_old_files",
        folder="{{ var.value.log_folder }}",
        keep_days="{{ params.keep_files_days }}",
        is_dry_run=dry_run,
    )
    CleanMetadataOperator(task_id="clean_metadata", keep_days="{{ params.keep_metadata_days }}", is_dry_run=dry_run)
    RemoveModelsOperator(task_id="remove_models", keep_days="{{ params.keep_models_days }}", is_dry_run=dry_run)
    TrimRowsOperator(
        task_id="trim_rows",
        keep_days={
            name: f"{{{{ params.keep_{name}_days }}}}" for name in ("pipeline_runs", "request_usage", "quarantine")
        },
        is_dry_run=dry_run,
    ) >> ReportTablesOperator(task_id="report_tables")
