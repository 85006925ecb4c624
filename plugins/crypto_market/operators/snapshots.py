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
        from crypto_market.hooks.candles import venue_client
        from include.collect.snapshots import collect_tickers
        from include.config.markets import market_by_key

        markets = [market_by_key(key) for key in self.markets]
        with venue_client(self.venue, "live", self.warehouse_conn_id) as client:
            yield collect_tickers(connection, client, markets, span.end, clock)


class CoinSnapshotsToPostgresOperator(CollectOperator):
    """Store CoinGecko's price, market capitalisation, volume, supply and rank of coins.

    The newest window is what CoinGecko shows now; a past one comes from its hourly history of 90 days.

    :param coins: our coin -> CoinGecko's id (templated)
    :param when_due: skip the newest window until the plan's monthly credits allow the next snapshot; the connection's
        extra `credits_per_month` says how many there are, where they are not the plan's usual ones
    """

    template_fields: Sequence[str] = ("coins", *CollectOperator.template_fields)
    ui_color = "#dae8fc"

    def __init__(self, *, coins: dict[str, str], when_due: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.coins = coins
        self.when_due = when_due

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.gates import gate
        from crypto_market.hooks.venues import CoinGeckoHook
        from include.collect.snapshots import collect_coin_snapshots

        hook = CoinGeckoHook()
        with gate("coingecko", "live", self.warehouse_conn_id) as opened:
            yield collect_coin_snapshots(
                connection,
                hook.client(opened),
                self.coins,
                span.start,
                span.end,
                clock,
                when_due=self.when_due,
                credits_per_month=hook.credits_per_month(),
            )


class CoinHistoryToPostgresOperator(CollectOperator):
    """Store each coin's price at every midnight, as far back as CoinGecko's plan reaches; known days are not asked for.

    :param coins: our coin -> CoinGecko's id (templated)
    """

    template_fields: Sequence[str] = ("coins", *CollectOperator.template_fields)
    ui_color = "#dae8fc"

    def __init__(self, *, coins: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.coins = coins

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.gates import gate
        from crypto_market.hooks.venues import CoinGeckoHook
        from include.collect.snapshots import collect_coin_history

        with gate("coingecko", "backfill", self.warehouse_conn_id) as opened:
            yield collect_coin_history(connection, CoinGeckoHook().client(opened), self.coins, clock)


class FearGreedToPostgresOperator(CollectOperator):
    """Store the Fear & Greed index: its whole history on the first run, what is new and the last days afterwards."""

    ui_color = "#ffe6cc"

    def collect(self, connection: Connection, span: Window, clock: Clock) -> Iterator[CollectOutcome]:
        from crypto_market.hooks.gates import gate
        from crypto_market.hooks.venues import AlternativeMeHook
        from include.collect.snapshots import collect_fear_greed

        with gate("alternative_me", "live", self.warehouse_conn_id) as opened:
            yield collect_fear_greed(connection, AlternativeMeHook().client(opened), clock)
