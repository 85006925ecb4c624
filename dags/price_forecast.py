"""### Forecasts, every hour

Writes each market's forecast for the next hour and the next day before its target opens; such a row is sealed and
never changes. The champion of `model_retraining` speaks where there is one; else the naive forecast is served and
called by its name. Stale features or a target that has opened already are refused, with the reason in the log.
Forecasts whose target has closed are scored. Consumers read the view `predictions`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable

from crypto_market.assets import FEATURES
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.facts import PublishFactsOperator
from crypto_market.operators.forecasting import ForecastOperator, ScoreForecastsOperator

with DAG(
    dag_id="price_forecast",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("25 * * * *", timezone="UTC"), assets=[FEATURES]),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=50),
    tags=["forecasts"],
    **DAG_DEFAULTS,
) as dag:
    score = ScoreForecastsOperator(task_id="score_matured")
    forecast = ForecastOperator(task_id="make_forecasts", pool="models", priority_weight=100)
    # Also where nothing could be forecast: how stale the data are is what somebody needs to see then.
    publish = PublishFactsOperator(task_id="publish_facts", trigger_rule="all_done")

    [score, forecast] >> publish
