"""### The hour's candles

Two minutes past each hour: stores the candles that have just closed, reads the last closed ones again (late trades
still reach them), and fetches what is missing among the 1000 hours before. The same functions as in
`ohlcv_backfill` do the work, so that live rows equal historical ones.

Each venue's tasks have a pool and a request budget of their own: one that is down or banned delays no other. Live
requests go before those of repairs and backfills.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from crypto_market.assets import CANDLES
from crypto_market.deadlines import done_within
from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.candles import CandlesToPostgresOperator
from crypto_market.retry import VenueRetryPolicy
from include.config.markets import TIMEFRAMES, VENUES, market_keys

with DAG(
    dag_id="ohlcv_hourly",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("2 * * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=2,  # a run that waits for one venue does not hold up the next hour of the others
    dagrun_timeout=timedelta(minutes=50),
    deadline=done_within(timedelta(minutes=20)),
    tags=["candles", "live"],
    params=window_params(),
    **DAG_DEFAULTS,
) as dag:
    for venue in VENUES:
        CandlesToPostgresOperator(
            task_id=f"load_{venue}",
            venue=venue,
            markets=market_keys(venue),
            purpose="live",
            cadence="hour",
            timeframes=list(TIMEFRAMES),
            pool=venue,
            priority_weight=100,  # live before backfill, where both wait for the venue's pool
            retry_policy=VenueRetryPolicy(),
            outlets=[CANDLES],
        )
