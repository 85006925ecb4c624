"""What this product knows from its databases: true whether or not anything else runs.

A query is a file of `sql/facts`. It answers rows of label columns, then value columns that are named as the metric is,
without `crypto_`. A label whose name is a word of SQL's or of sql_exporter's own has `of_` before it in the column.
"""

from __future__ import annotations

from dataclasses import dataclass

from include.metrics.metric import Metric

DATABASES = ("warehouse", "airflow")
# Environment variables with the libpq connection strings of who shows the facts.
FACTS_VARIABLES = {database: f"FACTS_{database.upper()}_DSN" for database in DATABASES}
PREFIX = "crypto_"
GUARD = "of_"
_GUARDED = {"database", "table", "interval"}
_SERIES = ("venue", "symbol", "timeframe")
_FORECAST = ("symbol", "horizon", "target")


@dataclass(frozen=True, slots=True)
class FactQuery:
    """A statement and the metrics it answers, which share their labels."""

    file: str
    metrics: tuple[Metric, ...]

    @property
    def database(self) -> str:
        return self.file.partition("_")[0]

    @property
    def label_columns(self) -> tuple[str, ...]:
        return tuple(GUARD + label if label in _GUARDED else label for label in self.metrics[0].labels)

    @property
    def value_columns(self) -> tuple[str, ...]:
        return tuple(metric.prometheus_name.removeprefix(PREFIX) for metric in self.metrics)


def _fact(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(f"crypto.{name}", "gauge", labels, meaning, "database")


def _query(file: str, labels: tuple[str, ...], *facts: tuple[str, str]) -> FactQuery:
    return FactQuery(file, tuple(_fact(name, labels, meaning) for name, meaning in facts))


QUERIES = (
    _query(
        "warehouse_candles",
        _SERIES,
        ("candle.newest_close_timestamp_seconds", "Close time of the newest candle held."),
    ),
    _query(
        "warehouse_features",
        _SERIES,
        ("feature.newest_close_timestamp_seconds", "Close time of the newest candle that has features."),
    ),
    _query(
        "warehouse_tickers",
        ("venue", "symbol"),
        ("ticker.newest_timestamp_seconds", "When the newest ticker was observed."),
    ),
    _query(
        "warehouse_sentiment",
        (),
        ("sentiment.newest_timestamp_seconds", "When the newest Fear & Greed value was published."),
    ),
    _query(
        "warehouse_coverage",
        _SERIES,
        (
            "coverage.unknown",
            "Candles expected that are neither held nor explained: not empty, an outage, out of reach or pending.",
        ),
        (
            "coverage.held_ratio",
            "Share of the expected candles that the table or the archive holds; the rest is explained or unknown.",
        ),
    ),
    _query(
        "warehouse_coverage_counted",
        (),
        ("coverage.counted_timestamp_seconds", "When the candles expected and held were last counted."),
    ),
    _query(
        "warehouse_markets",
        ("venue", "symbol"),
        ("market.configured", "1 where a market that candles are held of is configured, 0 where it is no more."),
    ),
    _query(
        "warehouse_circuits",
        ("venue",),
        (
            "circuit.state",
            "The circuit of a source: 0 closed, 1 half open (one request tries), 2 open (nothing is sent).",
        ),
    ),
    _query(
        "warehouse_forecasts",
        ("symbol", "horizon"),
        ("forecast.newest_target_timestamp_seconds", "Target time of the newest sealed forecast."),
    ),
    _query(
        "warehouse_skill",
        _FORECAST,
        (
            "forecast.skill_ratio",
            "1 - loss / loss of the random walk (of volatility: EWMA) over 90 days, of the model served;"
            " 0 is no better.",
        ),
    ),
    _query(
        "warehouse_skill_upper",
        _FORECAST,
        (
            "forecast.skill_upper_ratio",
            "Upper end of the 95 % confidence interval of crypto.forecast.skill_ratio; below 0: worse beyond luck.",
        ),
    ),
    _query(
        "warehouse_intervals",
        (*_FORECAST, "interval"),
        (
            "forecast.coverage_ratio",
            "Share of outcomes over 90 days that the served model's interval of 80 or 95 % held; from 10 days on.",
        ),
    ),
    _query(
        "warehouse_models",
        _FORECAST,
        ("model.trained_timestamp_seconds", "When a model was last trained and compared with the baselines."),
    ),
    _query(
        "warehouse_backups",
        ("database",),
        ("backup.last_success_timestamp_seconds", "When the newest verified backup was finished."),
    ),
    _query(
        "warehouse_databases",
        ("database",),
        ("database.size_bytes", "Bytes of a database of this server on disk."),
        ("database.connections", "Sessions that are connected to a database of this server."),
    ),
    _query("warehouse_server", (), ("database.max_connections", "How many sessions this server admits.")),
    _query(
        "warehouse_transactions",
        (),
        (
            "database.oldest_transaction_timestamp_seconds",
            "When the oldest open transaction of the warehouse began; without one, now. Nothing newer can be vacuumed.",
        ),
    ),
    _query(
        "warehouse_tables",
        ("table",),
        ("table.size_bytes", "Bytes of a table with its indexes and partitions; the 30 largest."),
        ("table.rows", "Live rows of a table by PostgreSQL's own estimate; the 30 largest."),
        ("table.dead_rows", "Dead rows of a table by PostgreSQL's own estimate; the 30 largest."),
    ),
    _query(
        "airflow_dags",
        ("dag_id",),
        ("dag.paused", "1 where the DAG is paused, else 0."),
        ("dag.deadlines_missed", "Deadlines of runs that were missed, of those Airflow remembers."),
    ),
    _query(
        "airflow_last_success",
        ("dag_id",),
        ("dag.last_success_timestamp_seconds", "When the newest successful run ended."),
    ),
    _query(
        "airflow_last_failure",
        ("dag_id",),
        ("dag.last_failure_timestamp_seconds", "When the newest failed run ended."),
    ),
    _query(
        "airflow_last_run",
        ("dag_id",),
        ("dag.last_run_failed", "1 where the run that ended last had failed, else 0."),
    ),
    _query(
        "airflow_next_run",
        ("dag_id",),
        (
            "dag.next_run_due_timestamp_seconds",
            "When the next scheduled run may start, of DAGs that are not paused and have a time schedule.",
        ),
    ),
    _query(
        "airflow_unfinished_runs",
        ("dag_id",),
        ("dag.oldest_unfinished_run_timestamp_seconds", "When the oldest run that is still at work was started."),
    ),
    _query(
        "airflow_queue",
        ("state",),
        ("queue.tasks", "Task instances in a state in which they wait or work."),
    ),
    _query(
        "airflow_oldest_task",
        (),
        (
            "queue.oldest_task_timestamp_seconds",
            "Since when the task waits that has been scheduled or queued for longest; without one, now.",
        ),
    ),
    _query(
        "airflow_pools",
        ("pool",),
        ("pool.slots", "Slots of a pool; -1 is without limit."),
        ("pool.leaked_slots", "Slots held by running tasks that have given no sign of life for 5 minutes."),
    ),
)

COLLECTED = tuple(
    _query(
        f"{database}_collected",
        ("database",),
        ("facts.collected_timestamp_seconds", "When the facts of a database were last read."),
    )
    for database in DATABASES
)
UP = _fact("facts.up", ("database",), "1 where a database lets the role monitor in and answers, else 0.")
FAILED_QUERIES = _fact(
    "facts.failed_queries", ("database",), "Queries of sql/facts that a database did not answer when last asked."
)

FACTS = (*(metric for query in QUERIES for metric in query.metrics), COLLECTED[0].metrics[0], UP, FAILED_QUERIES)
