"""### Prices, volumes, rankings and alerts of whatever changed

Brings the schema `mart` in line with the candles: flags of implausible ones, the hour's mean price of each coin, its
daily volume, the daily ranking by 24 h performance, and price alerts. It works from `ops.change_range`, not from the
run's date: **any run, whatever its date, brings the tables up to date**, and a run with nothing to do writes nothing.
New candles wake it; the hourly schedule is the net under that.

Alerts that become known within hours of their candle are sent: into this task's log, or through any Airflow notifier
that the connection `price_alerts` names (`docs/how-to/alerts.md`). What late candles disprove is taken back.

`airflow dags test market_transforms 2024-06-01` computes everything that is due.
Tables, columns and rules: `docs/reference/transforms.md`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# The checks' base class: what a DAG file imports of Airflow itself the DAG processor loads once, before it forks.
import airflow.providers.common.sql.operators.sql  # noqa: F401
from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable

from crypto_market.assets import CANDLES, MART
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.transforms import CheckMartOperator, NotifyAlertsOperator, TransformMarketsOperator
from include.transforms.checks import MART_CHECKS

with DAG(
    dag_id="market_transforms",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("20 * * * *", timezone="UTC"), assets=[CANDLES]),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    tags=["transforms"],
    **DAG_DEFAULTS,
) as dag:
    transform_markets = TransformMarketsOperator(task_id="transform_markets")
    notify_alerts = NotifyAlertsOperator(task_id="notify_alerts")
    check_mart = CheckMartOperator(
        task_id="check_mart",
        conn_id="warehouse",
        table="mart.audit",
        checks=MART_CHECKS,
        outlets=[MART],
    )
    transform_markets >> [notify_alerts, check_mart]
