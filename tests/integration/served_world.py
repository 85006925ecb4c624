"""A warehouse that is filled hour by hour as the DAGs do it, each part of which can stand still."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns, bootstrap
from include.warehouse.connection import Connection, connect
from tests.conftest import WarehouseTemplate

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
FILLED = 72  # hours that are there from the beginning
FORECAST_SINCE = 48  # the first hour that forecasts start from

MARKETS = """
insert into ops.world (world) values ('recorded');
insert into market.instrument (venue, symbol, venue_symbol, listed_at) values
    ('binance', 'BTC/USDT', 'BTCUSDT', '2024-01-01Z'), ('kraken', 'BTC/USD', 'XXBTZUSD', '2024-01-01Z');
select market.add_ticker_month(date '2024-01-01');
"""

# Every fourth price falls, over forecasts by target; outcomes of the first five lie outside the 80 % interval.
SCORES = """
insert into ml.forecast_score (
    forecast_id, scored_at, actual_price, actual_log_return, error_log_return, absolute_error, naive_absolute_error,
    is_covered, is_covered_95
)
select
    f.forecast_id, f.target_at, 101, r.actual, r.actual - f.predicted_log_return, 0.5, 1, r.place > 5, true
from (
    select
        o.forecast_id,
        row_number() over (order by o.target_at) as place,
        case when row_number() over (order by o.target_at) %% 4 = 0 then -0.01 else 0.01 end as actual
    from ml.forecast as o
    where o.target_at <= %(last)s
) as r
inner join ml.forecast as f using (forecast_id);
"""
RECORDS = """
insert into ml.promotion (
    training_run_id, decided_at, decision, reason, skill, p_value_over_baseline, champion_after, registered_model,
    target, baseline, tries, p_value_adjusted, champion_before, decided_by
) values
    (1, '2024-01-04Z', 'naive', 'does not beat it', 0.01, 0.5, null, 'recorded.log_return.1', 'log_return',
     'random_walk', 2, 1, null, null),
    (2, '2024-01-04Z', 'promoted', 'beats it', 0.02, 0.001, '1', 'recorded.log_return.24', 'log_return',
     'random_walk', 2, 0.002, null, null),
    (null, '2024-01-04 00:10Z', 'rolled_back', 'by hand', null, null, null, 'recorded.log_return.24', 'log_return',
     null, null, null, '1', 'ada');
insert into market.quarantine (
    fingerprint, recorded_at, dataset, source, request, instrument_id, timeframe, opened_at, reason, raw
) values
    ('a', '2024-01-02Z', 'candle', 'rest', 'https://api.binance.com/x', 1, '1h', '2024-01-01Z', 'low > high', '[1]'),
    ('b', '2024-01-03Z', 'ticker', 'rest', null, null, null, null, 'no price', '<html>');
insert into ops.circuit (source, state, reason, opened_at, retry_at) values
    ('binance', 'closed', null, null, null), ('kraken', 'open', 'banned', '2024-01-01Z', '2024-01-05Z');
insert into ops.rate_budget (source, window_seconds, units, capacity, refill_per_second, tokens, updated_at)
values ('binance', 60, 100, 50, 0.5, 50, clock_timestamp());
insert into ops.pipeline_run (
    dag_id, run_id, task_id, map_index, rows_new, rows_changed, rows_unchanged, finished_at, work_seconds, wait_seconds
)
select 'ohlcv_hourly', 'r' || n, 'collect', m, n, 0, 0, timestamptz '2024-01-01Z' + n * interval '1 hour', 90, 30
from generate_series(1, 3) as n, generate_series(0, 1) as m;
insert into market.ticker (instrument_id, observed_at, recorded_at, last, source)
values (1, '2024-01-04Z', '2024-01-04Z', 100, 'test');
insert into market.fear_greed (day, value, classification, published_at, recorded_at, source)
values ('2024-01-02', 50, 'Neutral', '2024-01-02 00:05Z', '2024-01-02 01:00Z', 'test');
"""

# Hours [since, until) of each part; the names of the parts are those of PARTS.
CANDLES = """
insert into market.candle (
    instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, base_volume, source
)
select i.instrument_id, '1h', t, t + interval '61 minutes', 100, 130.5, 90.25, 100 + extract(hour from t), 5, 'test'
from market.instrument as i, generate_series(%(since)s, %(until)s - interval '1 hour', interval '1 hour') as t
where i.venue = %(venue)s
"""
FEATURES = """
insert into features.candle_feature (instrument_id, timeframe, opened_at, recorded_at)
select i.instrument_id, '1h', t, t + interval '65 minutes'
from market.instrument as i, generate_series(%(since)s, %(until)s - interval '1 hour', interval '1 hour') as t
"""
FORECASTS = """
insert into ml.forecast (
    instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price, predicted_log_return,
    predicted_price, lower_price, upper_price, coverage, model, lower_price_95, upper_price_95, up_probability,
    predicted_volatility, lower_volatility, upper_volatility, lower_volatility_95, upper_volatility_95,
    volatility_model, ewma_volatility, har_volatility
)
select
    1, '1h', h, t, t + h * interval '1 hour', t + interval '25 minutes', 100, 0, 100.5, 95, 105, 0.8, 'naive', 90, 110,
    0.55, v, v / 2, v * 2, v / 3, v * 3, case when v > 0 then 'har' end, v, v
from unnest(array[1, 24]) as h
cross join lateral (values (case when h = 24 then 0.02 end)) as f (v)
cross join generate_series(%(since)s + interval '1 hour', %(until)s, interval '1 hour') as t
where t >= %(forecast_since)s
order by t, h
"""
TRAININGS = """
insert into ml.training_run (
    instrument_id, timeframe, horizon_bars, target, trained_at, mlflow_run_id, registered_model, model_version,
    dataset_sha256, definition_sha256, training_rows, training_starts_at, training_ends_at, test_rows, test_starts_at,
    test_ends_at, mae, baseline_mae, rmse, baseline_rmse, skill, p_value_over_baseline, recipe, baseline, tries, folds,
    p_value_adjusted, loss, baseline_loss, known_at
)
select
    1, '1h', h, target, %(until)s, %(until)s || target || h, 'recorded.' || target || '.' || h, '1', 'a', 'a', 9,
    '2023-01-01Z', '2023-02-01Z', 7, '2023-02-01Z', '2023-03-01Z', 1, 1, 1, 1, 0.01, 0.5, 'ridge', 'random_walk', 2, 3,
    1, 1, 1, '2023-04-01Z'
from (values (1, 'log_return'), (24, 'log_return'), (24, 'volatility')) as k (h, target)
"""
PARTS = {
    "binance": (CANDLES, {"venue": "binance"}),
    "kraken": (CANDLES, {"venue": "kraken"}),
    "features": (FEATURES, {}),
    "forecasts": (FORECASTS, {}),
}


def advance(connection: Connection, since: int, until: int, *, frozen: str | None = None) -> None:
    """Do what the DAGs do in the hours [since, until) after START, but for the part that stands still."""
    hours = {"since": START + since * HOUR, "until": START + until * HOUR}
    for part, (text, values) in PARTS.items():
        stands = frozen == part or (frozen == "features" and part == "forecasts")
        if not stands:
            more = {"forecast_since": START + FORECAST_SINCE * HOUR}
            connection.execute(text, {**hours, **values, **more})


def train(connection: Connection, hour: int) -> None:
    """Train every kind of forecast so many hours after START."""
    connection.execute(TRAININGS, {"until": START + hour * HOUR})


@contextmanager
def filled(cluster: PostgresCluster, template: WarehouseTemplate) -> Iterator[tuple[WarehouseDsns, Connection]]:
    """A warehouse of FILLED hours, and its owner's connection."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template.name}"')
    dsns = bootstrap(cluster.dsn(), name, template.passwords)
    with connect(dsns.owner) as owner:
        owner.execute(MARKETS)
        advance(owner, 0, FILLED)
        train(owner, FILLED)
        yield dsns, owner
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
