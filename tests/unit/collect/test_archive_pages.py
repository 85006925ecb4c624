"""A segment out of files: REST is asked for just what they lack, and all pages together speak for all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.model import Candle, RejectedRow
from include.collect.archive_pages import SourcedPage, archive_pages
from include.collect.sources import BINANCE_ARCHIVE, Segment
from include.venues.binance_archive import ArchivedCandles, FileFacts
from include.venues.binance_archive_files import ArchiveFile
from include.venues.errors import (
    ChecksumMismatchError,
    CorruptFileError,
    NotPublishedError,
    UnavailableError,
    VenueError,
)
from include.venues.model import CandlePage

HOUR = timedelta(hours=1)
START, END = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
HOURS = (END - START) // HOUR
NOW = datetime(2024, 5, 1, tzinfo=UTC)
FEBRUARY = ArchiveFile.of_month("BTCUSDT", "1h", START.date())
MARCH = ArchiveFile.of_month("BTCUSDT", "1h", END.date())


def candle(hour: int) -> Candle:
    return Candle(START + hour * HOUR, *map(Decimal, ("10", "12", "9", "11", "5")))


def page(hours: list[int], source: str, start: datetime, end: datetime) -> CandlePage:
    return CandlePage([candle(hour) for hour in hours], [], "live", source, "https://x.test", "00", start, end)


class Files:
    """Files by name: hours they hold, or what is wrong with them."""

    def __init__(self, **held: list[int] | VenueError) -> None:
        self.held = held

    def file(self, file: ArchiveFile, now: datetime) -> ArchivedCandles:
        held = self.held[f"{file.start:%B}"]
        if isinstance(held, VenueError):
            raise held
        facts = FileFacts(file.name, file.start, file.end, "00", None, None, len(held), True, True)
        end = START + (held[-1] + 1) * HOUR if held else file.start
        return ArchivedCandles(page(held, BINANCE_ARCHIVE, file.start, end), facts)


class Rest:
    """Has every hour but the `missing` ones, in pages of 100; `asked`: the hours it was asked for, half-open."""

    def __init__(self, missing: tuple[int, ...] = ()) -> None:
        self.missing = missing
        self.asked: list[tuple[int, int]] = []

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        first, last = (start - START) // HOUR, (end - START) // HOUR
        self.asked.append((first, last))
        for at in range(first, last, 100):
            stop = min(at + 100, last)
            hours = [hour for hour in range(at, stop) if hour not in self.missing]
            yield page(hours, "binance-rest", START + at * HOUR, START + stop * HOUR)


def segment(start: datetime = START, end: datetime = END, *files: ArchiveFile) -> Segment:
    return Segment(BINANCE_ARCHIVE, start, end, "published months", ("binance-rest",), files or (FEBRUARY,))


def pages(files: Files, rest: Rest, of: Segment | None = None) -> list[SourcedPage]:
    return list(archive_pages(files, rest, of or segment(), NOW))


def hours_of(found: list[SourcedPage]) -> list[int]:
    return [(each.opened_at - START) // HOUR for page, _ in found for each in page.candles]


def test_a_whole_file_is_one_page_and_rest_is_not_asked() -> None:
    rest = Rest()
    ((found, file),) = pages(Files(February=list(range(HOURS))), rest)
    assert (found.start, found.end, found.source, len(found.candles)) == (START, END, BINANCE_ARCHIVE, HOURS)
    assert file is not None
    assert file.name == "BTCUSDT-1h-2024-02.zip"
    assert rest.asked == []


@given(
    held=st.sets(st.integers(0, HOURS - 1)),
    missing=st.sets(st.integers(0, HOURS - 1), max_size=5),
    first=st.integers(0, HOURS - 1),
)
def test_whatever_a_file_lacks_rest_is_asked_for_just_that(held: set[int], missing: set[int], first: int) -> None:
    rest = Rest(tuple(missing))
    found = pages(Files(February=sorted(held)), rest, segment(START + first * HOUR, END))
    expected = [hour for hour in range(first, HOURS) if hour in held or hour not in missing]
    assert sorted(hours_of(found)) == expected
    assert [hour for a, b in rest.asked for hour in range(a, b)] == [h for h in range(first, HOURS) if h not in held]
    spoken = {START + hour * HOUR for hour in range(first, HOURS)}
    assert {page.start + n * HOUR for page, _ in found for n in range((page.end - page.start) // HOUR)} == spoken
    assert all(page.start <= each.opened_at < page.end for page, _ in found for each in page.candles)
    assert [bool(file) for _, file in found] == [False] * (len(found) - 1) + [True]


@pytest.mark.parametrize(
    "error",
    [
        NotPublishedError("binance_archive", "404", is_overdue=True),
        CorruptFileError("binance_archive", "no zip"),
        ChecksumMismatchError("binance_archive", "other"),
    ],
)
def test_a_bad_file_is_taken_from_rest_and_the_next_one_is_read(
    error: VenueError, caplog: pytest.LogCaptureFixture
) -> None:
    rest = Rest()
    march = list(range(HOURS, HOURS + 31 * 24))
    found = pages(Files(February=error, March=march), rest, segment(START, MARCH.end, FEBRUARY, MARCH))
    assert hours_of(found) == list(range(HOURS + 31 * 24))
    assert rest.asked == [(0, HOURS)]
    assert [file.name for _, file in found if file] == ["BTCUSDT-1h-2024-03.zip"]
    assert "BTCUSDT-1h-2024-02.zip is taken from REST" in caplog.text


def test_a_host_that_is_down_is_no_bad_file() -> None:
    with pytest.raises(UnavailableError):
        pages(Files(February=UnavailableError("binance_archive", "503")), Rest())


def test_refused_rows_are_handed_on_once() -> None:
    class Refusing(Files):
        def file(self, file: ArchiveFile, now: datetime) -> ArchivedCandles:
            found = super().file(file, now)
            rejected = [RejectedRow("open time is not a multiple of 1h", "1518168494789,…")]
            return found._replace(page=found.page._replace(rejected=rejected))

    for held in ([], [0, 1, 5]):
        found = pages(Refusing(February=held), Rest())
        assert [len(page.rejected) for page, _ in found if page.rejected] == [1]
        assert sorted(hours_of(found)) == list(range(HOURS))
