"""The libraries that tasks import, loaded by importing this module.

A task of Airflow is a fork, which then imports what its DAG file and its operators need. Imported before the first
fork (by `crypto_market.executor`, by Celery's `imports`), the libraries cost no task the time, nor, as long as nobody
writes to them, the memory. Our own code is not among them: the next task sees a change of it, as it always did, while a
change of libraries has always asked for a restart.
"""

import importlib

# A test compares with what tasks import. None may start a thread: a fork would leave it behind, a lock in its hand.
LIBRARIES = (
    "airflow.dag_processing.dagbag",
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.http.hooks.http",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.sdk.definitions.retry_policy",
    "airflow.sdk.execution_time.task_runner",
    "jinja2.sandbox",
    "mlflow.models",
    "numpy",
    "pandas",
    "psycopg.types.multirange",
    "pyarrow.parquet",
    "requests",
    "scipy.signal",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "statsd",
    "ta",
    "talib",
    "tenacity",
    "upath",
)

for _name in LIBRARIES:
    importlib.import_module(_name)
