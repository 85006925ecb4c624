"""Tickers, coin snapshots and Fear & Greed from real HTTP into a real PostgreSQL, and the account of a run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from include.clock import FixedClock
from include.collect.candles import collect_candles
from include.collect.instruments import resolve_instrument
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.collect.page_sources import PageSources
from include.collect.run_log import TaskRun, log_run
from include.collect.snapshots import (
    HOURLY_HISTORY,
    RECENT_DAYS,
    collect_coin_history,
    collect_coin_snapshots,
    collect_fear_greed,
    collect_tickers,
)
from include.config.markets import COINGECKO_IDS
from include.config.markets import MARKETS as ALL_MARKETS
from include.metrics import emit
from include.metrics.births import births
from include.metrics.collector import read_facts
from include.metrics.facts import publish_facts
from include.replay.recorded import RecordedWorld
from include.replay.synthetic import SyntheticWorld
from include.venues.alternative_me import AlternativeMe
from include.venues.coingecko import CoinGecko
from include.venues.errors import (
    BannedError,
    ForbiddenError,
    GeoBlockedError,
    NoDataError,
    RateLimitedError,
    UnavailableError,
    VenueError,
)
from include.venues.http import Response
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection

MARKETS = tuple(market for market in ALL_MARKETS if market.venue == "binance")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Five past midnight: the index of the day is not out yet, and the day before has none for ever.
NOW = datetime(2024, 10, 27, 0, 5, 30, tzinfo=UTC)
HOUR_OF_RUN = NOW.replace(minute=0, second=0) - HOUR, NOW.replace(minute=0, second=0)

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture(params=["synthetic", "recorded"])
def exchange(serve: Serve, exchange_at: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Either world, at NOW."""
    world: SyntheticWorld | RecordedWorld = (
        SyntheticWorld(7, datetime(2023, 1, 1, tzinfo=UTC))
        if request.param == "synthetic"
        else request.getfixturevalue("recorded_world")
    )
    with serve(world, NOW) as url:
        yield exchange_at(url)


def tickers(
    connection: Connection, exchange: Any, until: datetime, now: datetime = NOW, **given: Any
) -> CollectOutcome:
    venue = given.get("venue") or exchange.binance()
    return collect_tickers(connection, venue, MARKETS, until, FixedClock(now))


def known(exchange: Any) -> list[str]:
    """Our names of the coins the exchange's world has: nobody recorded SOL."""
    answer = json.loads(exchange.transport("coingecko/api/v3").get("/coins/markets", {"vs_currency": "usd"}).body)
    return sorted(ours for ours, theirs in COINGECKO_IDS.items() if theirs in {coin["id"] for coin in answer})


def without(names: list[str]) -> str:
    missing = sorted(set(COINGECKO_IDS) - set(names))
    return f"coin_snapshot without {', '.join(missing)}" if missing else "coin_snapshot"


def coins(connection: Connection, exchange: Any, start: datetime, end: datetime, now: datetime = NOW) -> CollectOutcome:
    source = CoinGecko(exchange.transport("coingecko/api/v3"), retry=exchange.impatient)
    return collect_coin_snapshots(connection, source, COINGECKO_IDS, start, end, FixedClock(now))


def sentiment(connection: Connection, exchange: Any, now: datetime = NOW) -> CollectOutcome:
    source = AlternativeMe(exchange.transport("alternative_me"), retry=exchange.impatient)
    return collect_fear_greed(connection, source, FixedClock(now))


def versions(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    """Row versions and values: equal before and after a repeat that wrote nothing."""
    return connection.execute(f"select xmin, ctid, * from {table} order by 3, 4").fetchall()


def dead_rows(connection: Connection) -> int:
    connection.execute("select pg_stat_force_next_flush()")
    row = connection.execute("select sum(n_dead_tup) from pg_stat_user_tables where schemaname in ('market', 'ops')")
    return int((row.fetchone() or (0,))[0])


def test_tickers_as_they_are_now_and_a_repeat_writes_nothing(writer: Connection, exchange: Any) -> None:
    assert tickers(writer, exchange, HOUR_OF_RUN[1]) == CollectOutcome("ticker", "ticker", new=len(MARKETS))
    before, dead = versions(writer, "market.ticker"), dead_rows(writer)
    assert tickers(writer, exchange, HOUR_OF_RUN[1], now=NOW + timedelta(seconds=9)).unchanged == len(MARKETS)
    assert versions(writer, "market.ticker") == before
    assert dead_rows(writer) == dead
    shown = writer.execute("select symbol, observed_at, last, source from ticker_snapshots order by symbol").fetchall()
    assert [row[0] for row in shown] == sorted(market.symbol for market in MARKETS)
    answer = exchange.transport("binance").get("/api/v3/ticker/price", {"symbol": "BNBUSDT"})
    assert shown[0][1:] == (
        NOW.replace(microsecond=shown[0][1].microsecond),
        Decimal(json.loads(answer.body)["price"]),
        "binance-rest",
    )


@pytest.mark.parametrize(
    "until", [NOW - HOUR, NOW - DAY, NOW + timedelta(seconds=1)], ids=["hour ago", "past", "future"]
)
def test_a_venue_shows_no_tickers_of_another_time(writer: Connection, until: datetime) -> None:
    with pytest.raises(NothingToCollect, match=f"the window ended at {until:%Y-%m-%d %H:%M} UTC"):
        tickers(writer, None, until, venue=object())


def test_a_dead_ticker_is_quarantined_and_the_others_are_stored(writer: Connection, exchange: Any) -> None:
    def spoil(path: str, answer: Response) -> Response:
        if "ticker" not in path:
            return answer
        rows = json.loads(answer.body)
        rows[0]["closeTime"] -= 3_600_000
        return dataclasses.replace(answer, body=json.dumps(rows).encode())

    done = tickers(writer, exchange, HOUR_OF_RUN[1], venue=exchange.binance(spoil))
    assert (done.new, done.rejected) == (len(MARKETS) - 1, 1)
    kept = writer.execute("select dataset, reason from market.quarantine").fetchall()
    assert kept == [("ticker", "ticker is stale")]


def test_coins_of_the_newest_window_are_what_is_shown_now(writer: Connection, exchange: Any) -> None:
    names = known(exchange)
    first = coins(writer, exchange, *HOUR_OF_RUN)
    assert (first.new, first.what) == (len(names), without(names))
    kept = writer.execute("select dataset, reason from market.quarantine").fetchall()
    assert kept == [("coin_snapshot", "solana was not answered")] * (len(COINGECKO_IDS) - len(names))
    before = versions(writer, "market.coin_snapshot")
    assert coins(writer, exchange, *HOUR_OF_RUN).unchanged == len(names)
    assert versions(writer, "market.coin_snapshot") == before
    assert dead_rows(writer) == 0
    rows = writer.execute("select coin, observed_at, rank, circulating_supply from market.coin_snapshot order by coin")
    for (coin, observed_at, rank, supply), expected in zip(rows, names, strict=True):
        assert coin == expected
        assert timedelta(0) <= NOW - observed_at < timedelta(minutes=2)
        assert rank >= 1
        assert supply > 0


def test_coins_of_a_past_window_are_its_samples(writer: Connection, exchange: Any) -> None:
    start = datetime(2024, 10, 20, 7, tzinfo=UTC)
    done = coins(writer, exchange, start, start + 6 * HOUR)
    rows = writer.execute(
        "select coin, count(*), min(observed_at), max(observed_at) from market.coin_snapshot group by 1"
    )
    found = {coin: (count, first, last) for coin, count, first, last in rows}
    assert sorted(found) == known(exchange)
    assert done.what == without(known(exchange))
    for count, first, last in found.values():
        assert 5 <= count <= 7
        assert start <= first <= last < start + 6 * HOUR
    assert done.new == sum(count for count, *_ in found.values())
    before = versions(writer, "market.coin_snapshot")
    assert coins(writer, exchange, start, start + 6 * HOUR).new == 0
    assert versions(writer, "market.coin_snapshot") == before


def test_windows_of_coins_that_meet_leave_nothing_out_and_share_nothing(writer: Connection, exchange: Any) -> None:
    start = datetime(2024, 10, 20, 7, tzinfo=UTC)
    pieces = sum(coins(writer, exchange, start + n * HOUR, start + (n + 1) * HOUR).new for n in range(3))
    assert coins(writer, exchange, start, start + 3 * HOUR) == CollectOutcome(
        "coin_snapshot", without(known(exchange)), unchanged=pieces
    )


def test_coins_beyond_the_hourly_history_and_after_now(writer: Connection) -> None:
    start = NOW - HOURLY_HISTORY - timedelta(minutes=1)
    with pytest.raises(NothingToCollect, match="reaches back 89 days"):
        collect_coin_snapshots(writer, object(), COINGECKO_IDS, start, start + HOUR, FixedClock(NOW))  # type: ignore[arg-type]
    with pytest.raises(NothingToCollect, match="after now"):
        collect_coin_snapshots(writer, object(), COINGECKO_IDS, NOW, NOW + HOUR, FixedClock(NOW))  # type: ignore[arg-type]


def test_snapshots_come_as_often_as_the_plan_allows(writer: Connection, exchange: Any) -> None:
    def due(now: datetime, **plan: Any) -> CollectOutcome:
        exchange.set_time(now)
        source = CoinGecko(exchange.transport("coingecko/api/v3"), "demo", "CG-test", retry=exchange.impatient)
        start = now.replace(second=0) - timedelta(minutes=5)
        end = start + timedelta(minutes=5)
        return collect_coin_snapshots(writer, source, COINGECKO_IDS, start, end, FixedClock(now), when_due=True, **plan)

    count = len(known(exchange))
    assert due(NOW).new == count
    with pytest.raises(NothingToCollect, match=r"demo plan allows snapshots every 0:10:00 \(0 requests this month\)"):
        due(NOW + timedelta(minutes=5))
    assert due(NOW + timedelta(minutes=10)).new == count
    # 700 credits, a tenth of them kept, for the five days and a bit that are left of October.
    writer.execute(
        "insert into ops.request_usage (source, hour, priority, requests, weight)"
        " values ('coingecko', date_trunc('hour', clock_timestamp(), 'UTC'), 'live', 500, 500)"
    )
    with pytest.raises(NothingToCollect, match=r"every 1:00:00 \(500 requests this month\)"):
        due(NOW + timedelta(minutes=20), credits_per_month=700)
    assert due(NOW + timedelta(minutes=71), credits_per_month=700).new == count
    with pytest.raises(NothingToCollect, match=r"every 4 days"):
        due(NOW + timedelta(hours=3), credits_per_month=500)


def test_the_daily_history_goes_back_as_far_as_the_plan_and_is_asked_once(writer: Connection, exchange: Any) -> None:
    def history(now: datetime, tier: str = "keyless", key: str | None = None) -> CollectOutcome:
        exchange.set_time(now)
        path = "coingecko_pro/api/v3" if tier == "pro" else "coingecko/api/v3"
        source = CoinGecko(exchange.transport(path), tier, key, retry=exchange.impatient)
        return collect_coin_history(writer, source, COINGECKO_IDS, FixedClock(now))

    def requests_so_far() -> int:
        account = json.loads(exchange.transport("requests").get("").body)
        return sum(host["requests"] for name, host in account.items() if name.startswith("coingecko"))

    names, now = known(exchange), NOW.replace(hour=1)
    first = history(now)
    assert (first.new, first.rejected, first.what) == (365 * len(names), 0, without(names))
    rows = writer.execute(
        "select coin, min(observed_at), max(observed_at), count(*) filter (where market_cap_usd > volume_24h_usd)"
        " from market.coin_snapshot group by 1 order by 1"
    ).fetchall()
    today = now.replace(hour=0, minute=0, second=0)
    assert [row[:3] for row in rows] == [(name, today - 364 * DAY, today) for name in names]
    assert all(row[3] > 300 for row in rows)
    asked = requests_so_far()
    unknown = len(COINGECKO_IDS) - len(names)
    with pytest.raises(NothingToCollect, match="has its midnights"):
        history(now + timedelta(hours=5))
    assert requests_so_far() == asked + unknown
    later = history(now + DAY)
    assert (later.new, later.changed) == (len(names), 0)
    assert later.unchanged <= 5 * len(names)
    whole = history(now + 2 * DAY, "pro", "CG-test")
    oldest = writer.execute("select min(observed_at) from market.coin_snapshot where coin = 'BTC'").fetchone()
    assert whole.new > len(names)
    assert oldest is not None
    assert oldest[0] <= datetime(2023, 1, 2, tzinfo=UTC)


def test_sentiment_comes_whole_first_and_by_its_last_days_afterwards(writer: Connection, exchange: Any) -> None:
    first = sentiment(writer, exchange)
    assert first.new > 600
    assert (first.changed, first.rejected) == (0, 0)
    newest = writer.execute("select max(day), max(published_at) from market.fear_greed").fetchone()
    assert newest is not None
    assert newest[0] in (date(2024, 10, 25), date(2024, 10, 26))  # the recorded index has no 26th
    assert newest[1] <= NOW
    before = versions(writer, "market.fear_greed"), versions(writer, "ops.change_range")
    asked = RECENT_DAYS + (NOW.date() - newest[0]).days
    assert sentiment(writer, exchange) == CollectOutcome("fear_greed", "fear_greed", unchanged=asked)
    assert (versions(writer, "market.fear_greed"), versions(writer, "ops.change_range")) == before
    assert dead_rows(writer) == 0
    later = NOW + DAY
    exchange.set_time(later)
    assert sentiment(writer, exchange, later).new >= 1


@pytest.mark.parametrize("exchange", ["synthetic"], indirect=True)
def test_sentiment_is_asked_until_the_day_is_known_and_then_every_six_hours(writer: Connection, exchange: Any) -> None:
    skipped: set[str] = set()

    def asks(at: datetime) -> bool:
        exchange.set_time(at)
        try:
            return sentiment(writer, exchange, at) is not None
        except NothingToCollect as reason:
            skipped.add(str(reason))
            return False

    midnight = NOW.replace(hour=0, minute=3, second=0)
    assert asks(NOW)
    assert [hour for hour in range(1, 24) if asks(midnight + hour * HOUR)] == [1, 6, 12, 18]
    # A value that never appears is soon not asked for every hour.
    asked = []
    for hour in range(24):
        writer.execute("delete from market.fear_greed where day > %s", (midnight.date(),))
        asked += [hour] if asks(midnight + DAY + hour * HOUR) else []
    assert asked == [0, 1, 2, 3, 6, 12, 18]
    assert skipped == {"the index of 2024-10-27 is known; it is read again every 6 hours"}


@pytest.mark.parametrize("exchange", ["synthetic"], indirect=True)
def test_a_symbol_that_vanishes_costs_only_its_own_ticker(writer: Connection, exchange: Any) -> None:
    assert tickers(writer, exchange, HOUR_OF_RUN[1]).new == len(MARKETS)
    later = NOW + timedelta(minutes=5)
    exchange.set_time(later)
    wish = {"delisted": {"symbols": ["BNBUSDT"], "starts_at": later.isoformat()}}
    plan = {"hosts": {"binance": wish}}
    requests.post(f"{exchange.url}/fault_plan", json=plan, timeout=5).raise_for_status()
    done = tickers(writer, exchange, HOUR_OF_RUN[1], now=later)
    assert (done.new, done.what) == (len(MARKETS) - 1, "ticker without BNBUSDT")
    one = [market for market in MARKETS if market.base == "BNB"]
    tomorrow = later + DAY + HOUR
    exchange.set_time(tomorrow)
    with pytest.raises(NothingToCollect, match="binance lists none of BNB/USDT now"):
        collect_tickers(writer, exchange.binance(), one, tomorrow, FixedClock(tomorrow))


def test_sentiment_of_a_long_pause_is_fetched_afterwards(writer: Connection, exchange: Any) -> None:
    whole = sentiment(writer, exchange).new
    lost = writer.execute("delete from market.fear_greed where day > '2024-08-01'").rowcount
    assert lost > 5 * RECENT_DAYS
    assert sentiment(writer, exchange).new == lost
    assert writer.execute("select count(*) from market.fear_greed").fetchone() == (whole,)


def test_sentiment_that_was_corrected_keeps_its_old_value(writer: Connection, exchange: Any) -> None:
    sentiment(writer, exchange)
    writer.execute("update market.fear_greed set value = 100 - value where day = '2024-10-24'")
    assert sentiment(writer, exchange, NOW + HOUR).changed == 1
    kept = writer.execute("select day, superseded_at from market.fear_greed_revision").fetchall()
    assert kept == [(date(2024, 10, 24), NOW + HOUR)]


COLLECTIONS = {
    "binance": lambda connection, exchange: tickers(connection, exchange, HOUR_OF_RUN[1]),
    "coingecko": lambda connection, exchange: coins(connection, exchange, *HOUR_OF_RUN),
    "alternative_me": sentiment,
}


@pytest.mark.parametrize("exchange", ["synthetic"], indirect=True)
@pytest.mark.parametrize("venue", COLLECTIONS)
def test_faults_are_told_by_their_class_and_leave_nothing_behind(writer: Connection, exchange: Any, venue: str) -> None:
    kinds: dict[str, type[VenueError]] = {
        "rate_limited": RateLimitedError,
        "banned": BannedError,
        "geo_blocked": GeoBlockedError,
        "forbidden": ForbiddenError,
        "unavailable": UnavailableError,
        "cut": UnavailableError,
        "dropped": UnavailableError,
        "empty": NoDataError,
    }
    for market in MARKETS:  # the listing is asked once a day, the tickers each time
        resolve_instrument(writer, exchange.binance(), market, NOW)
    for kind, error in kinds.items():
        exchange.fail(venue, kind)
        with pytest.raises(error) as raised:
            COLLECTIONS[venue](writer, exchange)
        assert type(raised.value) is error, kind
        assert venue in raised.value.venue  # the transport knows its address alone
        exchange.heal()
    for table in ("ticker", "coin_snapshot", "fear_greed", "quarantine"):
        assert writer.execute(f"select count(*) from market.{table}").fetchone() == (0,), table
    assert writer.execute("select count(*) from ops.world").fetchone() == (0,)
    assert COLLECTIONS[venue](writer, exchange).new > 0


@pytest.mark.parametrize("exchange", ["synthetic"], indirect=True)
def test_facts_that_cannot_be_looked_up_are_kept_for_the_metrics_page(
    writer: Connection, warehouse: WarehouseDsns, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(emit, "declare", declared.extend)
    assert publish_facts(writer, NOW) == 0
    venue, hour = PageSources(exchange.binance(), "binance"), HOUR_OF_RUN[1]
    collect_candles(writer, venue, MARKETS[0], "1h", hour - 5 * HOUR, hour - 3 * HOUR, FixedClock(NOW))
    collect_candles(writer, venue, MARKETS[0], "1h", hour - HOUR, hour, FixedClock(NOW))
    tickers(writer, exchange, hour)
    sentiment(writer, exchange)
    assert publish_facts(writer, NOW) == 1
    assert len(declared) == 2 * len(list(births()))
    answers = read_facts(warehouse.monitor, "warehouse")
    assert (answers.unanswered, answers.error) == (0, "")
    found = {
        (metric.name, *dict(labels).values()): value for metric, rows in answers.facts.items() for labels, value in rows
    }
    series = ("BTC/USDT", "1h", "binance")
    assert found["crypto.candle.newest_close_timestamp_seconds", *series] == hour.timestamp()
    assert found["crypto.coverage.unknown", *series] == 1  # the other one that is missing is pending
    assert found["crypto.coverage.held_ratio", *series] == 3 / 5
    assert found["crypto.market.configured", "BTC/USDT", "binance"] == 1
    assert found["crypto.coverage.counted_timestamp_seconds",] == NOW.timestamp()
    newest = found["crypto.sentiment.newest_timestamp_seconds",]
    assert newest == datetime(2024, 10, 26, 0, 15, tzinfo=UTC).timestamp()
    collect_candles(writer, venue, MARKETS[0], "1h", hour - 3 * HOUR, hour - HOUR, FixedClock(NOW))
    publish_facts(writer, NOW)
    assert writer.execute("select expected, observed, unknown from ops.coverage_count").fetchall() == [(5, 5, 0)]


def test_a_try_that_was_put_off_adds_to_its_account(writer: Connection) -> None:
    task = TaskRun("ohlcv_hourly", "scheduled", "load_candles", 2, 1, NOW - HOUR, NOW)
    outcomes = [CollectOutcome("candle", "a", 1, 2, 3, 4), CollectOutcome("candle", "b", 10, 20, 30, 40)]
    log_run(writer, task, outcomes, NOW, 2.5, 0.5)
    log_run(writer, task, [CollectOutcome("candle", "b", 100)], NOW + HOUR, 1.0, 0.25)
    log_run(writer, dataclasses.replace(task, try_number=2), [], NOW + HOUR)
    rows = writer.execute(
        "select try_number, map_index, rows_new, rows_changed, rows_unchanged, rows_rejected, work_seconds, "
        "wait_seconds, finished_at from ops.pipeline_run order by 1"
    ).fetchall()
    assert rows == [
        (1, 2, 111, 22, 33, 44, 3.5, 0.75, NOW + HOUR),
        (2, 2, 0, 0, 0, 0, None, None, NOW + HOUR),
    ]
