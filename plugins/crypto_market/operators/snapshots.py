"""What can only be seen now, or is published once: tickers, coin snapshots, Fear & Greed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crypto_market.operators.base import CollectOperator
from crypto_market.window import Window

if TYPE_CHECKING:
    from include.clock import Clock
    from include.collect.outcome import CollectOutcome
    from include.warehouse.connection import Connection


class TickersToPostgresOperator(CollectOperator):
    """Store the spot price, bid, ask and 24 h figures of markets of one venue as they stand now.

    A venue keeps no history of its tickers: the run of a past window is skipped, saying so.

    :param venue: our name of the venue (templated)
    :param markets: `venue:BASE/QUOTE` of the configuration (templated)
    """

    template_fields: Sequence[str] = ("venue", "markets", *CollectOperator.template_fields)
    ui_color = "#dae8fc"

    def __init__(self, *, venue: str, markets: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.venue = venue
        self.markets = markets

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.venues import BinanceHook
        from include.collect.snapshots import collect_tickers
        from include.config.markets import market_by_key

        markets = [market_by_key(key) for key in self.markets]
        yield collect_tickers(connection, BinanceHook(self.venue).client(), markets, span.end, clock)


class CoinSnapshotsToPostgresOperator(CollectOperator):
    """Store CoinGecko's price, market capitalisation, volume, supply and rank of coins.

    The newest window is what CoinGecko shows now; a past one comes from its hourly history of 90 days.

    :param coins: our coin -> CoinGecko's id (templated)
    """

    template_fields: Sequence[str] = ("coins", *CollectOperator.template_fields)
    ui_color = "#dae8fc"

    def __init__(self, *, coins: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.coins = coins

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.venues import CoinGeckoHook
        from include.collect.snapshots import collect_coin_snapshots

        client = CoinGeckoHook().client()
        yield collect_coin_snapshots(connection, client, self.coins, span.start, span.end, clock)


class FearGreedToPostgresOperator(CollectOperator):
    """Store the Fear & Greed index: its whole history on the first run, what is new and the last days afterwards."""

    ui_color = "#ffe6cc"

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.venues import AlternativeMeHook
        from include.collect.snapshots import collect_fear_greed

        yield collect_fear_greed(connection, AlternativeMeHook().client(), clock)
