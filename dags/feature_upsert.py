"""### Indicators and features of whatever changed

Recomputes exactly the rows that changed candles or sentiment reach, whoever changed them: the live hour, a backfill,
a repair, a revision. It works from `ops.change_range`, not from the run's date: **any run, whatever its date, brings
the table up to date**, and a run with nothing to do writes nothing. New candles wake it; the hourly schedule is the
net under that.

What is stored is checked before it wakes anybody: ranges, NULLs after warm-up, order, freshness, a row for each candle,
and the newest values against another library. A failed check names the market, column and hour, and is not tried again.
With the param `full_check` every row there is, not those of late (`docs/how-to/data-checks.md`).

`airflow dags test feature_upsert 2024-06-01` computes everything that is due.
Columns: `docs/reference/features.md`. Consumers read the view `crypto_prices`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# The checks' base classes: what a DAG file imports of Airflow itself the DAG processor loads once, before it forks.
from airflow.providers.common.sql.operators.sql import BaseSQLOperator  # noqa: F401
from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable, Param

from crypto_market.assets import CANDLES, FEATURES
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.checks import CrossCheckIndicatorsOperator, FeatureRangesOperator, FeatureRowsOperator
from crypto_market.operators.features import UpsertFeaturesOperator
from include.features_check.rules import column_bounds, row_checks

with DAG(
    dag_id="feature_upsert",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("15 * * * *", timezone="UTC"), assets=[CANDLES]),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    params={
        "full_check": Param(
            False,
            type="boolean",
            title="Check every row",
            description="Not the last and the changed ones alone",
        ),
    },
    tags=["features"],
    **DAG_DEFAULTS,
) as dag:
    upsert_features = UpsertFeaturesOperator(task_id="upsert_features")
    check_ranges = FeatureRangesOperator(
        task_id="check_ranges",
        table="features.candle_feature",
        column_mapping=column_bounds(),
        full_check="{{ params.full_check }}",
    )
    check_rows = FeatureRowsOperator(
        task_id="check_rows",
        table="features.candle_feature",
        checks=row_checks(),
        full_check="{{ params.full_check }}",
    )
    cross_check_indicators = CrossCheckIndicatorsOperator(
        task_id="cross_check_indicators", full_check="{{ params.full_check }}", outlets=[FEATURES]
    )
    upsert_features >> [check_ranges, check_rows] >> cross_check_indicators
