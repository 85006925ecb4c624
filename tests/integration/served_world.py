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
