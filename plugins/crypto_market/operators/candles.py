"""Candles of one market into the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crypto_market.hooks.gates import PriorityName
from crypto_market.operators.base import CollectOperator, as_bool
from crypto_market.window import Window

if TYPE_CHECKING:
    from include.clock import Clock
    from include.collect.outcome import CollectOutcome
    from include.warehouse.connection import Connection


class CandlesToPostgresOperator(CollectOperator):
    """Fetch a market's closed candles of the window and store what is new or differs, exactly once.

    :param venue: our name of the exchange
    :param market: `venue:BASE/QUOTE` of the configuration (templated)
    :param timeframes: timeframes to fetch (templated)
    :param purpose: `live` re-reads the last closed candles, fetches what is missing among those before, and goes before
        others at the venue's request budget; `backfill` takes the cheapest source for the window
    :param fold_trades: for backfills of Kraken: fold its trades where nothing else reaches (templated)
    """

    template_fields: Sequence[str] = ("market", "timeframes", "fold_trades", *CollectOperator.template_fields)
    ui_color = "#d5e8d4"

    def __init__(
        self,
        *,
        venue: str,
        market: str,
        timeframes: Sequence[str],
        purpose: PriorityName = "backfill",
        fold_trades: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.venue = venue
        self.market = market
        self.timeframes = timeframes
        self.purpose: PriorityName = purpose
        self.fold_trades = fold_trades

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.candles import page_sources
        from include.collect.candles import collect_candles
        from include.config.markets import market_by_key

        market = market_by_key(self.market)
        with page_sources(
            self.venue, self.purpose, fold_trades=as_bool(self.fold_trades), warehouse_conn_id=self.warehouse_conn_id
        ) as sources:
            for timeframe in self.timeframes:
                yield collect_candles(
                    connection, sources, market, timeframe, *span, clock, catch_up=self.purpose == "live"
                )
