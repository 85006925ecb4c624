"""### Spot prices, tickers and sentiment, every hour

* **tickers**: spot price, bid, ask and 24 h figures of each market from its venue. A venue keeps no history of these,
  so the run of a past hour skips this task and says so.
* **coins**: CoinGecko's price, market capitalisation, volume, supply and rank; for past hours from its hourly history.
  Its daily history goes as far back as the plan reaches; days that are there already are not asked for.
* **sentiment**: the Fear & Greed index; its whole history on the first run. Source: alternative.me, which asks to be
  named wherever the index is shown.

The three sources do not wait for each other, and each has a pool of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, task_group

from crypto_market.deadlines import done_within
from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.snapshots import (
    CoinHistoryToPostgresOperator,
    CoinSnapshotsToPostgresOperator,
    FearGreedToPostgresOperator,
    TickersToPostgresOperator,
)
from crypto_market.retry import VenueRetryPolicy
from include.config.markets import COINGECKO_IDS, VENUES, market_keys

with DAG(
    dag_id="spot_sentiment_hourly",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("3 * * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=50),
    deadline=done_within(timedelta(minutes=20)),
    tags=["tickers", "sentiment", "live"],
    params=window_params(),
    **DAG_DEFAULTS,
) as dag:

    @task_group
    def tickers() -> None:
        """One task per venue."""
        for venue in VENUES:
            TickersToPostgresOperator(
                task_id=venue,
                venue=venue,
                markets=market_keys(venue),
                pool=venue,
                retry_policy=VenueRetryPolicy(),
            )

    @task_group
    def coins() -> None:
        """Aggregated over all venues."""
        CoinSnapshotsToPostgresOperator(
            task_id="coingecko", coins=COINGECKO_IDS, pool="coingecko", retry_policy=VenueRetryPolicy()
        )
        CoinHistoryToPostgresOperator(
            task_id="daily_history",
            coins=COINGECKO_IDS,
            cadence="day",
            pool="coingecko",
            retry_policy=VenueRetryPolicy(),
        )

    @task_group
    def sentiment() -> None:
        """Fear & Greed."""
        FearGreedToPostgresOperator(
            task_id="fear_greed", cadence="day", pool="alternative_me", retry_policy=VenueRetryPolicy()
        )

    tickers()
    coins()
    sentiment()
