"""### Completeness, every day

* **repair_…**, one for each venue: computes the smallest plan from the ledger (`market.coverage`): asks for what is
  unknown, reads the last closed candles again now that they have settled, and audits a rotating sample of history for
  silent revisions, within a budget of requests. What it did and why stands in the log and in `ops.repair_step`; a
  replaced value is kept in `market.candle_revision`.
* **close_months**: compares each month that was loaded over REST with the file Binance has published meanwhile.
* **reconcile**: compares the venues' candles of the same hours and stores a verdict wherever they do not agree.
* **publish_facts**: counts completeness, and the skill of what is served, for the metrics page.

It works from the warehouse's state: any run, whatever its date, does what is due. The equation itself:
`python -m include.cli coverage`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from crypto_market.assets import CANDLES
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.coverage import CloseMonthsOperator, ReconcileOperator, RepairCoverageOperator
from crypto_market.operators.facts import PublishFactsOperator
from crypto_market.retry import VenueRetryPolicy
from include.config.markets import VENUES

with DAG(
    dag_id="coverage_repair",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("40 0 * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["candles", "coverage"],
    params={
        "max_requests": Param(
            200, type="integer", minimum=1, title="Requests", description="Most requests to one venue in this run"
        ),
        "reconcile_days": Param(
            7, type="integer", minimum=1, title="Days to reconcile", description="How far back venues are compared"
        ),
    },
    **DAG_DEFAULTS,
) as dag:
    repairs = [
        RepairCoverageOperator(
            task_id=f"repair_{venue}",
            venue=venue,
            max_requests="{{ params.max_requests }}",
            pool=venue,
            priority_weight=10,  # after live work, before backfills
            retry_policy=VenueRetryPolicy(),
            outlets=[CANDLES],
        )
        for venue in VENUES
    ]
    close = CloseMonthsOperator(
        task_id="close_months", pool="binance_archive", retry_policy=VenueRetryPolicy(), outlets=[CANDLES]
    )
    # What one venue could not mend is no reason not to compare the others.
    reconcile = ReconcileOperator(
        task_id="reconcile", days="{{ params.reconcile_days }}", trigger_rule="all_done", retries=1
    )
    publish = PublishFactsOperator(task_id="publish_facts", trigger_rule="all_done")

    [*repairs, close] >> reconcile >> publish
