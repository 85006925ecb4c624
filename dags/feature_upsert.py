"""### Indicators and features of whatever changed

Recomputes exactly the rows that changed candles or sentiment reach, whoever changed them: the live hour, a backfill,
a repair, a revision. It works from `ops.change_range`, not from the run's date: **any run, whatever its date, brings
the table up to date**, and a run with nothing to do writes nothing. New candles wake it; the hourly schedule is the
net under that.

`airflow dags test feature_upsert 2024-06-01` computes everything that is due.
Columns: `docs/reference/features.md`. Consumers read the view `crypto_prices`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable

from crypto_market.assets import CANDLES, FEATURES
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.features import UpsertFeaturesOperator

with DAG(
    dag_id="feature_upsert",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("15 * * * *", timezone="UTC"), assets=[CANDLES]),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    tags=["features"],
    **DAG_DEFAULTS,
) as dag:
    UpsertFeaturesOperator(task_id="upsert_features", outlets=[FEATURES])
