"""Months held from REST, closed against published files served over HTTP, in a real PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from include.collect.archive_pages import archive_pages
from include.collect.month_close import RECHECK_AFTER, MonthOutcome, close_months, record_archive_file
from include.collect.sources import SourceSettings, plan_sources
from include.config.markets import MARKETS, Market
from include.replay.synthetic import SyntheticWorld
from include.venues.binance_archive import BinanceArchive
from include.venues.errors import UnavailableError
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

Serve = Callable[..., AbstractContextManager[str]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BTC, ETH = MARKETS[0], MARKETS[1]
START = datetime(2024, 2, 1, tzinfo=UTC)
NOW = datetime(2024, 3, 20, 12, 30, tzinfo=UTC)
FEBRUARY = date(2024, 2, 1)
HOURS = 29 * 24


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, datetime(2023, 1, 1, tzinfo=UTC))


class Held:
    """A warehouse, an exchange, and candles of the one in the other."""

    def __init__(self, writer: Connection, exchange: Any) -> None:
        self.writer, self.exchange = writer, exchange
        self.archive = BinanceArchive(exchange.transport("binance_archive"), retry=exchange.impatient)

    def hold(self, start: datetime, end: datetime, market: Market = BTC, timeframe: str = "1h") -> None:
        instrument_id = ensure_instrument(self.writer, market)
        for page in self.exchange.binance().candles(market.venue_symbol, timeframe, start, end, end + DAY):
            upsert_candles(
                self.writer,
                instrument_id,
                timeframe,
                page.candles,
                source=page.source,
                world=page.world,
                recorded_at=end + DAY,
            )

    def close(self, now: datetime = NOW, markets: Any = (BTC,), **given: Any) -> list[MonthOutcome]:
        if now > NOW:
            self.exchange.set_time(now)
        return list(close_months(self.writer, self.archive, markets, ["1h", "1d"], now, **given))

    def spoil(self, kind: str, file: str = "BTCUSDT-1h-2024-02.zip", until: datetime | None = None) -> None:
        wish = {"kind": kind, "file": file, "until": until and until.isoformat()}
        requests.post(f"{self.exchange.url}/archive_quirks", json=wish, timeout=5).raise_for_status()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.writer.execute(query).fetchall()

    def files(self) -> list[tuple[Any, ...]]:
        columns = "name, verdict, row_count, first_checked_at, checked_at"
        return self.rows(f"select {columns} from ops.archive_file order by name")


@pytest.fixture
def held(serve: Serve, exchange_at: Any, world: SyntheticWorld, writer: Connection) -> Iterator[Held]:
    with serve(world, NOW) as url:
        yield Held(writer, exchange_at(url))


def test_a_month_that_agrees_is_closed_once(held: Held) -> None:
    held.hold(START, datetime(2024, 3, 20, tzinfo=UTC))
    (outcome,) = held.close()
    assert (outcome.market, outcome.timeframe, outcome.month) == (BTC.key, "1h", FEBRUARY)
    assert (outcome.verdict, outcome.unchanged, outcome.changed, outcome.new) == ("equal", HOURS, 0, 0)
    assert not outcome.is_alarming
    assert held.files() == [("BTCUSDT-1h-2024-02.zip", "equal", HOURS, NOW, NOW)]
    assert held.rows("select count(*) from market.candle_revision") == [(0,)]
    assert held.close(NOW + DAY) == []


def test_a_month_is_closed_when_its_file_is_due(held: Held) -> None:
    held.hold(START, START + 30 * DAY)
    assert held.close(datetime(2024, 3, 14, 23, tzinfo=UTC)) == []
    assert [outcome.verdict for outcome in held.close(datetime(2024, 3, 15, tzinfo=UTC))] == ["equal"]


def test_a_corrected_volume_becomes_a_revision(held: Held) -> None:
    held.hold(START, START + 29 * DAY)
    at = START + 5 * HOUR
    held.exchange.revise("BTCUSDT", "1h", at)
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.changed, outcome.price_changes) == ("volumes_differ", 1, 0)
    assert not outcome.is_alarming
    assert held.rows("select opened_at, source, superseded_at from market.candle_revision") == [
        (at, "binance-rest", NOW)
    ]
    assert held.rows("select opened_at from market.candle where source = 'binance-archive'") == [(at,)]
    assert held.rows("select starts_at, ends_at from ops.change_range order by change_id desc limit 1") == [
        (at, at + HOUR)
    ]


def test_a_price_that_differs_is_told_loudly(held: Held, owner: Connection, caplog: pytest.LogCaptureFixture) -> None:
    held.hold(START, START + 29 * DAY)
    held.exchange.revise("BTCUSDT", "1h", START + 9 * HOUR)
    owner.execute("update market.candle set close = low where opened_at = %s", (START + 7 * HOUR,))
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.changed, outcome.price_changes) == ("prices_differ", 2, 1)
    assert outcome.is_alarming
    (record,) = [record for record in caplog.records if "prices_differ" in record.message]
    assert record.levelname == "WARNING"
    assert "binance:BTC/USDT 1h 2024-02: prices_differ; 0 new, 2 changed (1 in price)" in record.message


def test_a_price_that_was_replaced_long_ago_is_not_told_again(held: Held, owner: Connection) -> None:
    held.hold(START, START + 29 * DAY)
    owner.execute("update market.candle set close = low where opened_at = %s", (START + 7 * HOUR,))
    held.hold(START, START + 30 * DAY)
    assert held.rows("select count(*) from market.candle_revision") == [(1,)]
    held.exchange.revise("BTCUSDT", "1h", START + 7 * HOUR)
    assert [outcome.verdict for outcome in held.close()] == ["volumes_differ"]


def test_missing_candles_are_filled(held: Held) -> None:
    held.hold(START, START + 10 * DAY)
    held.hold(START + 11 * DAY, START + 29 * DAY)
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.new, outcome.unchanged) == ("filled", 24, HOURS - 24)
    assert held.rows("select count(*) from market.candle") == [(HOURS,)]


def test_candles_the_file_lacks_stay(held: Held) -> None:
    held.hold(START, START + 29 * DAY)
    held.spoil("short_day")
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.not_in_file, outcome.unchanged) == ("rows_missing", 10, HOURS - 10)
    assert outcome.is_alarming
    assert held.rows("select count(*) from market.candle") == [(HOURS,)]
    assert held.close(NOW + DAY) == []


def test_a_truncated_month_waits_for_its_replacement(held: Held) -> None:
    held.hold(START, START + 29 * DAY)
    held.spoil("truncated_month", until=NOW + 2 * DAY)
    held.exchange.revise("BTCUSDT", "1h", START)
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.changed, outcome.is_alarming) == ("short", 0, True)
    assert "ends at 2024-02-10 16:00" in str(outcome)
    assert [outcome.verdict for outcome in held.close(NOW + DAY)] == ["short"]
    (outcome,) = held.close(NOW + 2 * DAY)
    assert (outcome.verdict, outcome.changed, outcome.unchanged) == ("volumes_differ", 1, HOURS - 1)
    later = NOW + 2 * DAY
    assert held.files() == [("BTCUSDT-1h-2024-02.zip", "volumes_differ", HOURS, later, later)]
    assert held.close(NOW + 3 * DAY) == []


def test_a_file_that_ends_where_our_candles_end_is_whole(held: Held) -> None:
    held.hold(START, START + 232 * HOUR)
    held.spoil("truncated_month")
    assert [outcome.verdict for outcome in held.close()] == ["equal"]


@pytest.mark.parametrize(
    ("kind", "verdict"), [("unpublished", "not_published"), ("wrong_checksum", "corrupt"), ("corrupt", "corrupt")]
)
def test_an_absent_or_spoilt_file_is_asked_for_again(held: Held, kind: str, verdict: str) -> None:
    held.hold(START, START + 29 * DAY)
    held.spoil(kind, until=NOW + 2 * DAY)
    (outcome,) = held.close()
    assert (outcome.verdict, outcome.is_alarming) == (verdict, True)
    assert held.files() == [("BTCUSDT-1h-2024-02.zip", verdict, None, NOW, NOW)]
    assert [outcome.verdict for outcome in held.close(NOW + 2 * DAY)] == ["equal"]


def test_a_closed_month_is_asked_about_once_more(held: Held) -> None:
    held.hold(START, START + 29 * DAY)
    held.close()
    assert held.close(NOW + RECHECK_AFTER - HOUR) == []
    (outcome,) = held.close(NOW + RECHECK_AFTER)
    assert outcome.verdict == "unchanged"
    assert held.files() == [("BTCUSDT-1h-2024-02.zip", "equal", HOURS, NOW, NOW + RECHECK_AFTER)]
    assert held.close(NOW + 3 * RECHECK_AFTER) == []


def test_a_replaced_file_is_read_again_and_then_asked_about_again(held: Held) -> None:
    held.hold(START, START + 29 * DAY)
    held.close()
    held.exchange.revise("BTCUSDT", "1h", START + HOUR)
    second = NOW + RECHECK_AFTER
    (outcome,) = held.close(second)
    assert (outcome.verdict, outcome.changed) == ("volumes_differ", 1)
    assert held.rows("select opened_at, superseded_at from market.candle_revision") == [(START + HOUR, second)]
    assert held.close(second + DAY) == []
    assert [outcome.verdict for outcome in held.close(second + RECHECK_AFTER)] == ["unchanged"]
    assert held.close(second + 3 * RECHECK_AFTER) == []


def test_a_run_is_bounded_and_the_next_one_goes_on(held: Held) -> None:
    start = datetime(2023, 10, 1, tzinfo=UTC)
    for market in (BTC, ETH):
        held.hold(start, START + 29 * DAY, market)
        held.hold(start, START + 29 * DAY, market, "1d")
    held.spoil("unpublished", "*-2023-10.zip")
    markets = [*MARKETS]
    done = [outcome for days in range(4) for outcome in held.close(NOW + days * DAY, markets, limit=6)]
    verdicts = [(o.market, o.timeframe, o.month, o.verdict) for o in done]
    closed = [each for each in verdicts if each[3] == "equal"]
    months = [date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1), FEBRUARY]
    series = [(market.key, timeframe) for market in (BTC, ETH) for timeframe in ("1h", "1d")]
    assert sorted(closed) == sorted((*one, month, "equal") for one in series for month in months)
    assert len(done) == 24
    assert [each[3] for each in verdicts[:4]] == ["not_published"] * 4, "what fails does not hold up the others"


def test_a_host_that_is_down_ends_the_run_and_nothing_is_lost(held: Held) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    held.hold(start, START + 29 * DAY)
    run = close_months(held.writer, held.archive, [BTC], ["1h"], NOW)
    assert next(run).month == date(2024, 1, 1)
    held.exchange.fail("binance_archive", "unavailable", times=2)
    with pytest.raises(UnavailableError):
        next(run)
    assert [outcome.month for outcome in held.close()] == [FEBRUARY]


def test_a_month_loaded_from_its_file_is_not_compared_with_itself(held: Held) -> None:
    instrument_id = ensure_instrument(held.writer, BTC)
    (segment,) = plan_sources(BTC, "1h", START, START + 29 * DAY, NOW, SourceSettings())
    for page, file in archive_pages(held.archive, held.exchange.binance(), segment, NOW):
        upsert_candles(
            held.writer, instrument_id, "1h", page.candles, source=page.source, world=page.world, recorded_at=NOW
        )
        if file:
            record_archive_file(held.writer, instrument_id, "1h", file, NOW)
    assert held.files() == [("BTCUSDT-1h-2024-02.zip", "loaded", HOURS, NOW, NOW)]
    assert held.close(NOW + DAY) == []
    assert [outcome.verdict for outcome in held.close(NOW + RECHECK_AFTER)] == ["unchanged"]


def test_the_time_before_the_listing_is_not_spoken_of(serve: Serve, exchange_at: Any, writer: Connection) -> None:
    listed = START + 10 * DAY
    with serve(SyntheticWorld(7, listed), NOW) as url:
        held = Held(writer, exchange_at(url))
        young = dataclasses.replace(BTC, listed_at=listed)
        held.hold(listed, START + 29 * DAY, young)
        assert [outcome.verdict for outcome in held.close(markets=[young])] == ["equal"]
    spans = held.rows("select lower(covers), upper(covers) from market.attestation where source = 'binance-archive'")
    assert spans == [(listed, START + 29 * DAY)]


def test_the_ledger_learns_what_the_file_had(held: Held) -> None:
    held.hold(START, START + 10 * DAY)
    held.close()
    columns = "lower(covers), upper(covers), candle_count, request"
    (noted,) = held.rows(f"select {columns} from market.attestation where source = 'binance-archive'")
    assert noted[:3] == (START, START + 29 * DAY, HOURS)
    assert noted[3].endswith("/BTCUSDT-1h-2024-02.zip")


def test_markets_of_other_venues_are_passed_over(held: Held) -> None:
    others = [market for market in MARKETS if market.venue != "binance"]
    assert held.close(markets=others) == []
