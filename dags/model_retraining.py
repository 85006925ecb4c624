"""### Models, weekly

For each market and horizon: a gradient boosting model of the log return, trained on the older part of the features
and judged on the newest, with an embargo between them. It becomes champion only if it beats both the naive forecast
and the present champion on the same hold-out; a champion that has fallen behind naive retires. Every decision stands
with its figures in `ml.promotion`; every run, with parameters, metrics, plots and the dataset's hash, in MLflow.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.forecasting import TrainModelOperator
from include.config.markets import FORECAST_HORIZONS, FORECAST_MARKETS

KEYS = [market.key for market in FORECAST_MARKETS]

with DAG(
    dag_id="model_retraining",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 4 * * 0", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["models"],
    params={"markets": Param(KEYS, type="array", items={"type": "string", "enum": KEYS}, minItems=1, title="Markets")},
    **DAG_DEFAULTS,
) as dag:
    TrainModelOperator.partial(
        task_id="train_models",
        markets="{{ params.markets }}",
        pool="models",
        map_index_template="{{ task.horizon }} bars ahead",
        retries=1,
    ).expand(horizon=list(FORECAST_HORIZONS))
