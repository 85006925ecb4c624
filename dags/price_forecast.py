"""### Forecasts, every hour

Writes each market's forecast of the price in an hour and in a day before its target opens, with intervals that hold 80
and 95 % of outcomes and the probability of a rise; beside the day's price stands how much it will move. What the
baselines say of the same moment is written in the same row, and such a row is sealed and never changes. The champion of
`model_retraining` speaks where there is one; else a baseline does and is called by its name: `naive` for the price,
`har` for volatility.

Refused, with a reason that the view `forecast_status` shows: stale or incomplete features, a target that is not ahead
any more, a champion that is too old or cannot be used. Forecasts whose target has closed are scored, again where a
candle of theirs is revised; `ml.scoreboard` says how each model does against each baseline. Consumers read the view
`predictions`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable

from crypto_market.assets import FEATURES
from crypto_market.deadlines import done_within
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
    deadline=done_within(timedelta(minutes=20)),
    tags=["forecasts"],
    **DAG_DEFAULTS,
) as dag:
    score = ScoreForecastsOperator(task_id="score_matured")
    forecast = ForecastOperator(task_id="make_forecasts", pool="models", priority_weight=100)
    # Also where nothing could be forecast: how stale the data are is what somebody needs to see then.
    publish = PublishFactsOperator(task_id="publish_facts", trigger_rule="all_done")

    [score, forecast] >> publish
