"""### Models, weekly

For each market and kind of forecast (log return 1 h and 24 h ahead, volatility 24 h ahead): every recipe and every
baseline walks forward over the same folds of history, with an embargo between what is learned and what is judged. The
best recipe becomes champion only if it beats the best baseline and the present champion beyond luck, corrected for
the number of tries; a champion that has fallen behind the baseline retires, and nothing else changes. Every decision
stands with its figures in `ml.promotion`; every run, with parameters, metrics, plots, model card and the dataset's
hash, in MLflow. By hand: docs/how-to/models.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.training import TrainModelOperator
from include.config.markets import FORECAST_MARKETS
from include.forecasting.kinds import KIND_KEYS

KEYS = [market.key for market in FORECAST_MARKETS]
KINDS = list(KIND_KEYS)

with DAG(
    dag_id="model_retraining",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 4 * * 0", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["models"],
    params={
        "markets": Param(KEYS, type="array", items={"type": "string", "enum": KEYS}, minItems=1, title="Markets"),
        "kinds": Param(
            KINDS,
            type="array",
            items={"type": "string", "enum": KINDS},
            minItems=1,
            title="Kinds of forecast",
            description="Target and horizon in bars of an hour",
        ),
    },
    **DAG_DEFAULTS,
) as dag:
    TrainModelOperator.partial(
        task_id="train_models",
        markets="{{ params.markets }}",
        kinds="{{ params.kinds }}",
        pool="models",
        map_index_template="{{ task.kind }}",
        retries=1,
    ).expand(kind=KINDS)
