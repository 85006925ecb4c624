"""Tickers, coin snapshots and Fear & Greed: fetched, validated, stored; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from include.clock import Clock
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.config.markets import Market
from include.venues.model import CoinSnapshot, FearGreed, Observations, Ticker
from include.warehouse.coin_snapshots import upsert_coin_snapshots
from include.warehouse.connection import Connection
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.instruments import ensure_instrument
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.staging import UpsertCounts
from include.warehouse.tickers import upsert_tickers

LIVE_FOR = timedelta(hours=1)  # a snapshot taken this long after a window's end still speaks for it
HOURLY_HISTORY = timedelta(days=89)  # CoinGecko's charts are hourly up to 90 days back
RECENT_DAYS = 10  # known Fear & Greed days read again by every run: the first value of a day may be corrected


class TickerVenue(Protocol):
    def tickers(self, venue_symbols: Sequence[str], now: datetime | None = None) -> Observations[Ticker]: ...


class CoinSource(Protocol):
    def markets(self, ids: Sequence[str], now: datetime) -> Observations[CoinSnapshot]: ...

    def market_chart(self, coin_id: str, days: int, interval: str | None = None) -> Observations[CoinSnapshot]: ...


class SentimentSource(Protocol):
    def fear_greed(self, limit: int) -> Observations[FearGreed]: ...


def collect_tickers(
    connection: Connection, venue: TickerVenue, markets: Sequence[Market], until: datetime, clock: Clock
) -> CollectOutcome:
    """Store the markets' tickers of one venue as they stand now.

    Raises NothingToCollect where `until`, the window's end, is long past: a venue shows no ticker of the past.
    """
    now = clock.now()
    if not until <= now < until + LIVE_FOR:
        raise NothingToCollect(
            f"a venue shows its tickers only as they are: now is {now:%Y-%m-%d %H:%M} UTC, "
            f"the window ended at {until:%Y-%m-%d %H:%M} UTC"
        )
    seen = venue.tickers([market.venue_symbol for market in markets], now)
    ids = {market.venue_symbol: ensure_instrument(connection, market) for market in markets}
    source = f"{markets[0].venue}-rest"
    counts = upsert_tickers(connection, seen, ids, source=source, world=seen.world, recorded_at=now)
    return _outcome(connection, "ticker", source, counts, seen, now)


def collect_coin_snapshots(
    connection: Connection,
    source: CoinSource,
    coins: Mapping[str, str],
    start: datetime,
    end: datetime,
    clock: Clock,
) -> CollectOutcome:
    """Store the coins' prices in USD, capitalisation, volume, supply and rank; `coins` maps our name to the source's.

    The newest window takes what is shown now; a past one the samples of [start, end) from the hourly history, which
    has no supply and rank. Raises NothingToCollect beyond that history and for a window after now.
    """
    now = clock.now()
    names = {theirs: ours for ours, theirs in coins.items()}
    if start >= now:
        raise NothingToCollect(f"the window opens at {start:%Y-%m-%d %H:%M} UTC, after now ({now:%Y-%m-%d %H:%M} UTC)")
    is_live = now < end + LIVE_FOR
    if is_live:
        answers = [source.markets(list(names), now)]
    elif start < now - HOURLY_HISTORY:
        raise NothingToCollect(f"CoinGecko's hourly history reaches back {HOURLY_HISTORY.days} days, not to {start}")
    else:
        days = max(2, (now - start).days + 1)  # one day alone would come in 5-minute steps
        answers = [source.market_chart(coin_id, days) for coin_id in names]
    total = CollectOutcome("coin_snapshot")
    for seen in answers:
        rows = [s._replace(coin=names[s.coin]) for s in seen if is_live or start <= s.observed_at < end]
        counts = upsert_coin_snapshots(connection, rows, source="coingecko", world=seen.world, recorded_at=now)
        total += _outcome(connection, "coin_snapshot", "coingecko", counts, seen, now)
    return total


def collect_fear_greed(connection: Connection, source: SentimentSource, clock: Clock) -> CollectOutcome:
    """Store the Fear & Greed index: all of it first, then the last days and those missed meanwhile."""
    now = clock.now()
    newest = connection.execute("select max(day) from market.fear_greed").fetchone()
    missed = max((now.date() - newest[0]).days, 0) if newest and newest[0] else None
    seen = source.fear_greed(0 if missed is None else RECENT_DAYS + missed)
    counts = upsert_fear_greed(connection, seen, source="alternative_me", world=seen.world, recorded_at=now)
    return _outcome(connection, "fear_greed", "alternative_me", counts, seen, now)


def _outcome(
    connection: Connection, dataset: str, source: str, counts: UpsertCounts, seen: Observations[Any], now: datetime
) -> CollectOutcome:
    rejected = quarantine_rows(
        connection,
        seen.rejected,
        source=source,
        request=seen.request,
        world=seen.world,
        recorded_at=now,
        dataset=dataset,
    )
    return CollectOutcome(dataset, dataset, counts.new, counts.changed, counts.unchanged, rejected)
