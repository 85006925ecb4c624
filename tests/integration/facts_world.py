"""A warehouse and an Airflow's metadata with a little of everything the facts are about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import psycopg


class Databases(NamedTuple):
    """Connection strings: of the role monitor, and of superusers."""

    warehouse: str
    airflow: str
    warehouse_superuser: str
    airflow_superuser: str


WAREHOUSE = """
set session_replication_role = replica;
insert into market.instrument (venue, symbol, venue_symbol, listed_at) values
    ('binance', 'BTC/USDT', 'BTCUSDT', '2020-01-01'), ('kraken', 'BTC/USD', 'XBTUSD', '2020-01-01');
insert into market.candle (
    instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, base_volume, source
)
select i.instrument_id, '1h', t, t + interval '2 hours', 1, 2, 0.5, 1, 1, 'test'
from market.instrument as i, generate_series('2024-01-01Z'::timestamptz, '2024-01-02Z', '1 hour') as t;
insert into features.candle_feature (instrument_id, timeframe, opened_at, recorded_at)
select instrument_id, timeframe, opened_at, recorded_at from market.candle where opened_at < '2024-01-02Z';
select market.add_ticker_month(date '2023-12-01'), market.add_ticker_month(date '2024-01-01');
insert into market.ticker (instrument_id, observed_at, recorded_at, last, source)
select i.instrument_id, t, t, 1, 'test'
from market.instrument as i, unnest(array['2023-12-31T12:00Z'::timestamptz, '2024-01-01T12:00Z']) as t;
insert into market.fear_greed (day, value, classification, published_at, recorded_at, source) values
    ('2024-01-01', 50, 'Neutral', '2024-01-01T00:10Z', '2024-01-01T01:00Z', 'test');
insert into ops.circuit (source, state, opened_at, retry_at) values
    ('binance', 'closed', null, null), ('kraken', 'open', '2024-01-01Z', '2024-01-02Z');
insert into ops.coverage_count values
    (1, '1h', 100, 98, 1, true, '2024-01-02T00:30Z'), (2, '1h', 0, 0, 0, false, '2024-01-02T00:30Z');
insert into ops.served_skill values
    (1, '1h', 24, 'volatility', 9, 0.25, null, 0.7, 0.9), (1, '1h', 1, 'log_return', 40, -0.01, 0.02, 0.81, null);
insert into ml.forecast (
    instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price, predicted_log_return,
    predicted_price, lower_price, upper_price, coverage, model, chain_position, previous_sha256, row_sha256
)
select
    1, '1h', h, t, t + h * interval '1 hour', t, 1, 0, 1, 0.5, 2, 0.8, 'naive',
    row_number() over (), repeat('a', 64), repeat('a', 64)
from unnest(array[1, 24]) as h, generate_series('2024-01-01Z'::timestamptz, '2024-01-02Z', '1 hour') as t;
insert into ml.training_run (
    instrument_id, timeframe, horizon_bars, target, trained_at, mlflow_run_id, registered_model, model_version,
    dataset_sha256, definition_sha256, training_rows, training_starts_at, training_ends_at, test_rows, test_starts_at,
    test_ends_at, mae, baseline_mae, rmse, baseline_rmse, skill, p_value_over_baseline, recipe, baseline, tries, folds,
    p_value_adjusted, loss, baseline_loss, known_at
)
select
    1, '1h', 1, 'log_return', t, t::text, 'm', '1', 'a', 'a', 1, '2023-01-01', '2023-02-01', 1, '2023-02-01',
    '2023-03-01', 1, 1, 1, 1, 0, 0.5, 'boosting', 'random_walk', 1, 1, 0.5, 1, 1, '2023-04-01'
from unnest(array['2023-12-01Z'::timestamptz, '2024-01-01Z']) as t;
insert into ops.backup (database, path, bytes, sha256, started_at, finished_at) values
    ('warehouse', '/b', 1, repeat('a', 64), '2024-01-01T02:00Z', '2024-01-01T02:05Z'),
    ('warehouse', '/c', 1, repeat('a', 64), '2024-01-02T02:00Z', '2024-01-02T02:05Z');
"""

AIRFLOW = """
set session_replication_role = replica;
delete from dag; delete from dag_run; delete from task_instance; delete from slot_pool; delete from deadline;
insert into dag (
    dag_id, is_paused, is_stale, next_dagrun_create_after, bundle_name, timetable_type, partition_mapper_info,
    max_active_tasks, max_consecutive_failed_dag_runs, has_task_concurrency_limits
)
select name, name = 'resting', name = 'gone', '2024-01-02T01:02Z', 'dags', 't', '{}', 16, 0, false
from unnest(array['hourly', 'resting', 'gone']) as name;
insert into dag_run (id, dag_id, run_id, run_type, state, start_date, end_date, run_after)
select n, dag_id, n, 'scheduled', state, started, ended, started
from (values
    (1, 'hourly', 'failed', '2024-01-01T01:00Z'::timestamptz, '2024-01-01T01:05Z'::timestamptz),
    (2, 'hourly', 'success', '2024-01-01T02:00Z', '2024-01-01T02:04Z'),
    (3, 'hourly', 'running', '2024-01-01T03:00Z', null),
    (4, 'resting', 'success', '2024-01-01T02:00Z', '2024-01-01T02:01Z'),
    (5, 'resting', 'failed', '2024-01-01T03:00Z', '2024-01-01T03:01Z'),
    (6, 'gone', 'failed', '2024-01-01T03:00Z', '2024-01-01T03:01Z')
) as r (n, dag_id, state, started, ended);
insert into task_instance (
    id, task_id, dag_id, run_id, state, pool, pool_slots, try_number, scheduled_dttm, start_date, last_heartbeat_at
)
select gen_random_uuid(), n, 'hourly', '3', state, 'binance', slots, 0, scheduled, scheduled, seen
from (values
    ('a', 'running', 2, now() - interval '1 hour', now() - interval '6 minutes'),
    ('b', 'running', 1, now() - interval '1 hour', now() - interval '1 minute'),
    ('c', 'queued', 1, '2024-01-01T03:00Z', null),
    ('d', 'scheduled', 1, '2024-01-01T04:00Z', null),
    ('e', 'success', 1, '2024-01-01T00:00Z', null)
) as t (n, state, slots, scheduled, seen);
insert into slot_pool (id, pool, slots, include_deferred) values
    (1, 'binance', 8, false), (2, 'default_pool', 128, false);
insert into deadline (id, created_at, last_updated_at, dagrun_id, deadline_time, missed, callback_id)
select gen_random_uuid(), now(), now(), 1, now(), missed, gen_random_uuid()
from unnest(array[true, true, false]) as missed;
"""


def fill(warehouse_superuser: str, airflow_superuser: str) -> None:
    """Put the rows in, whatever hangs together with them; both are superusers' connection strings."""
    for dsn, text in ((warehouse_superuser, WAREHOUSE), (airflow_superuser, AIRFLOW)):
        with psycopg.connect(dsn) as connection:
            connection.execute(text)


def samples(page: str) -> dict[str, float]:
    """Values by series, of a page in Prometheus' text format."""
    lines = [line.rpartition(" ") for line in page.splitlines() if not line.startswith("#")]
    assert len({series for series, _, _ in lines}) == len(lines), "a series twice: Prometheus would refuse the page"
    return {series: float(value) for series, _, value in lines}


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


_BINANCE = 'symbol="BTC/USDT",timeframe="1h",venue="binance"'
_KRAKEN = 'symbol="BTC/USD",timeframe="1h",venue="kraken"'

# Every series of the page that stands still.
EXPECTED: dict[str, float] = {
    f"crypto_candle_newest_close_timestamp_seconds{{{_BINANCE}}}": _at("2024-01-02T01:00"),
    f"crypto_candle_newest_close_timestamp_seconds{{{_KRAKEN}}}": _at("2024-01-02T01:00"),
    f"crypto_feature_newest_close_timestamp_seconds{{{_BINANCE}}}": _at("2024-01-02T00:00"),
    f"crypto_feature_newest_close_timestamp_seconds{{{_KRAKEN}}}": _at("2024-01-02T00:00"),
    'crypto_ticker_newest_timestamp_seconds{symbol="BTC/USDT",venue="binance"}': _at("2024-01-01T12:00"),
    'crypto_ticker_newest_timestamp_seconds{symbol="BTC/USD",venue="kraken"}': _at("2024-01-01T12:00"),
    "crypto_sentiment_newest_timestamp_seconds": _at("2024-01-01T00:10"),
    f"crypto_coverage_unknown{{{_BINANCE}}}": 1,
    f"crypto_coverage_unknown{{{_KRAKEN}}}": 0,
    f"crypto_coverage_held_ratio{{{_BINANCE}}}": 0.98,
    f"crypto_coverage_held_ratio{{{_KRAKEN}}}": 1,
    "crypto_coverage_counted_timestamp_seconds": _at("2024-01-02T00:30"),
    'crypto_market_configured{symbol="BTC/USDT",venue="binance"}': 1,
    'crypto_market_configured{symbol="BTC/USD",venue="kraken"}': 0,
    'crypto_circuit_state{venue="binance"}': 0,
    'crypto_circuit_state{venue="kraken"}': 2,
    'crypto_forecast_newest_target_timestamp_seconds{horizon="1",symbol="BTC/USDT"}': _at("2024-01-02T01:00"),
    'crypto_forecast_newest_target_timestamp_seconds{horizon="24",symbol="BTC/USDT"}': _at("2024-01-03T00:00"),
    'crypto_forecast_skill_ratio{horizon="1",symbol="BTC/USDT",target="log_return"}': -0.01,
    'crypto_forecast_skill_ratio{horizon="24",symbol="BTC/USDT",target="volatility"}': 0.25,
    'crypto_forecast_skill_upper_ratio{horizon="1",symbol="BTC/USDT",target="log_return"}': 0.02,
    'crypto_forecast_coverage_ratio{horizon="1",interval="80",symbol="BTC/USDT",target="log_return"}': 0.81,
    'crypto_model_trained_timestamp_seconds{horizon="1",symbol="BTC/USDT",target="log_return"}': _at("2024-01-01"),
    'crypto_backup_last_success_timestamp_seconds{database="warehouse"}': _at("2024-01-02T02:05"),
    'crypto_dag_paused{dag_id="hourly"}': 0,
    'crypto_dag_paused{dag_id="resting"}': 1,
    'crypto_dag_deadlines_missed{dag_id="hourly"}': 2,
    'crypto_dag_deadlines_missed{dag_id="resting"}': 0,
    'crypto_dag_last_success_timestamp_seconds{dag_id="hourly"}': _at("2024-01-01T02:04"),
    'crypto_dag_last_success_timestamp_seconds{dag_id="resting"}': _at("2024-01-01T02:01"),
    'crypto_dag_last_failure_timestamp_seconds{dag_id="hourly"}': _at("2024-01-01T01:05"),
    'crypto_dag_last_failure_timestamp_seconds{dag_id="resting"}': _at("2024-01-01T03:01"),
    'crypto_dag_last_run_failed{dag_id="hourly"}': 0,
    'crypto_dag_last_run_failed{dag_id="resting"}': 1,
    'crypto_dag_next_run_due_timestamp_seconds{dag_id="hourly"}': _at("2024-01-02T01:02"),
    'crypto_dag_oldest_unfinished_run_timestamp_seconds{dag_id="hourly"}': _at("2024-01-01T03:00"),
    'crypto_queue_tasks{state="deferred"}': 0,
    'crypto_queue_tasks{state="queued"}': 1,
    'crypto_queue_tasks{state="restarting"}': 0,
    'crypto_queue_tasks{state="running"}': 2,
    'crypto_queue_tasks{state="scheduled"}': 1,
    'crypto_queue_tasks{state="up_for_reschedule"}': 0,
    'crypto_queue_tasks{state="up_for_retry"}': 0,
    "crypto_queue_oldest_task_timestamp_seconds": _at("2024-01-01T03:00"),
    'crypto_pool_slots{pool="binance"}': 8,
    'crypto_pool_slots{pool="default_pool"}': 128,
    'crypto_pool_leaked_slots{pool="binance"}': 2,
    'crypto_pool_leaked_slots{pool="default_pool"}': 0,
    'crypto_facts_failed_queries{database="airflow"}': 0,
    'crypto_facts_failed_queries{database="warehouse"}': 0,
    'crypto_facts_up{database="airflow"}': 1,
    'crypto_facts_up{database="warehouse"}': 1,
}

# Names of the others: figures of the server, which move by themselves.
MOVING = (
    "crypto_database_size_bytes",
    "crypto_database_connections",
    "crypto_database_max_connections",
    "crypto_database_oldest_transaction_timestamp_seconds",
    "crypto_table_size_bytes",
    "crypto_table_rows",
    "crypto_table_dead_rows",
    "crypto_facts_collected_timestamp_seconds",
)
