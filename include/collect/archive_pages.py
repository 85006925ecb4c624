"""Candles of a stretch out of published files, with REST for whatever the files do not hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from include.candles.batch import CandleBatch
from include.candles.model import Candle
from include.candles.timeframes import EPOCH, step
from include.collect.sources import Segment
from include.venues.binance_archive import LIMITS, ArchivedCandles, FileFacts
from include.venues.binance_archive_files import ArchiveFile
from include.venues.errors import CorruptFileError, NotPublishedError
from include.venues.in_flight import in_order
from include.venues.model import CandlePage

_MILLISECOND = timedelta(milliseconds=1)

_log = logging.getLogger(__name__)


class Archive(Protocol):
    """What is needed of `BinanceArchive`."""

    def file(self, file: ArchiveFile, now: datetime) -> ArchivedCandles: ...


class Rest(Protocol):
    """What is needed of a venue's client."""

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]: ...


class SourcedPage(NamedTuple):
    """A page; with the last one of a file also the file, to be recorded once its pages are stored."""

    page: CandlePage
    file: FileFacts | None = None


def archive_pages(archive: Archive, rest: Rest, segment: Segment, now: datetime) -> Iterator[SourcedPage]:
    """Pages that together speak for all of the segment, file by file in order; a few files are fetched ahead.

    Files have lacked hours that REST has, ended too early, and held two days of candles off the hour. So a file's page
    is followed by REST's of each of its holes, refused rows included; a file that is not there or is corrupt is
    replaced by REST's. Raises a VenueError where the host is the problem rather than a file.
    """

    def ask(file: ArchiveFile) -> ArchivedCandles | None:
        try:
            return archive.file(file, now)
        except (NotPublishedError, CorruptFileError) as error:
            _log.warning("%s is taken from REST: %s", file.name, error)
            return None

    for file, found in zip(segment.files, in_order(ask, segment.files, LIMITS.concurrency), strict=True):
        start, end = max(file.start, segment.start), min(file.end, segment.end)
        if found is None:
            yield from map(SourcedPage, _from_rest(rest, file, start, end, now))
        else:
            yield from _with_file(_spoken(rest, file, found.page, start, end, now), found.file)


def _spoken(
    rest: Rest, file: ArchiveFile, page: CandlePage, start: datetime, end: datetime, now: datetime
) -> Iterator[CandlePage]:
    """The file's page within [start, end), then REST's pages of its holes."""
    opened_ms = _opened_ms(page.candles)
    first, last = np.searchsorted(opened_ms, [(at - EPOCH) // _MILLISECOND for at in (start, end)])
    until = min(max(page.end, start), end)
    if start < until or page.rejected:
        yield page._replace(candles=page.candles[first:last], start=start, end=until)
    for hole_start, hole_end in _holes(opened_ms[first:last], file.timeframe, start, end):
        yield from _from_rest(rest, file, hole_start, hole_end, now)


def _opened_ms(candles: Sequence[Candle]) -> NDArray[np.int64]:
    if isinstance(candles, CandleBatch):
        return candles.opened_ms
    return np.array([(candle.opened_at - EPOCH) // _MILLISECOND for candle in candles], np.int64)


def _holes(
    opened_ms: NDArray[np.int64], timeframe: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Half-open stretches of [start, end) in which none of the ascending candles opens."""
    length = step(timeframe) // _MILLISECOND
    edges = [(at - EPOCH) // _MILLISECOND for at in (start, end)]
    closes = np.concatenate(([edges[0]], opened_ms + length))
    opens = np.concatenate((opened_ms, [edges[1]]))
    for hole in np.flatnonzero(closes < opens):
        yield EPOCH + int(closes[hole]) * _MILLISECOND, EPOCH + int(opens[hole]) * _MILLISECOND


def _with_file(pages: Iterator[CandlePage], file: FileFacts) -> Iterator[SourcedPage]:
    """The pages, the last one with the file."""
    waiting: CandlePage | None = None
    for page in pages:
        if waiting:
            yield SourcedPage(waiting)
        waiting = page
    if waiting:
        yield SourcedPage(waiting, file)


def _from_rest(rest: Rest, file: ArchiveFile, start: datetime, end: datetime, now: datetime) -> Iterator[CandlePage]:
    if start < end:
        yield from rest.candles(file.venue_symbol, file.timeframe, start, end, now)
