"""The environment every Airflow process of the embedded stack runs in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import make_conninfo

from include.clock import CLOCK_URL_VARIABLE
from include.metrics.fact_queries import FACTS_VARIABLES
from include.stack.celery_settings import celery_environment
from include.stack.credentials import AIRFLOW_USERS, Credentials
from include.stack.executor import Executor
from include.stack.layout import ROOT, Layout, Ports
from include.stack.settings_file import read_settings
from include.warehouse.bootstrap import MONITOR
from include.warehouse.connection import DSN_VARIABLE

METADATA_DATABASE = "airflow"
DEVELOPMENT_DATABASE = "airflow_dev"  # for `airflow dags test`: a live scheduler must not see its runs
WAREHOUSE_DATABASE = "warehouse"
MLFLOW_DATABASE = "mlflow"
STACK_VARIABLE = "CRYPTO_MARKET_STACK"  # marks every process of ours
# Sources the replay exchange serves under their own name, with the paths of the real host.
REPLAYED = ("binance", "binance_archive", "kraken", "coinbase", "coinbase_advanced", "alternative_me")
DEADLINE_ALERTS_VARIABLE = "AIRFLOW_CONN_DEADLINE_ALERTS"  # read by plugins/crypto_market/deadlines.py
WORLD_VARIABLE = "CRYPTO_MARKET_WORLD"  # whose settings an environment holds, also a terminal's after `make env`


def database_url(ports: Ports, user: str, password: str, database: str) -> str:
    """SQLAlchemy URL; the driver is named, because SQLAlchemy 2.1 takes a bare scheme for psycopg 3."""
    return f"postgresql+psycopg2://{user}:{quote(password, safe='')}@127.0.0.1:{ports.postgres}/{database}"


def connections(layout: Layout, ports: Ports, credentials: Credentials) -> dict[str, str]:
    """AIRFLOW_CONN_* variables: those of airflow_settings.yaml, pointed at this stack."""
    settings = read_settings(ROOT / "airflow_settings.yaml").connections
    passwords = {"warehouse": credentials.warehouse_writer, "warehouse_reader": credentials.warehouse_reader}
    for name, password in passwords.items():
        local = {"host": "127.0.0.1", "port": ports.postgres, "schema": WAREHOUSE_DATABASE, "password": password}
        settings[name] |= local
    # Not of the settings file: an installation that cannot have such a role is to go without the connection.
    settings["airflow_metadata"] = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": ports.postgres,
        "schema": METADATA_DATABASE,
        "login": "airflow_janitor",
        "password": credentials.airflow_janitor,
    }
    settings["mlflow"] |= {"host": f"http://127.0.0.1:{ports.mlflow}"}
    if layout.world != "live":
        replay = f"http://127.0.0.1:{ports.replay}"
        for source in REPLAYED:
            settings[source] |= {"host": f"{replay}/{source}"}
        settings["coingecko"] |= {"host": f"{replay}/coingecko/api/v3"}
        for source in ("coingecko", "alternative_me"):
            # A day's budget counts real time, in which a replayed world may see many days.
            settings[source]["extra"] = {**settings[source].get("extra", {}), "limits": [[1000, 60]]}
    variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in settings.items()}
    # An API key or another host comes from the caller's environment, but never a demo's from a terminal that has them.
    if layout.world == os.environ.get(WORLD_VARIABLE, "live") == "live":
        ours = {"warehouse", "warehouse_reader", "mlflow", "airflow_metadata"}
        sources = variables.keys() - {f"AIRFLOW_CONN_{name.upper()}" for name in ours}
        given = {*sources, DEADLINE_ALERTS_VARIABLE} & os.environ.keys()
        variables |= {name: os.environ[name] for name in given}
    return variables


def stack_environment(
    layout: Layout,
    ports: Ports,
    credentials: Credentials,
    metadata: str = METADATA_DATABASE,
    executor: Executor | None = None,
) -> dict[str, str]:
    """Everything the stack adds to the caller's environment; executor: None for the one the environment names."""
    executor = executor or Executor.from_environment()
    database = database_url(ports, "airflow", credentials.airflow_database, metadata)
    base_url = f"http://127.0.0.1:{ports.airflow}"
    environment = {
        STACK_VARIABLE: str(layout.var),
        WORLD_VARIABLE: layout.world,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": str(layout.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "crypto_market.executor.PreloadedLocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(executor.slots),
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__CORE__FERNET_KEY": credentials.fernet_key,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base_url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{user}" for user in AIRFLOW_USERS),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(layout.airflow_home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(ports.airflow),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": base_url,
        "AIRFLOW__API__SECRET_KEY": credentials.api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": credentials.jwt_secret,
        # The two defaults that cost most: seconds per dependency hop, and up to 5 s of held slot per task.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # A task whose scheduler was killed is found and retried within about a minute, not five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
        # A changed file is read at once; one that did not change, because what it imports may have changed.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(layout.task_logs),
        # Beside the tasks' logs, where maintenance looks for old ones.
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(layout.task_logs / "dag_processor"),
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(ports.statsd),
        "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        "AIRFLOW__METRICS__LEGACY_NAMES_ON": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_VAR_ARCHIVE_URI": f"file://{layout.archive}",
        "AIRFLOW_VAR_LOG_FOLDER": str(layout.task_logs),
        # For the commands of include/cli.py.
        DSN_VARIABLE: make_conninfo(
            host="127.0.0.1",
            port=ports.postgres,
            dbname=WAREHOUSE_DATABASE,
            user="warehouse_writer",
            password=credentials.warehouse_writer,
        ),
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(ports.statsd),
        "MLFLOW_BACKEND_STORE_URI": database_url(ports, "mlflow", credentials.mlflow_database, MLFLOW_DATABASE),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_DISABLE_TELEMETRY": "true",  # MLflow reports its use to its makers by default
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # a line of the task log for each step of the bar
        **connections(layout, ports, credentials),
    }
    if executor.is_celery:
        environment |= celery_environment(executor, ports, credentials, database)
    if layout.world != "live":
        environment[CLOCK_URL_VARIABLE] = f"http://127.0.0.1:{ports.replay}/clock"
    return environment


def facts_environment(ports: Ports, credentials: Credentials) -> dict[str, str]:
    """Where the receiver finds the databases whose facts it shows; for no other process."""
    databases = {"warehouse": WAREHOUSE_DATABASE, "airflow": METADATA_DATABASE}
    password = credentials.monitor
    return {
        FACTS_VARIABLES[name]: make_conninfo(
            host="127.0.0.1", port=ports.postgres, dbname=database, user=MONITOR, password=password
        )
        for name, database in databases.items()
    }


def child_environment(added: dict[str, str]) -> dict[str, str]:
    """The caller's environment without settings of another Airflow or another world's clock, plus ours."""
    foreign = ("AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_", CLOCK_URL_VARIABLE)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return {**kept, **added, "PATH": os.pathsep.join([str(Path(ROOT / ".venv/bin")), os.environ.get("PATH", "")])}
