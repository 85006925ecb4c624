"""Candles of one venue into the warehouse."""

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
    """Fetch the closed candles of a venue's markets for the window and store what is new or differs, exactly once.

    One market's trouble does not keep the others from being loaded; trouble with the venue's host ends the try.

    :param venue: our name of the exchange
    :param markets: `venue:BASE/QUOTE` of the configuration; those of other venues are passed over (templated)
    :param timeframes: timeframes to fetch (templated)
    :param purpose: `live` re-reads the last closed candles, fetches what is missing among those before, and goes before
        others at the venue's request budget; `backfill` takes the cheapest source for the window
    :param fold_trades: for backfills of Kraken: fold its trades where nothing else reaches (templated)
    """

    template_fields: Sequence[str] = ("markets", "timeframes", "fold_trades", *CollectOperator.template_fields)
    ui_color = "#d5e8d4"

    def __init__(
        self,
        *,
        venue: str,
        markets: Sequence[str] | str,
        timeframes: Sequence[str] | str,
        purpose: PriorityName = "backfill",
        fold_trades: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.venue = venue
        self.markets = markets
        self.timeframes = timeframes
        self.purpose: PriorityName = purpose
        self.fold_trades = fold_trades

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.candles import page_sources
        from include.collect.candles import collect_markets
        from include.config.markets import market_by_key

        markets = [market for market in map(market_by_key, self.markets) if market.venue == self.venue]
        with page_sources(
            self.venue, self.purpose, fold_trades=as_bool(self.fold_trades), warehouse_conn_id=self.warehouse_conn_id
        ) as sources:
            yield from collect_markets(
                connection, sources, markets, self.timeframes, *span, clock, catch_up=self.purpose == "live"
            )
