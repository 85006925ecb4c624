"""The repair plan is small, complete and bounded, and carrying it out lets no venue wait for another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include.candles.model import Candle
from include.candles.timeframes import step
from include.clock import FixedClock
from include.config.markets import Market
from include.coverage import audit
from include.coverage.attest import attest
from include.coverage.equation import coverage
from include.coverage.plan import plan
from include.coverage.repair import RepairError, repair
from include.coverage.step import AUDIT, SETTLE, UNKNOWN, Step
from include.venues.errors import GeoBlockedError, NoDataError, VenueError
from include.venues.model import CandlePage
from include.warehouse.archive import archive_month, drop_archived_month
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.months import month_span, months_ended
from include.warehouse.staging import UpsertCounts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
LISTED = datetime(2015, 1, 1, tzinfo=UTC)
BTC = Market("binance", "BTC/USDT", "BTCUSDT", LISTED)
USD = Market("coinbase", "BTC/USD", "BTC-USD", LISTED)
ETH = Market("coinbase", "ETH/USD", "ETH-USD", LISTED)


def collect(
    connection: Connection,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    market: Market = BTC,
    timeframe: str = "1h",
    lacking: Iterable[datetime] = (),
    price: int = 1,
) -> UpsertCounts:
    """An answer with every candle of [start, end) but the `lacking` ones, stored and attested at `now`."""
    instrument_id = ensure_instrument(connection, market)
    length, without = step(timeframe), set(lacking)
    opens = [at for n in range((end - start) // length) if (at := start + n * length) not in without]
    value = Decimal(price)
    candles = [Candle(at, value, value, value, value, Decimal(1)) for at in opens]
    sha256 = hashlib.sha256(repr((opens, price)).encode()).hexdigest()
    page = CandlePage(candles, [], "synthetic", f"{market.venue}-rest", "x", sha256, start, end)
    with connection.transaction():
        counts = upsert_candles(
            connection, instrument_id, timeframe, candles, source=page.source, world="synthetic", recorded_at=now
        )
        attest(connection, instrument_id, timeframe, page, venue=market.venue, now=now)
    return counts


def lose(connection: Connection, *opens: datetime) -> None:
    connection.execute("delete from market.candle where opened_at = any(%s)", (list(opens),))


def windows(steps: Iterable[Step], purpose: str = UNKNOWN) -> list[tuple[datetime, datetime]]:
    return [(step.start, step.end) for step in steps if step.purpose == purpose]


Fetched = Callable[[Market, str, datetime, datetime, str], UpsertCounts]


def fetching(connection: Connection, clock: FixedClock) -> Fetched:
    """A venue that has every candle."""

    def fetch(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
        return collect(connection, start, end, clock.now(), market=market, timeframe=timeframe)

    return fetch


def test_a_complete_and_settled_warehouse_needs_nothing(writer: Connection) -> None:
    collect(writer, START, START + 10 * DAY, START + 20 * DAY)
    writer.execute("update market.instrument set delisted_at = %s", (START + 10 * DAY,))
    assert plan(writer, START + 21 * DAY) == ([], [])


def test_unknown_ranges_that_fall_into_one_request_are_asked_for_together(writer: Connection) -> None:
    end = START + 100 * DAY
    collect(writer, START, end, end + 3 * DAY)
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    holes = [START + hour * HOUR for hour in (3, 4, 900, 1002, 1003, 1500)]
    lose(writer, *holes)
    steps, deferred = plan(writer, end + 3 * DAY)
    assert windows(steps) == [
        (START + 3 * HOUR, START + 901 * HOUR),
        (START + 1002 * HOUR, START + 1501 * HOUR),
    ]
    assert [step.reason for step in steps if step.purpose == UNKNOWN] == ["3 candles deleted", "3 candles deleted"]
    assert ({step.requests for step in steps}, deferred) == ({1}, [])


def test_repair_heals_and_says_so_and_then_there_is_nothing_left(writer: Connection) -> None:
    end = START + 5 * DAY
    clock = FixedClock(end + 3 * DAY)
    collect(writer, START, end, clock.now())
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    lose(writer, START + 7 * HOUR)
    said: list[str] = []
    told = repair(writer, plan(writer, clock.now()), fetching(writer, clock), clock, said.append)
    assert (
        told
        == said
        == [
            "binance:BTC/USDT 1h 2024-01-01 07:00 to 2024-01-01 08:00: unknown, 1 candle deleted; 1 new, 0 changed;"
            " complete now"
        ]
    )
    assert plan(writer, clock.now()).steps == []
    noted = writer.execute("select purpose, reason, requests, outcome, rows_new, explanation from ops.repair_step")
    assert noted.fetchall() == [("unknown", "1 candle deleted", 1, "done", 1, told[0])]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute("delete from ops.repair_step")


def test_an_absence_is_asked_about_again_when_that_can_prove_something(writer: Connection) -> None:
    end = START + 5 * DAY
    clock = FixedClock(end + 3 * DAY)
    hole = START + 7 * HOUR
    collect(writer, START, end, clock.now(), lacking=[hole])
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    steps, ((step_, why),) = plan(writer, clock.now() + timedelta(minutes=59))
    assert (steps, step_.start) == ([], hole)
    assert "a later answer has to confirm it" in why
    clock.at += HOUR

    def silent(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
        return collect(writer, start, end, clock.now(), lacking=[hole])

    (told,) = repair(writer, plan(writer, clock.now()), silent, clock)
    assert told.endswith("1 candle unconfirmed; 0 new, 0 changed; complete now")
    (series,) = coverage(writer, clock.now())
    assert (series.equation.empty, series.equation.is_complete) == (1, True)


def test_the_last_candles_are_read_again_once_they_have_settled(writer: Connection) -> None:
    now = START + 10 * DAY + timedelta(minutes=40)
    clock = FixedClock(now)
    collect(writer, START, START + 8 * DAY, START + 9 * DAY)
    for hour in range(8 * 24, 10 * 24):  # live: each hour with the two before it
        at = START + hour * HOUR
        collect(writer, at - 2 * HOUR, at + HOUR, at + HOUR + timedelta(minutes=2))
    assert windows(plan(writer, now).steps, SETTLE) == []  # the live runs have read them again already
    start = START + 12 * DAY
    clock.at = start + DAY
    collect(writer, START + 10 * DAY, start, start)
    collect(writer, start, start + DAY, start + DAY)
    # Before the last 48 hours nobody looks; all but one of those were read an hour or more after their close.
    assert windows(plan(writer, clock.at).steps, SETTLE) == [(start - HOUR, start)]
    repair(writer, plan(writer, clock.at), fetching(writer, clock), clock)
    assert windows(plan(writer, clock.at).steps, SETTLE) == []


def test_each_venue_has_a_budget_of_its_own_and_what_does_not_fit_is_said(writer: Connection) -> None:
    now = START + 100 * DAY
    for market in (BTC, USD):
        collect(writer, START, START + DAY, START + 2 * DAY, market=market)
        collect(writer, now - 2 * DAY, now, now, market=market)
    steps, deferred = plan(writer, now, budget=2)
    by_venue = {venue: [s for s in steps if s.market.venue == venue] for venue in ("binance", "coinbase")}
    assert windows(by_venue["binance"]) == [(START + DAY, START + DAY + 2000 * HOUR)]
    assert windows(by_venue["coinbase"]) == [(START + DAY, START + DAY + 580 * HOUR)]
    for venue in by_venue:
        assert sum(s.requests for s in by_venue[venue]) <= 2
        rest = [(s, why) for s, why in deferred if s.market.venue == venue and s.purpose == UNKNOWN]
        assert [(s.start, s.end) for s, _ in rest] == [(by_venue[venue][0].end, now - 2 * DAY)]
        assert all("budget of 2 requests" in why for _, why in rest)
    assert [s.market.venue for s in plan(writer, now, budget=2, venues=["coinbase"]).steps] == ["coinbase"]


def test_every_month_is_audited_within_ninety_days(writer: Connection) -> None:
    end = START
    start = datetime(2016, 1, 1, tzinfo=UTC)
    clock = FixedClock(end + 20 * DAY)
    for month in months_ended(start, end):
        collect(writer, *month_span(month), clock.now(), timeframe="1d")
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    audited: dict[tuple[datetime, datetime], list[int]] = {}
    for day in range(95):
        clock.at = end + (20 + day) * DAY
        found = plan(writer, clock.at)
        assert {step.purpose for step in found.steps} <= {AUDIT}
        for window in windows(found.steps, AUDIT):
            audited.setdefault(window, []).append(day)
        repair(writer, found, fetching(writer, clock), clock)
        if day % 20 == 7:
            assert plan(writer, clock.at + HOUR).steps == []  # the day's share is done
    assert sorted(audited) == [month_span(month) for month in months_ended(start, end)]
    assert max(days[0] for days in audited.values()) <= 90
    assert sum(map(len, audited.values())) <= 2 * 100
    assert plan(writer, clock.at + DAY) == plan(writer, clock.at + DAY)


def test_an_audit_finds_a_revision(writer: Connection) -> None:
    end = datetime(2024, 2, 1, tzinfo=UTC)
    clock = FixedClock(end + 30 * DAY)
    collect(writer, START, end, end + HOUR)
    writer.execute("update market.instrument set delisted_at = %s", (end,))

    def revised(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
        return collect(writer, start, end, clock.now(), price=2)

    (told,) = repair(writer, plan(writer, clock.now()), revised, clock)
    assert "audit, last read 2024-02-01, looked at for revisions; 0 new, 744 changed: the venue revised" in told


def test_a_month_of_the_archive_is_neither_asked_for_nor_audited(writer: Connection, tmp_path: Path) -> None:
    end = datetime(2024, 4, 1, tzinfo=UTC)
    now = end + 30 * DAY
    hole = datetime(2024, 2, 5, tzinfo=UTC)
    collect(writer, START, end, end + HOUR)
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    lose(writer, hole, hole - 20 * DAY, hole + 40 * DAY)
    archive_month(writer, tmp_path, 1, "1h", date(2024, 2, 1), now)
    drop_archived_month(writer, tmp_path, 1, "1h", date(2024, 2, 1), now)
    steps, ((put_off, why),) = plan(writer, now)
    february = month_span(date(2024, 2, 1))
    assert windows(steps) == [(hole - 20 * DAY, hole - 20 * DAY + HOUR), (hole + 40 * DAY, hole + 40 * DAY + HOUR)]
    assert february not in windows(steps, AUDIT)
    assert (put_off.start, why) == (february[0], "the month has to be restored from the archive first")


def test_a_venue_that_is_down_holds_up_no_other_and_is_not_asked_again(writer: Connection) -> None:
    end = START + 5 * DAY
    clock = FixedClock(end + 3 * DAY)
    for market in (USD, ETH, BTC):
        collect(writer, START, end, clock.now(), market=market)
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    lose(writer, START + 7 * HOUR)
    asked: list[str] = []

    def fetch(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
        asked.append(market.key)
        if market.venue == "coinbase":
            raise GeoBlockedError("coinbase", "not from here")
        return collect(writer, start, end, clock.now(), market=market, timeframe=timeframe)

    with pytest.raises(RepairError, match="1 repair step failed: coinbase: not from here") as raised:
        repair(writer, plan(writer, clock.now()), fetch, clock)
    assert sorted(asked) == ["binance:BTC/USDT", "coinbase:BTC/USD"]
    assert [type(error) for error in raised.value.errors] == [GeoBlockedError]
    noted: dict[str, str] = dict(
        writer.execute("select symbol, outcome from ops.repair_step join market.instrument using (instrument_id)")
    )
    assert noted == {"BTC/USDT": "done", "BTC/USD": "failed", "ETH/USD": "skipped"}
    assert len(raised.value.explanations) == 3


@pytest.mark.parametrize("error", [NoDataError("coinbase", "nothing"), ValueError("odd"), ValueError("odd \x00")])
def test_an_error_of_one_series_is_no_reason_to_leave_the_venue(writer: Connection, error: Exception) -> None:
    end = START + 5 * DAY
    clock = FixedClock(end + 3 * DAY)
    for market in (USD, ETH):
        collect(writer, START, end, clock.now(), market=market)
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    lose(writer, START + 7 * HOUR)

    def fetch(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
        if market == USD:
            raise error
        return collect(writer, start, end, clock.now(), market=market, timeframe=timeframe)

    with pytest.raises(RepairError) as raised:
        repair(writer, plan(writer, clock.now()), fetch, clock)
    assert raised.value.errors == [error]
    assert [series.equation.unknown for series in coverage(writer, clock.now())] == [1, 0]
    assert isinstance(error, VenueError) or "failed: odd" in raised.value.explanations[0]


def test_a_long_month_is_audited_by_its_file(writer: Connection) -> None:
    end = datetime(2024, 2, 1, tzinfo=UTC)
    collect(writer, START, end, end + HOUR, timeframe="1m")
    writer.execute("update market.instrument set delisted_at = %s", (end,))
    (step_,) = plan(writer, end + 30 * DAY).steps
    assert (step_.purpose, step_.source, step_.requests) == (AUDIT, "archive", 2)
    assert audit.CYCLE < 90
