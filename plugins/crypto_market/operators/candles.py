"""Candles of one market into the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crypto_market.operators.base import CollectOperator
from crypto_market.window import Window

if TYPE_CHECKING:
    from include.clock import Clock
    from include.collect.outcome import CollectOutcome
    from include.warehouse.connection import Connection


class CandlesToPostgresOperator(CollectOperator):
    """Fetch a market's closed candles of the window and store what is new or differs, exactly once.

    :param market: `venue:BASE/QUOTE` of the configuration (templated)
    :param timeframes: timeframes to fetch (templated)
    :param catch_up: for live runs: re-read the last closed candles, and fetch what is missing among those before
    """

    template_fields: Sequence[str] = ("market", "timeframes", *CollectOperator.template_fields)
    ui_color = "#d5e8d4"

    def __init__(self, *, market: str, timeframes: Sequence[str], catch_up: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.market = market
        self.timeframes = timeframes
        self.catch_up = catch_up

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.venues import BinanceHook
        from include.collect.candles import collect_candles
        from include.config.markets import market_by_key

        market = market_by_key(self.market)
        client = BinanceHook(market.venue).client()
        for timeframe in self.timeframes:
            yield collect_candles(connection, client, market, timeframe, span.start, span.end, clock, self.catch_up)
