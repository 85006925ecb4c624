"""### Tickers of every venue, every five minutes; coins, every ten

* **tickers**: last price, bid, ask and 24 h figures of each market from its venue. A stale or dead ticker is refused
  and kept in `market.quarantine`. A venue keeps no history of these: the run of a past window is skipped.
* **coins**: CoinGecko's price, market capitalisation, volume, supply and rank, every ten minutes where the plan's
  monthly credits allow, less often where they do not; a run that is not due is skipped, saying when the next one is.

The sources do not wait for each other; each has a pool and a request budget of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, task_group

from crypto_market.deadlines import done_within
from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.snapshots import CoinSnapshotsToPostgresOperator, TickersToPostgresOperator
from crypto_market.retry import VenueRetryPolicy
from include.config.markets import COINGECKO_IDS, VENUES, market_keys

with DAG(
    dag_id="ticker_snapshots",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("*/5 * * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=2,
    dagrun_timeout=timedelta(minutes=10),
    deadline=done_within(timedelta(minutes=5)),
    tags=["tickers", "live"],
    params=window_params(),
    **{**DAG_DEFAULTS, "default_args": {**DAG_DEFAULTS["default_args"], "execution_timeout": timedelta(minutes=4)}},
) as dag:

    @task_group
    def tickers() -> None:
        """One task per venue."""
        for venue in VENUES:
            TickersToPostgresOperator(
                task_id=venue,
                venue=venue,
                markets=market_keys(venue),
                cadence="five_minutes",
                pool=venue,
                priority_weight=50,
                retry_policy=VenueRetryPolicy(),
            )

    @task_group
    def coins() -> None:
        """Aggregated over all venues."""
        CoinSnapshotsToPostgresOperator(
            task_id="coingecko",
            coins=COINGECKO_IDS,
            cadence="five_minutes",
            when_due=True,
            pool="coingecko",
            retry_policy=VenueRetryPolicy(),
        )

    tickers()
    coins()
