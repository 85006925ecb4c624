"""The archive's client against its twin over real HTTP: the candles of REST, and every fault told as what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from include.collect.archive_pages import archive_pages
from include.collect.sources import SourceSettings, plan_sources
from include.config.markets import MARKETS
from include.replay.recorded import RecordedWorld
from include.replay.synthetic import SyntheticWorld
from include.venues.binance_archive import BinanceArchive
from include.venues.errors import ChecksumMismatchError, CorruptFileError, NotPublishedError, UnavailableError

Serve = Callable[..., AbstractContextManager[str]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BTC = MARKETS[0]
NOW = datetime(2024, 4, 1, 9, 30, tzinfo=UTC)  # a Monday
JANUARY, FEBRUARY, MARCH = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)


class Archive(BinanceArchive):
    """The client of a running exchange, and a test's handle on what is wrong with the files."""

    def __init__(self, exchange: Any) -> None:
        super().__init__(exchange.transport("binance_archive"), retry=exchange.impatient)
        self.exchange = exchange

    def spoil(self, kind: str, file: str, until: datetime | None = None) -> None:
        wish = {"kind": kind, "file": file, "until": until and until.isoformat()}
        requests.post(f"{self.exchange.url}/archive_quirks", json=wish, timeout=5).raise_for_status()


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, datetime(2023, 1, 1, tzinfo=UTC))


@pytest.fixture
def archive(serve: Serve, exchange_at: Any, world: SyntheticWorld) -> Iterator[Archive]:
    with serve(world, NOW) as url:
        yield Archive(exchange_at(url))


def from_rest(archive: Archive, start: datetime, end: datetime, timeframe: str = "1h") -> list[Any]:
    now = NOW + 365 * DAY
    pages = archive.exchange.binance().candles("BTCUSDT", timeframe, start, end, now)
    return [candle for page in pages for candle in page.candles]


def test_a_month_holds_the_candles_of_rest(archive: Archive) -> None:
    page, file = archive.month("BTCUSDT", "1h", FEBRUARY, NOW)
    assert list(page.candles) == from_rest(archive, page.start, page.end)
    assert (len(page.candles), page.rejected, page.world) == (29 * 24, [], "synthetic")
    assert page.end == datetime(2024, 3, 1, tzinfo=UTC)
    assert (file.is_verified, file.is_whole) == (True, True)
    assert file.last_modified == datetime(2024, 3, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(("timeframe", "count"), [("1m", 1440), ("15m", 96), ("1d", 1)])
def test_a_day_holds_the_candles_of_rest(archive: Archive, timeframe: str, count: int) -> None:
    page, _ = archive.day("BTCUSDT", timeframe, date(2024, 2, 29), NOW)
    assert list(page.candles) == from_rest(archive, page.start, page.end, timeframe)
    assert len(page.candles) == count


def test_both_sides_of_2025_hold_the_candles_of_rest(serve: Serve, exchange_at: Any, world: SyntheticWorld) -> None:
    with serve(world, datetime(2025, 3, 1, tzinfo=UTC)) as url:
        archive = Archive(exchange_at(url))
        for month in (date(2024, 12, 1), date(2025, 1, 1)):
            page, _ = archive.month("BTCUSDT", "1h", month, datetime(2025, 3, 1, tzinfo=UTC))
            assert list(page.candles) == from_rest(archive, page.start, page.end)
            assert len(page.candles) == 744


def test_holes_of_the_recording_are_holes_of_the_files(
    serve: Serve, exchange_at: Any, recorded_world: RecordedWorld
) -> None:
    now = datetime(2023, 6, 1, tzinfo=UTC)
    with serve(recorded_world, now) as url:
        page, _ = Archive(exchange_at(url)).month("BTCUSDT", "1h", date(2023, 3, 1), now)
    assert (len(page.candles), page.rejected) == (743, [])


def test_files_appear_on_their_day(archive: Archive) -> None:
    for month in (MARCH, date(2022, 12, 1)):
        with pytest.raises(NotPublishedError) as error:
            archive.month("BTCUSDT", "1h", month, NOW)
        assert error.value.is_overdue is (month.year == 2022)
    with pytest.raises(NotPublishedError):
        archive.month("DOGEUSDT", "1h", JANUARY, NOW)
    with pytest.raises(NotPublishedError):
        archive.day("BTCUSDT", "1h", date(2024, 3, 31), NOW)
    archive.exchange.set_time(NOW + HOUR)
    assert archive.day("BTCUSDT", "1h", date(2024, 3, 31), NOW).file.row_count == 24
    assert archive.month("BTCUSDT", "1h", MARCH, NOW).file.row_count == 31 * 24


def test_an_unchanged_file_is_told_by_its_etag(archive: Archive) -> None:
    file = archive.month("BTCUSDT", "1h", FEBRUARY, NOW).file
    assert file.etag is not None
    assert archive.month_if_changed("BTCUSDT", "1h", FEBRUARY, file.etag, NOW) is None
    archive.exchange.revise("BTCUSDT", "1h", datetime(2024, 2, 3, 4, tzinfo=UTC))
    changed = archive.month_if_changed("BTCUSDT", "1h", FEBRUARY, file.etag, NOW)
    assert changed is not None
    assert changed.file.sha256 != file.sha256
    assert changed.file.etag != file.etag


def test_each_fault_of_a_file_is_told_as_what_it_is(archive: Archive) -> None:
    name = "BTCUSDT-1h-2024-02.zip"

    def spoilt(kind: str) -> Any:
        requests.delete(f"{archive.exchange.url}/archive_quirks", timeout=5).raise_for_status()
        archive.spoil(kind, name)
        return archive.month("BTCUSDT", "1h", FEBRUARY, NOW)

    with pytest.raises(ChecksumMismatchError):
        spoilt("wrong_checksum")
    with pytest.raises(CorruptFileError, match="cannot be unpacked"):
        spoilt("corrupt")
    with pytest.raises(NotPublishedError):
        spoilt("unpublished")
    assert spoilt("missing_checksum").file.is_verified is False
    assert spoilt("header_line").file.row_count == 29 * 24
    assert spoilt("header_line").page.rejected == []
    page, file = spoilt("truncated_month")
    assert (file.row_count, file.is_whole, page.end) == (232, False, page.start + 232 * HOUR)
    assert spoilt("short_day").file.row_count == 29 * 24 - 10


def test_an_unknown_quirk_is_refused(archive: Archive) -> None:
    for wish in (
        {"kind": "haunted", "file": "*"},
        {"kind": "corrupt"},
        [],
        {"kind": "corrupt", "file": "*", "until": "x"},
    ):
        answer = requests.post(f"{archive.exchange.url}/archive_quirks", json=wish, timeout=5)
        assert answer.status_code == 400
    archive.spoil("corrupt", "*", NOW)
    (listed,) = requests.get(f"{archive.exchange.url}/archive_quirks", timeout=5).json()
    assert (listed["kind"], listed["file"]) == ("corrupt", "*")


@pytest.mark.parametrize("kind", ["unavailable", "cut", "dropped"])
def test_a_host_that_stumbles_is_asked_again(archive: Archive, kind: str) -> None:
    archive.exchange.fail("binance_archive", kind, times=1)
    assert archive.month("BTCUSDT", "1h", FEBRUARY, NOW).file.row_count == 29 * 24


def test_a_host_that_is_down_is_told_as_that(archive: Archive) -> None:
    archive.exchange.fail("binance_archive", "unavailable", times=2)
    with pytest.raises(UnavailableError):
        archive.month("BTCUSDT", "1h", FEBRUARY, NOW)


def test_a_planned_range_gives_rests_candles_whatever_is_wrong_with_its_files(archive: Archive) -> None:
    start, end = datetime(2023, 8, 20, tzinfo=UTC), datetime(2024, 3, 20, 6, tzinfo=UTC)
    for month, kind in enumerate(["wrong_checksum", "unpublished", "truncated_month", "short_day", "corrupt"], 9):
        archive.spoil(kind, f"BTCUSDT-1h-2023-{month:02}.zip" if month < 13 else "BTCUSDT-1h-2024-01.zip")
    segments = plan_sources(BTC, "1h", start, end, NOW, SourceSettings())
    assert [segment.source for segment in segments] == ["binance-rest", "binance-archive", "binance-rest"]
    rest = archive.exchange.binance()
    sourced = list(archive_pages(archive, rest, segments[1], NOW))
    found = sorted(candle for each in sourced for candle in each.page.candles)
    assert found == from_rest(archive, segments[1].start, segments[1].end)
    names = [each.file.name for each in sourced if each.file]
    assert names == [f"BTCUSDT-1h-{month}.zip" for month in ("2023-11", "2023-12", "2024-02")]
