"""Tickers, coins and Fear & Greed: fetched, validated, stored; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from include.candles.model import RejectedRow
from include.clock import Clock
from include.collect.coin_due import require_due
from include.collect.instruments import resolve_instrument
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.collect.ticker_checks import split_tickers
from include.config.markets import Market
from include.venues.coingecko_plan import PLANS
from include.venues.errors import NoDataError, UnknownSymbolError
from include.venues.model import CoinSnapshot, FearGreed, MarketVenue, Observations, Ticker
from include.warehouse.coin_snapshots import upsert_coin_snapshots
from include.warehouse.connection import Connection
from include.warehouse.fear_greed import upsert_fear_greed
from include.warehouse.quarantine import quarantine_rows
from include.warehouse.staging import UpsertCounts
from include.warehouse.tickers import upsert_tickers

LIVE_FOR = timedelta(hours=1)  # a snapshot taken this long after a window's end still speaks for it
HOURLY_HISTORY = timedelta(days=89)  # CoinGecko's charts are hourly up to 90 days back
DAY = timedelta(days=1)
# CoinGecko shows a day's first sample 10 minutes after midnight; it is safe to ask somewhat later.
DAY_IS_KNOWN_AFTER = timedelta(minutes=45)
CORRECTED_DAYS = 3  # settled days of CoinGecko's history that are read again with new ones
RECENT_DAYS = 10  # known Fear & Greed days read again by every run: the first value of a day may be corrected
SENTIMENT_EVERY_HOURS = 6  # its source may be asked ten times a day
SENTIMENT_LATEST_HOUR = 3
COINGECKO, ALTERNATIVE_ME = "coingecko", "alternative_me"


class CoinSource(Protocol):
    @property
    def tier(self) -> str: ...

    def markets(self, ids: Sequence[str], now: datetime) -> Observations[CoinSnapshot]: ...

    def market_chart(self, coin_id: str, days: int, interval: str | None = None) -> Observations[CoinSnapshot]: ...

    def daily_history(self, coin_id: str, days: int | None = None) -> Observations[CoinSnapshot]: ...


class SentimentSource(Protocol):
    def fear_greed(self, limit: int) -> Observations[FearGreed]: ...


def collect_tickers(
    connection: Connection, venue: MarketVenue, markets: Sequence[Market], until: datetime, clock: Clock
) -> CollectOutcome:
    """Store the tickers of one venue's markets as they stand now; unfit ones go to the quarantine.

    Raises NothingToCollect where `until`, the window's end, is long past (a venue shows no ticker of the past) and
    where the venue lists none of the markets; NoDataError where no ticker is fit; another VenueError as it comes.
    """
    now = clock.now()
    if not until <= now < until + LIVE_FOR:
        raise NothingToCollect(
            f"a venue shows its tickers only as they are: now is {now:%Y-%m-%d %H:%M} UTC, "
            f"the window ended at {until:%Y-%m-%d %H:%M} UTC"
        )
    instruments = [resolve_instrument(connection, venue, market, now) for market in markets]
    ids = {each.venue_symbol: each.instrument_id for each in instruments if each.is_trading}
    name = markets[0].venue
    if not ids:
        raise NothingToCollect(f"{name} lists none of {', '.join(market.symbol for market in markets)} now")
    seen = _tickers(venue, list(ids), now)
    good, unfit = split_tickers(seen, ids, now)
    source = f"{name}-rest"
    rejected = _quarantine(connection, "ticker", source, [*seen.rejected, *unfit], seen, now)
    if not good:
        raise NoDataError(name, f"no ticker fit to be stored in {seen.request}")
    counts = upsert_tickers(connection, good, ids, source=source, world=seen.world, recorded_at=now)
    return _outcome("ticker", counts, rejected, missing=sorted(set(ids) - {ticker.symbol for ticker in good}))


def collect_coin_snapshots(
    connection: Connection,
    source: CoinSource,
    coins: Mapping[str, str],
    start: datetime,
    end: datetime,
    clock: Clock,
    *,
    when_due: bool = False,
    credits_per_month: int | None = None,
) -> CollectOutcome:
    """Store the coins' prices in USD, capitalisation, volume, supply and rank; `coins` maps our name to the source's.

    The newest window takes what is shown now; a past one the samples of [start, end) from the hourly history, which
    has no supply and rank. A coin the source does not know is named in the outcome and quarantined.

    when_due: take no newest one before the plan's credits (`credits_per_month`, None: the plan's usual ones) allow it.
    Raises NothingToCollect then, saying how often they do, beyond the hourly history, and for a window after now.
    """
    now = clock.now()
    names = {theirs: ours for ours, theirs in coins.items()}
    if start >= now:
        raise NothingToCollect(f"the window opens at {start:%Y-%m-%d %H:%M} UTC, after now ({now:%Y-%m-%d %H:%M} UTC)")
    if now < end + LIVE_FOR:
        if when_due:
            require_due(connection, source.tier, list(coins), credits_per_month, now)
        answers = [source.markets(list(names), now)]
    elif start < now - HOURLY_HISTORY:
        raise NothingToCollect(f"CoinGecko's hourly history reaches back {HOURLY_HISTORY.days} days, not to {start}")
    else:
        days = max(2, (now - start).days + 1)  # one day alone would come in 5-minute steps
        charts = [_if_known(source.market_chart, coin, days) for coin in names]
        answers = [
            Observations([s for s in seen if start <= s.observed_at < end], seen.world, seen.request, seen.rejected)
            for seen in charts
            if seen
        ]
    return _store_coins(connection, answers, names, now)


def collect_coin_history(
    connection: Connection, source: CoinSource, coins: Mapping[str, str], clock: Clock
) -> CollectOutcome:
    """Store each coin's price at every midnight (UTC), as far back as the plan reaches; only what is missing is asked.

    A coin the source does not know is named in the outcome. Raises NothingToCollect where every coin it knows has its
    newest midnight, NoDataError where it knows none of the coins.
    """
    now = clock.now()
    newest_known = (now - DAY_IS_KNOWN_AFTER).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        "select coin, min(observed_at), max(observed_at) from market.coin_snapshot"
        " where coin = any(%s) and observed_at = date_trunc('day', observed_at, 'UTC') group by coin"
    )
    stored = {coin: (oldest, newest) for coin, oldest, newest in connection.execute(query, (list(coins),)).fetchall()}
    names = {theirs: ours for ours, theirs in coins.items() if ours not in stored or stored[ours][1] < newest_known}
    if not names:
        raise NothingToCollect(f"every coin has its midnights up to {newest_known:%Y-%m-%d}")
    reach = PLANS[source.tier].history_reach
    answers = []
    for theirs, ours in names.items():
        oldest, newest = stored.get(ours, (None, None))
        # Days that were never there, and a plan that now reaches further back, are told by the oldest one.
        whole = oldest is None or oldest > now - (reach or 2 * 365 * DAY) + DAY
        days = None if whole else (now - newest).days + 1 + CORRECTED_DAYS
        if days and reach:
            days = min(days, reach.days)
        if seen := _if_known(source.daily_history, theirs, days):
            answers.append(seen)
    if not answers and stored:
        raise NothingToCollect(f"every coin but {', '.join(names.values())}, which are not known, has its midnights")
    return _store_coins(connection, answers, names, now)


def collect_fear_greed(connection: Connection, source: SentimentSource, clock: Clock) -> CollectOutcome:
    """Store the Fear & Greed index: all of it first, then the last days and those missed meanwhile.

    Raises NothingToCollect where the day's value is known and the hour is none in which the last days are read again.
    """
    now = clock.now()
    row = connection.execute("select max(day) from market.fear_greed").fetchone()
    newest = row[0] if row else None
    missed = max((now.date() - newest).days, 0) if newest else None
    is_hour = now.hour % SENTIMENT_EVERY_HOURS == 0
    # A day's value appears within the first hour, or, as it was once, not at all.
    if not is_hour and (missed == 0 or (missed == 1 and now.hour > SENTIMENT_LATEST_HOUR)):
        raise NothingToCollect(f"the index of {newest} is known; it is read again every {SENTIMENT_EVERY_HOURS} hours")
    seen = source.fear_greed(0 if missed is None else RECENT_DAYS + missed)
    counts = upsert_fear_greed(connection, seen, source=ALTERNATIVE_ME, world=seen.world, recorded_at=now)
    return _outcome(
        "fear_greed", counts, _quarantine(connection, "fear_greed", ALTERNATIVE_ME, seen.rejected, seen, now)
    )


def _tickers(venue: MarketVenue, venue_symbols: list[str], now: datetime) -> Observations[Ticker]:
    """The symbols' tickers; where one of them has vanished, which fails the whole answer, those of the others."""
    try:
        return venue.tickers(venue_symbols, now)
    except UnknownSymbolError as error:
        answers = [seen for symbol in venue_symbols if (seen := _if_known(venue.tickers, [symbol], now))]
        if not answers:
            raise error
        rows = [row for seen in answers for row in seen]
        rejected = [row for seen in answers for row in seen.rejected]
        return Observations(rows, answers[0].world, answers[0].request, rejected)


def _if_known(ask: Callable[..., Observations[Any]], *arguments: object) -> Observations[Any] | None:
    """The answer, None where the source does not know what it was asked for."""
    try:
        return ask(*arguments)
    except UnknownSymbolError:
        return None


def _store_coins(
    connection: Connection, answers: Sequence[Observations[CoinSnapshot]], names: Mapping[str, str], now: datetime
) -> CollectOutcome:
    """Store the answers under our names of the coins (`names`: by the source's)."""
    if not answers:
        raise NoDataError(COINGECKO, f"none of {', '.join(names)} is known")
    total, found = CollectOutcome("coin_snapshot"), set()
    for seen in answers:
        rows = [snapshot._replace(coin=names[snapshot.coin]) for snapshot in seen]
        counts = upsert_coin_snapshots(connection, rows, source=COINGECKO, world=seen.world, recorded_at=now)
        found |= {row.coin for row in rows}
        total += _outcome(
            "coin_snapshot", counts, _quarantine(connection, "coin_snapshot", COINGECKO, seen.rejected, seen, now)
        )
    missing = sorted(set(names.values()) - found)
    return replace(total, what=_what("coin_snapshot", missing))


def _quarantine(
    connection: Connection,
    dataset: str,
    source: str,
    rejected: Sequence[RejectedRow],
    seen: Observations[Any],
    now: datetime,
) -> int:
    return quarantine_rows(
        connection,
        rejected,
        source=source,
        request=seen.request,
        world=seen.world,
        recorded_at=now,
        dataset=dataset,
    )


def _outcome(dataset: str, counts: UpsertCounts, rejected: int, missing: Sequence[str] = ()) -> CollectOutcome:
    return CollectOutcome(dataset, _what(dataset, missing), counts.new, counts.changed, counts.unchanged, rejected)


def _what(dataset: str, missing: Sequence[str]) -> str:
    """The dataset for a person, naming what was asked for and not answered."""
    return f"{dataset} without {', '.join(missing)}" if missing else dataset
