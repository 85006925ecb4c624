"""Completeness: repair by the ledger, months closed against the archive, venues compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import Stopwatch, WarehouseOperator, account
from crypto_market.retry import put_off

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context

    from include.collect.outcome import CollectOutcome
    from include.config.markets import Market


class RepairCoverageOperator(WarehouseOperator):
    """Do the smallest plan that makes one venue's candles complete, and explain it.

    :param venue: our name of the exchange
    :param max_requests: most requests in this run; what does not fit is put off to the next (templated)
    """

    template_fields: Sequence[str] = ("max_requests", *WarehouseOperator.template_fields)
    ui_color = "#d5e8d4"

    def __init__(self, *, venue: str, max_requests: int | str = 200, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.venue = venue
        self.max_requests = max_requests

    def execute(self, context: Context) -> list[str]:
        from crypto_market.hooks.candles import page_sources
        from include.clock import clock_from_environment
        from include.collect.candles import candle_parts
        from include.collect.outcome import CollectOutcome, NothingToCollect
        from include.coverage.plan import plan
        from include.coverage.repair import RepairError, repair
        from include.coverage.step import SETTLE
        from include.venues.errors import RateLimitedError

        watch = Stopwatch()
        clock = clock_from_environment()
        outcomes: list[CollectOutcome] = []
        with warehouse(self.warehouse_conn_id) as connection:
            steps = plan(connection, clock.now(), int(self.max_requests), [self.venue])
            self.log.info("%d steps, %d put off", len(steps.steps), len(steps.deferred))
            try:
                with (
                    put_off(context),
                    page_sources(self.venue, "repair", warehouse_conn_id=self.warehouse_conn_id) as sources,
                ):

                    def fetch(
                        market: Market, timeframe: str, start: datetime, end: datetime, purpose: str
                    ) -> CollectOutcome:
                        window, is_settle = (start, end, clock), purpose == SETTLE
                        done = CollectOutcome("candle", f"{market.key} {timeframe}")
                        try:
                            for part in candle_parts(connection, sources, market, timeframe, *window, rest=is_settle):
                                done += part
                        except NothingToCollect as reason:
                            self.log.info("%s", reason)
                        finally:
                            outcomes.append(done)
                        return done

                    try:
                        return repair(connection, steps, fetch, clock, say=self.log.info)
                    except RepairError as failed:
                        waits = [error for error in failed.errors if isinstance(error, RateLimitedError)]
                        if len(waits) == len(failed.errors):
                            raise waits[0] from failed  # which says for how long to stay away
                        raise
            finally:  # once the gates are closed, which tell how long they were waited for
                account(connection, context, outcomes, clock, watch)


class CloseMonthsOperator(WarehouseOperator):
    """Compare months of Binance's candles that came over REST with the files it has published since."""

    ui_color = "#d5e8d4"

    def execute(self, context: Context) -> list[str]:
        from crypto_market.hooks.gates import gate
        from crypto_market.hooks.venues import BinanceArchiveHook
        from include.clock import clock_from_environment
        from include.collect.month_close import close_months
        from include.collect.outcome import CollectOutcome
        from include.config.markets import MARKETS, TIMEFRAMES

        watch = Stopwatch()
        clock = clock_from_environment()
        done = []
        outcomes: list[CollectOutcome] = []
        with warehouse(self.warehouse_conn_id) as connection:
            try:
                with put_off(context), gate("binance_archive", "repair", self.warehouse_conn_id) as opened:
                    archive = BinanceArchiveHook().client(opened)
                    for each in close_months(connection, archive, MARKETS, TIMEFRAMES, clock.now()):
                        done.append(str(each))
                        what = f"{each.market} {each.timeframe}"
                        counts = (each.new, each.changed, each.unchanged, each.rejected)
                        outcomes.append(CollectOutcome("candle", what, *counts))
            finally:
                account(connection, context, outcomes, clock, watch)
        return done


class ReconcileOperator(WarehouseOperator):
    """Compare the venues' candles of the same hours, and store a verdict wherever they do not agree.

    :param days: how far back from now (templated)
    """

    template_fields: Sequence[str] = ("days", *WarehouseOperator.template_fields)
    ui_color = "#d5e8d4"

    def __init__(self, *, days: int | str = 7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.days = days

    def execute(self, context: Context) -> dict[str, int]:
        from collections import Counter
        from datetime import timedelta

        from include.clock import clock_from_environment
        from include.reconcile.run import reconcile

        now = clock_from_environment().now()
        with warehouse(self.warehouse_conn_id) as connection:
            found = reconcile(connection, now - timedelta(days=int(self.days)), now, now, keep=True)
        for verdict in found.alarms:
            self.log.warning("%s", verdict)
        return dict(Counter(verdict.verdict for verdict in found.verdicts))
