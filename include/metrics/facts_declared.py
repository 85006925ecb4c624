"""What this product knows from its databases: true whether or not anything else runs. `sql/facts` has the queries."""

from __future__ import annotations

from include.metrics.metric import Metric

_CANDLES = ("venue", "symbol", "timeframe")
_FORECASTS = ("symbol", "horizon", "target")


def _fact(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, "gauge", labels, meaning, "database")


OF_THE_WAREHOUSE = (
    _fact("crypto.candle.newest_close_timestamp_seconds", _CANDLES, "Close time of the newest candle held."),
    _fact(
        "crypto.feature.newest_close_timestamp_seconds", _CANDLES, "Close time of the newest candle that has features."
    ),
    _fact("crypto.ticker.newest_timestamp_seconds", ("venue", "symbol"), "When the newest ticker was observed."),
    _fact("crypto.sentiment.newest_timestamp_seconds", (), "When the newest Fear & Greed value was published."),
    _fact(
        "crypto.coverage.unknown",
        _CANDLES,
        "Candles expected that are neither held nor explained: not empty, an outage, out of reach or pending.",
    ),
    _fact(
        "crypto.coverage.held_ratio",
        _CANDLES,
        "Share of the expected candles that the table or the archive holds; the rest is explained or unknown.",
    ),
    _fact("crypto.coverage.counted_timestamp_seconds", (), "When the candles expected and held were last counted."),
    _fact(
        "crypto.circuit.state",
        ("venue",),
        "The circuit of a source: 0 closed, 1 half open (one request tries), 2 open (nothing is sent).",
    ),
    _fact(
        "crypto.forecast.newest_target_timestamp_seconds",
        ("symbol", "horizon"),
        "Target time of the newest sealed forecast.",
    ),
    _fact(
        "crypto.forecast.skill_ratio",
        _FORECASTS,
        "1 - loss / loss of the random walk (of volatility: EWMA) over 90 days, of the model served; 0 is no better.",
    ),
    _fact(
        "crypto.forecast.skill_upper_ratio",
        _FORECASTS,
        "Upper end of the 95 % confidence interval of crypto.forecast.skill_ratio; below 0: worse beyond luck.",
    ),
    _fact(
        "crypto.forecast.coverage_ratio",
        (*_FORECASTS, "interval"),
        "Share of outcomes over 90 days that the served model's interval of 80 or 95 % held; from 10 days on.",
    ),
    _fact(
        "crypto.model.trained_timestamp_seconds",
        _FORECASTS,
        "When a model was last trained and compared with the baselines.",
    ),
    _fact(
        "crypto.backup.last_success_timestamp_seconds", ("database",), "When the newest verified backup was finished."
    ),
    _fact("crypto.database.size_bytes", ("database",), "Bytes of a database of this server on disk."),
    _fact("crypto.database.connections", ("database",), "Sessions that are connected to a database of this server."),
    _fact("crypto.database.max_connections", (), "How many sessions this server admits."),
    _fact(
        "crypto.database.oldest_transaction_timestamp_seconds",
        (),
        "When the oldest open transaction of the warehouse began; without one, now. Nothing newer can be vacuumed.",
    ),
    _fact("crypto.table.size_bytes", ("table",), "Bytes of a table with its indexes; the 30 largest."),
    _fact("crypto.table.rows", ("table",), "Live rows of a table by PostgreSQL's own estimate; the 30 largest."),
    _fact("crypto.table.dead_rows", ("table",), "Dead rows of a table by PostgreSQL's own estimate; the 30 largest."),
)

OF_AIRFLOW = (
    _fact("crypto.dag.last_success_timestamp_seconds", ("dag_id",), "When the newest successful run ended."),
    _fact("crypto.dag.last_failure_timestamp_seconds", ("dag_id",), "When the newest failed run ended."),
    _fact("crypto.dag.last_run_failed", ("dag_id",), "1 where the run that ended last had failed, else 0."),
    _fact("crypto.dag.paused", ("dag_id",), "1 where the DAG is paused, else 0."),
    _fact(
        "crypto.dag.next_run_due_timestamp_seconds",
        ("dag_id",),
        "When the next scheduled run may start, of DAGs that are not paused and have a time schedule.",
    ),
    _fact(
        "crypto.dag.oldest_unfinished_run_timestamp_seconds",
        ("dag_id",),
        "When the oldest run that has not ended was started, or queued where it has not started.",
    ),
    _fact(
        "crypto.dag.deadlines_missed", ("dag_id",), "Deadlines of runs that were missed, of those Airflow remembers."
    ),
    _fact("crypto.queue.tasks", ("state",), "Task instances in a state in which they wait or work."),
    _fact(
        "crypto.queue.oldest_task_timestamp_seconds",
        (),
        "Since when the task waits that has been scheduled or queued for longest; without one, now.",
    ),
    _fact("crypto.pool.slots", ("pool",), "Slots of a pool; -1 is without limit."),
    _fact(
        "crypto.pool.leaked_slots",
        ("pool",),
        "Slots held by running tasks that have not given a sign of life for 5 minutes.",
    ),
)

OF_THE_COLLECTOR = (
    _fact(
        "crypto.facts.up", ("database",), "1 where the database answered when its facts were last asked for, else 0."
    ),
    _fact("crypto.facts.collected_timestamp_seconds", ("database",), "When the facts of a database were last read."),
)

FACTS = (*OF_THE_WAREHOUSE, *OF_AIRFLOW, *OF_THE_COLLECTOR)
