"""### History of candles, a month at a time

Fetches every configured market's closed candles of one calendar month and stores them exactly once, from the cheapest
source that is complete: Binance's published files for whole months, REST for the rest; of Kraken, whose REST keeps 720
candles, the downloaded OHLCVT files or, if asked for, its trades; what no source reaches is recorded as out of reach.
Running a month again changes nothing; where a venue has revised a candle, the old values go to
`market.candle_revision`. What it will cost: `python -m include.cli backfill-quote`.

Each venue's tasks have a pool and a request budget of their own: one that is down or banned delays no other.

**A range of months** (runs of the past, driven by the scheduler):

    airflow backfill create --dag-id ohlcv_backfill --from-date 2023-01-01 --to-date 2024-12-01

**One market, any window**: trigger with the params `markets`, `start` and `end`.

**By hand**: `airflow dags test ohlcv_backfill 2024-06-01` loads the month that *ends* by that date, May 2024.

A window before the listing of every chosen market fails at once, naming the listing dates; a market its venue does not
list is skipped, saying so; a month that is not over yet is loaded up to the newest closed candle.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import (
    DAG,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
)

from crypto_market.defaults import DAG_DEFAULTS, window_params
from crypto_market.operators.candles import CandlesToPostgresOperator
from crypto_market.retry import VenueRetryPolicy
from crypto_market.window import window
from include.config.markets import MARKETS, TIMEFRAMES, VENUES

# A wrong choice of markets or window is not cured by asking again; a worker that died in the middle of it is.
WRONG_CHOICE = ExceptionRetryPolicy(rules=[RetryRule(exception=ValueError, action=RetryAction.FAIL)])
KEYS = [market.key for market in MARKETS]

with DAG(
    dag_id="ohlcv_backfill",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 1 * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),  # before any listing: an earlier month is refused by name, not ignored
    max_active_runs=3,
    dagrun_timeout=timedelta(hours=3),
    tags=["candles", "backfill"],
    params={
        "markets": Param(KEYS, type="array", items={"type": "string", "enum": KEYS}, minItems=1, title="Markets"),
        "timeframes": Param(
            list(TIMEFRAMES), type="array", items={"type": "string", "enum": list(TIMEFRAMES)}, title="Timeframes"
        ),
        "kraken_trades": Param(
            False,
            type="boolean",
            title="Fold Kraken's trades",
            description="Thousands of requests a month, about one a second; see backfill-quote",
        ),
        **window_params(),
    },
    **DAG_DEFAULTS,
) as dag:

    @task.branch(retry_policy=WRONG_CHOICE)
    def plan_markets() -> list[str]:
        """The venues that have something to load: their chosen markets were listed within the window."""
        from include.collect.plan import markets_by_venue

        context = get_current_context()
        chosen = markets_by_venue(context["params"]["markets"], *window(context, "month"))
        return [f"load_{venue}" for venue, markets in chosen.items() if markets]

    plan_markets() >> [
        CandlesToPostgresOperator(
            task_id=f"load_{venue}",
            venue=venue,
            markets="{{ params.markets }}",
            purpose="backfill",
            cadence="month",
            timeframes="{{ params.timeframes }}",
            fold_trades="{{ params.kraken_trades }}",
            pool=venue,
            retry_policy=VenueRetryPolicy(),
            execution_timeout=timedelta(hours=2),  # folding a month of trades takes most of an hour
        )
        for venue in VENUES
    ]
