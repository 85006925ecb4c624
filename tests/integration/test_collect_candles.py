"""Candles from real HTTP into a real PostgreSQL: live equals backfill, repeats write nothing, faults leave no half."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.clock import FixedClock
from include.collect import candles as collecting
from include.collect.candles import collect_candles, collect_markets
from include.collect.outcome import CollectOutcome, NothingToCollect
from include.collect.page_sources import rest_only
from include.collect.quality import QuarantineShareError
from include.config.markets import MARKETS, Market
from include.coverage.equation import coverage
from include.coverage.spans import Span
from include.replay.recorded import RecordedWorld
from include.replay.synthetic import SyntheticWorld
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
from include.warehouse.connection import Connection
from include.warehouse.world import WorldMismatchError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BTC, ETH = MARKETS[0], MARKETS[1]
NOW = datetime(2024, 4, 1, 0, 30, tzinfo=UTC)
# A leap day, the seam of two months, and the candle of a day.
SPAN = datetime(2024, 2, 28, 20, tzinfo=UTC), datetime(2024, 3, 1, 3, tzinfo=UTC)
# 12:39:41 on 2023-03-24 trading halted: 12:00 is a short candle, 13:00 does not exist.
OUTAGE = datetime(2023, 3, 24, 9, tzinfo=UTC), datetime(2023, 3, 24, 18, tzinfo=UTC)

Serve = Callable[..., AbstractContextManager[str]]
Content = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def synthetic_world() -> SyntheticWorld:
    return SyntheticWorld(7, datetime(2023, 1, 1, tzinfo=UTC))


@pytest.fixture
def synthetic(serve: Serve, exchange_at: Any, synthetic_world: SyntheticWorld) -> Iterator[Any]:
    with serve(synthetic_world, NOW) as url:
        yield exchange_at(url)


@pytest.fixture
def recorded(serve: Serve, exchange_at: Any, recorded_world: RecordedWorld) -> Iterator[Any]:
    with serve(recorded_world, OUTAGE[0]) as url:
        yield exchange_at(url)


def content(connection: Connection) -> Content:
    """Every byte of the candles but the time at which they came to be known."""
    columns = "venue_symbol, timeframe, opened_at, open, high, low, close, base_volume, quote_volume, trade_count, vwap"
    rows = connection.execute(
        f"select ({columns}, taker_buy_base_volume, taker_buy_quote_volume, source)::text "
        "from market.candle inner join market.instrument using (instrument_id) order by 1"
    )
    return rows.fetchall()


def machinery(connection: Connection) -> Content:
    """What a repeat may not touch: row versions, revisions, changes told to others, rows ever written or dead."""
    connection.execute("select pg_stat_force_next_flush()")
    return connection.execute(
        "select 'row', xmin::text, ctid::text, 0 from market.candle "
        "union all select 'revision', '', '', count(*) from market.candle_revision "
        "union all select 'change', '', '', count(*) from ops.change_range "
        "union all select 'quarantine', '', '', count(*) from market.quarantine "
        "union all select relname, n_tup_ins::text, n_tup_upd::text, n_dead_tup from pg_stat_user_tables "
        "where schemaname in ('market', 'ops') and relname <> 'instrument' order by 1, 2, 3"
    ).fetchall()


def forget(owner: Connection) -> None:
    owner.execute("truncate market.candle, market.candle_revision, ops.change_range cascade")


def collect(connection: Connection, exchange: Any, start: datetime, end: datetime, **given: Any) -> CollectOutcome:
    """One call, at the exchange's NOW unless another `now` is given."""
    market: Market = given.pop("market", BTC)
    timeframe: str = given.pop("timeframe", "1h")
    clock = FixedClock(given.pop("now", NOW))
    venue = given.pop("venue", None) or exchange.binance()
    return collect_candles(connection, rest_only(venue, "binance"), market, timeframe, start, end, clock, **given)


def live(connection: Connection, exchange: Any, start: datetime, end: datetime) -> list[CollectOutcome]:
    """What the scheduler does from `start` to `end`: at two past each hour, the hour that has just ended."""
    outcomes = []
    at = start + HOUR
    while at <= end:
        now = at + timedelta(minutes=2)
        exchange.set_time(now)
        for timeframe in ("1h", "1d"):
            # The intervals of the timetable begin and end at two past the hour.
            given = {"timeframe": timeframe, "catch_up": True, "now": now}
            outcomes.append(collect(connection, exchange, now - HOUR, now, **given))
        at += HOUR
    return outcomes


@pytest.mark.parametrize("world", ["synthetic", "recorded"])
def test_live_equals_backfill(
    writer: Connection,
    owner: Connection,
    serve: Serve,
    exchange_at: Any,
    request: pytest.FixtureRequest,
    synthetic_world: SyntheticWorld,
    world: str,
) -> None:
    served, (start, end) = (
        (synthetic_world, SPAN) if world == "synthetic" else (request.getfixturevalue("recorded_world"), OUTAGE)
    )
    with serve(served, start) as url:
        exchange = exchange_at(url)
        outcomes = live(writer, exchange, start, end)
        hour_by_hour = content(writer)
        assert sum(o.changed + o.rejected for o in outcomes) == 0
        forget(owner)
        opens_from = start - collecting.SETTLE_BARS * HOUR
        for timeframe, opened in (("1h", opens_from), ("1d", start - 3 * DAY)):
            collect(writer, exchange, opened, end, timeframe=timeframe, now=end + timedelta(minutes=2))
    at_once = content(writer)
    assert {row for row in hour_by_hour if ",1h," in row[0]} == {row for row in at_once if ",1h," in row[0]}
    assert {row for row in hour_by_hour if ",1d," in row[0]} <= {row for row in at_once if ",1d," in row[0]}
    missing = 1 if world == "recorded" else 0
    assert len([row for row in at_once if ",1h," in row[0]]) == (end - opens_from) // HOUR - missing


def test_windows_in_any_order_overlapping_and_repeated_end_in_the_same_table(
    writer: Connection, owner: Connection, synthetic: Any
) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    collect(writer, synthetic, start, start + 10 * DAY)
    at_once = content(writer)
    forget(owner)
    pieces = [(start + n * 17 * HOUR, start + (n * 17 + 25) * HOUR) for n in range(15)] * 2
    random.Random(5).shuffle(pieces)
    for opened, closed in pieces:
        collect(writer, synthetic, opened, min(closed, start + 10 * DAY))
    assert content(writer) == at_once
    assert len(at_once) == 240
    assert writer.execute("select count(*) from market.candle_revision").fetchone() == (0,)


def test_a_repeat_writes_nothing_at_all(writer: Connection, synthetic: Any) -> None:
    window = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    first = collect(writer, synthetic, *window)
    assert first == CollectOutcome("candle", "binance:BTC/USDT 1h", new=29 * 24)
    before = machinery(writer)
    assert ("change", "", "", 1) in before
    again = collect(writer, synthetic, *window, now=NOW + DAY)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 29 * 24)
    assert machinery(writer) == before


def test_a_corrected_candle_is_told_and_its_old_values_are_kept(writer: Connection, synthetic: Any) -> None:
    start = datetime(2024, 3, 31, tzinfo=UTC)
    collect(writer, synthetic, start, start + DAY)
    synthetic.revise("BTCUSDT", "1h", start + 5 * HOUR)
    assert collect(writer, synthetic, start, start + DAY, now=NOW + HOUR).changed == 1
    kept = writer.execute("select opened_at, recorded_at, superseded_at from market.candle_revision").fetchall()
    assert kept == [(start + 5 * HOUR, NOW, NOW + HOUR)]
    newest = writer.execute("select starts_at, ends_at from ops.change_range order by change_id desc").fetchone()
    assert newest == (start + 5 * HOUR, start + 6 * HOUR)


def test_a_live_run_reads_settled_candles_again(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 31, 12, tzinfo=UTC)
    collect(writer, synthetic, at - 6 * HOUR, at)
    synthetic.revise("BTCUSDT", "1h", at - collecting.SETTLE_BARS * HOUR)
    synthetic.revise("BTCUSDT", "1h", at - (collecting.SETTLE_BARS + 1) * HOUR)
    done = collect(writer, synthetic, at, at + HOUR, catch_up=True)
    assert (done.new, done.changed, done.unchanged) == (1, 1, collecting.SETTLE_BARS - 1)


def test_a_live_run_catches_up_with_missed_hours(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 30, tzinfo=UTC)
    collect(writer, synthetic, at, at + 2 * HOUR)
    collect(writer, synthetic, at + 30 * HOUR, at + 31 * HOUR, catch_up=True)
    (series,) = coverage(writer, at + 31 * HOUR)
    assert (series.extent, series.missing) == (Span(at, at + 31 * HOUR), [])


def test_a_live_run_heals_a_hole_behind_newer_candles(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 28, tzinfo=UTC)
    collect(writer, synthetic, at, at + 2 * HOUR)
    collect(writer, synthetic, at + 40 * HOUR, at + 50 * HOUR)
    collect(writer, synthetic, at + 50 * HOUR, at + 51 * HOUR, catch_up=True)
    (series,) = coverage(writer, at + 51 * HOUR)
    assert (series.missing, series.equation.observed) == ([], 51)


def test_without_catch_up_a_window_is_just_itself(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 30, tzinfo=UTC)
    collect(writer, synthetic, at, at + HOUR)
    assert collect(writer, synthetic, at + 10 * HOUR, at + 11 * HOUR).new == 1
    (series,) = coverage(writer, at + 11 * HOUR)
    assert series.missing == [Span(at + HOUR, at + 10 * HOUR)]


def test_catching_up_has_an_end(writer: Connection, synthetic: Any) -> None:
    start, at = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 31, tzinfo=UTC)
    collect(writer, synthetic, start, start + HOUR)
    reach = collecting.CATCH_UP_BARS + collecting.SETTLE_BARS
    assert collect(writer, synthetic, at, at + HOUR, catch_up=True).new == reach + 1
    (series,) = coverage(writer, at + HOUR)
    assert series.missing == [Span(start + HOUR, at - reach * HOUR)]


def test_the_first_live_run_of_an_empty_warehouse_fetches_no_history(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 31, 12, tzinfo=UTC)
    assert collect(writer, synthetic, at, at + HOUR, catch_up=True).new == 1 + collecting.SETTLE_BARS


def test_a_live_run_of_the_past_does_not_mind_newer_candles(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 1, tzinfo=UTC)
    collect(writer, synthetic, at + 20 * DAY, at + 21 * DAY)
    assert collect(writer, synthetic, at, at + HOUR, catch_up=True).new == 1 + collecting.SETTLE_BARS


def test_a_window_before_the_listing_is_refused_before_anything_is_asked(writer: Connection) -> None:
    with pytest.raises(NothingToCollect, match=r"binance:BTC/USDT is listed since 2017-08-17 04:00 UTC"):
        collect(writer, None, BTC.listed_at - DAY, BTC.listed_at, venue=object())
    assert writer.execute("select count(*) from market.instrument").fetchone() == (0,)


def test_a_window_across_the_listing_begins_with_it(writer: Connection, serve: Serve, exchange_at: Any) -> None:
    listed = datetime(2024, 2, 10, tzinfo=UTC)
    with serve(SyntheticWorld(7, listed), NOW) as url:
        exchange = exchange_at(url)
        assert collect(writer, exchange, listed - 30 * DAY, listed + 3 * HOUR).new == 3
        with pytest.raises(NothingToCollect, match="listed since 2024-02-10 00:00"):
            collect(writer, exchange, listed - 30 * DAY, listed - 10 * DAY)
    assert writer.execute("select min(opened_at) from market.candle").fetchone() == (listed,)


def test_a_window_after_now_is_refused(writer: Connection) -> None:
    for start in (NOW, NOW + DAY):
        with pytest.raises(NothingToCollect, match="after now"):
            collect(writer, None, start, start + HOUR, venue=object())


def test_of_a_month_that_goes_on_only_closed_candles_are_stored(writer: Connection, synthetic: Any) -> None:
    start = datetime(2024, 4, 1, tzinfo=UTC)
    at = datetime(2024, 4, 2, 7, 59, 59, tzinfo=UTC)
    synthetic.set_time(at)
    assert collect(writer, synthetic, start, start + 30 * DAY, now=at).new == 24 + 7
    assert writer.execute("select max(opened_at) from market.candle").fetchone() == (
        at.replace(hour=6, minute=0, second=0),
    )


def test_our_clock_ahead_of_the_venues_stores_no_unfinished_candle(writer: Connection, synthetic: Any) -> None:
    ahead = NOW + HOUR
    assert collect(writer, synthetic, NOW - 3 * HOUR, ahead, now=ahead).new == 3
    assert writer.execute("select max(opened_at) from market.candle").fetchone() == (NOW - timedelta(minutes=90),)


def test_a_window_in_which_no_candle_closes_asks_nothing(writer: Connection) -> None:
    at = datetime(2024, 3, 30, 4, 2, tzinfo=UTC)
    done = collect(writer, None, at, at + HOUR, timeframe="1d", venue=object())
    assert done == CollectOutcome("candle", "binance:BTC/USDT 1d")


def test_timeframes_and_markets_are_kept_apart(writer: Connection, synthetic: Any) -> None:
    start = datetime(2024, 3, 1, tzinfo=UTC)
    for market in (BTC, ETH):
        for timeframe in ("1h", "1d"):
            collect(writer, synthetic, start, start + 2 * DAY, market=market, timeframe=timeframe)
    rows = writer.execute("select symbol, timeframe, count(*), min(world) from ohlcv group by 1, 2 order by 1, 2")
    assert rows.fetchall() == [
        ("BTC/USDT", "1h", 48, "synthetic"),
        ("BTC/USDT", "1d", 2, "synthetic"),
        ("ETH/USDT", "1h", 48, "synthetic"),
        ("ETH/USDT", "1d", 2, "synthetic"),
    ]


def test_rows_that_cannot_be_are_quarantined_once_and_the_rest_is_stored(writer: Connection, synthetic: Any) -> None:
    def spoil(path: str, answer: Response) -> Response:
        if not path.endswith("klines"):
            return answer
        rows = json.loads(answer.body)
        if len(rows) < 24:
            return answer
        rows[3][2] = "0.00000001"  # the high, below everything else
        rows[5][4] = "no number"
        return dataclasses.replace(answer, body=json.dumps(rows).encode())

    start = datetime(2024, 3, 1, tzinfo=UTC)
    venue = synthetic.binance(spoil)
    done = collect(writer, synthetic, start, start + 3 * DAY, venue=venue)
    assert (done.new, done.rejected) == (70, 2)
    kept = (
        "select dataset, source, opened_at, timeframe, reason, raw, request from market.quarantine order by opened_at"
    )
    insane, unreadable = writer.execute(kept).fetchall()
    assert insane[:4] == ("candle", "binance-rest", start + 3 * HOUR, "1h")
    assert "high" in insane[4]
    assert "0.00000001" in insane[5]
    assert "/api/v3/klines?symbol=BTCUSDT" in insane[6]
    assert "cannot be read" in unreadable[4]
    assert "no number" in unreadable[5]
    before = machinery(writer)
    again = collect(writer, synthetic, start, start + 3 * DAY, venue=venue, now=NOW + HOUR)
    assert (again.unchanged, again.rejected) == (70, 0)
    assert machinery(writer) == before
    assert collect(writer, synthetic, start, start + 3 * DAY).new == 2  # the venue mended them


def test_too_many_rows_that_cannot_be_fail_the_run_after_the_rest_is_stored(writer: Connection, synthetic: Any) -> None:
    def spoil(path: str, answer: Response) -> Response:
        rows = json.loads(answer.body)
        if len(rows) == 24 and path.endswith("klines"):
            rows[3][2] = rows[4][2] = "0.00000001"
        return dataclasses.replace(answer, body=json.dumps(rows).encode())

    start = datetime(2024, 3, 1, tzinfo=UTC)
    with pytest.raises(QuarantineShareError, match=r"2 of 24 rows of binance:BTC/USDT 1h were rejected \(8.3%\)"):
        collect(writer, synthetic, start, start + DAY, venue=synthetic.binance(spoil))
    counts = "select (select count(*) from market.candle), (select count(*) from market.quarantine)"
    assert writer.execute(counts).fetchone() == (22, 2)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimitedError),
        ("banned", BannedError),
        ("geo_blocked", GeoBlockedError),
        ("forbidden", ForbiddenError),
        ("unavailable", UnavailableError),
        ("internal_error", UnavailableError),
        ("cut", UnavailableError),
        ("dropped", UnavailableError),
    ],
)
def test_a_fault_is_told_by_its_class_and_leaves_nothing_behind(
    writer: Connection, synthetic: Any, kind: str, error: type[VenueError]
) -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    synthetic.fail("binance", kind, retry_after=77)
    with pytest.raises(error) as raised:
        collect(writer, synthetic, start, start + 5 * DAY)
    assert type(raised.value) is error
    if isinstance(raised.value, RateLimitedError):
        assert raised.value.retry_after_seconds == 77
    for table in ("market.candle", "market.quarantine", "ops.change_range", "ops.world"):
        assert writer.execute(f"select count(*) from {table}").fetchone() == (0,), table
    synthetic.heal()
    assert collect(writer, synthetic, start, start + 5 * DAY).new == 120


def test_a_fault_between_pages_keeps_whole_pages_and_the_next_run_completes_them(
    writer: Connection, owner: Connection, synthetic: Any
) -> None:
    start, end = datetime(2023, 12, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)

    def fail_the_second(path: str, answer: Response) -> Response:
        # Both pages are under way at once: the fault is the second's, whichever comes first.
        is_second = f"startTime={int((start + 1000 * HOUR).timestamp() * 1000)}&" in answer.url
        return Response(418, {}, b"{}", answer.url) if is_second else answer

    with pytest.raises(BannedError):
        collect(writer, synthetic, start, end, venue=synthetic.binance(fail_the_second))
    (series,) = coverage(writer, start + 1000 * HOUR)
    assert (series.equation.observed, series.missing) == (1000, [])
    synthetic.heal()
    done = collect(writer, synthetic, start, end)
    assert (done.new, done.unchanged) == (488, 1000)
    in_two_runs = content(writer)
    forget(owner)
    collect(writer, synthetic, start, end)
    assert content(writer) == in_two_runs


def test_a_market_the_venue_does_not_know_is_nothing_to_collect(writer: Connection, synthetic: Any) -> None:
    market = dataclasses.replace(BTC, symbol="NOPE/USDT", venue_symbol="NOPEUSDT")
    with pytest.raises(NothingToCollect, match="binance does not list NOPE/USDT"):
        collect(writer, synthetic, NOW - DAY, NOW, market=market)


def test_an_hour_of_outage_is_no_error_and_no_row(writer: Connection, recorded: Any) -> None:
    hole = datetime(2023, 3, 24, 13, tzinfo=UTC)
    now = hole + 5 * HOUR
    recorded.set_time(now)
    done = collect(writer, recorded, hole, hole + HOUR, now=now)
    assert done == CollectOutcome("candle", "binance:BTC/USDT 1h")
    collect(writer, recorded, hole - DAY, hole + 4 * HOUR, now=now)
    (series,) = coverage(writer, hole + 4 * HOUR)
    assert series.missing == [Span(hole, hole + HOUR)]


def without_candles(path: str, answer: Response) -> Response:
    return dataclasses.replace(answer, body=b"[]") if path.endswith("klines") else answer


def test_a_long_window_without_any_candle_is_an_error(writer: Connection, synthetic: Any) -> None:
    start = datetime(2024, 3, 1, tzinfo=UTC)
    venue = synthetic.binance(without_candles)
    with pytest.raises(NoDataError, match="no binance:BTC/USDT 1h candle at all from 2024-03-01"):
        collect(writer, synthetic, start, start + 3 * DAY, venue=venue)
    assert collect(writer, synthetic, start, start + DAY, venue=venue).new == 0


def test_a_page_without_candles_takes_no_other_page_with_it(writer: Connection, synthetic: Any) -> None:
    start, end = datetime(2023, 12, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)

    def without_the_second(path: str, answer: Response) -> Response:
        is_second = f"startTime={int((start + 1000 * HOUR).timestamp() * 1000)}&" in answer.url
        return dataclasses.replace(answer, body=b"[]") if is_second else answer

    with pytest.raises(NoDataError):
        collect(writer, synthetic, start, end, venue=synthetic.binance(without_the_second))
    assert writer.execute("select count(*), max(opened_at) from market.candle").fetchone() == (
        1000,
        start + 999 * HOUR,
    )
    assert writer.execute("select count(*) from market.attestation").fetchone() == (1,)


@pytest.mark.parametrize(("kind", "told"), [("418", [1000]), ("[]", [1000, 1488])])
def test_what_a_series_stored_before_its_trouble_is_told(
    writer: Connection, synthetic: Any, kind: str, told: list[int]
) -> None:
    start, end = datetime(2023, 12, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)

    def spoil_the_second(path: str, answer: Response) -> Response:
        is_second = f"startTime={int((start + 1000 * HOUR).timestamp() * 1000)}&" in answer.url
        if not (is_second and "BTCUSDT" in answer.url):
            return answer
        return Response(418, {}, b"{}", answer.url) if kind == "418" else dataclasses.replace(answer, body=b"[]")

    sources = rest_only(synthetic.binance(spoil_the_second), "binance")
    outcomes = []
    with pytest.raises((BannedError, NoDataError)):
        outcomes.extend(collect_markets(writer, sources, [BTC, ETH], ["1h"], start, end, FixedClock(NOW)))
    assert [outcome.new for outcome in outcomes] == told


def test_an_empty_answer_where_candles_are_known_is_an_error(writer: Connection, synthetic: Any) -> None:
    at = datetime(2024, 3, 31, 12, tzinfo=UTC)
    collect(writer, synthetic, at - DAY, at)
    before = machinery(writer)
    with pytest.raises(NoDataError):
        collect(writer, synthetic, at, at + HOUR, catch_up=True, venue=synthetic.binance(without_candles))
    assert machinery(writer) == before


def test_another_world_is_refused_and_changes_nothing(writer: Connection, synthetic: Any, recorded: Any) -> None:
    collect(writer, synthetic, OUTAGE[0] - DAY, OUTAGE[0])
    before = content(writer)
    with pytest.raises(WorldMismatchError, match="synthetic"):
        collect(writer, recorded, OUTAGE[0] - DAY, OUTAGE[0], now=OUTAGE[0])
    assert content(writer) == before


def test_recorded_candles_are_the_venues_to_the_last_digit(writer: Connection, recorded: Any) -> None:
    now = datetime(2024, 6, 1, tzinfo=UTC)
    recorded.set_time(now)
    start = datetime(2024, 5, 1, tzinfo=UTC)
    collect(writer, recorded, start, now, now=now)
    rows = json.loads(
        recorded.transport("binance")
        .get("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1h", "startTime": 1714521600000, "limit": 744})
        .body
    )
    stored = writer.execute(
        "select (extract(epoch from opened_at) * 1000)::bigint, open::text, high::text, low::text, close::text, "
        "base_volume::text, quote_volume::text, trade_count, taker_buy_base_volume::text, taker_buy_quote_volume::text "
        "from market.candle order by opened_at"
    ).fetchall()
    assert stored == [(r[0], *r[1:6], r[7], r[8], r[9], r[10]) for r in rows]
    assert len(stored) == 744
