"""Candles of a stretch out of published files, with REST for whatever the files do not hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

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
    """Pages that together speak for all of the segment, oldest first; a few files are fetched ahead.

    A file is taken at its word only where it has a candle: files have lacked hours that REST has, ended too early, and
    held two days of candles off the hour. For every hole of a file, and for a file that is not there or is corrupt,
    REST is asked. Raises a VenueError where the host is the problem rather than a file.
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
    """The file's page in the stretches where it has every candle, and REST's pages in between."""
    if page.rejected:
        yield page._replace(candles=page.candles[:0], start=start, end=start)
    cursor = start
    for run_start, run_end, candles in _runs(page.candles, file.timeframe, start, end):
        yield from _from_rest(rest, file, cursor, run_start, now)
        yield page._replace(candles=candles, rejected=[], start=run_start, end=run_end)
        cursor = run_end
    yield from _from_rest(rest, file, cursor, end, now)


def _runs(
    candles: Sequence[Candle], timeframe: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, Sequence[Candle]]]:
    """Stretches of [start, end) without a hole, each with its candles."""
    if isinstance(candles, CandleBatch):
        opened_ms = candles.opened_ms
    else:
        opened_ms = np.array([(candle.opened_at - EPOCH) // _MILLISECOND for candle in candles], np.int64)
    length = step(timeframe)
    first, last = np.searchsorted(opened_ms, [(at - EPOCH) // _MILLISECOND for at in (start, end)])
    breaks = np.flatnonzero(np.diff(opened_ms[first:last]) != length // _MILLISECOND) + 1
    edges = [int(first), *(int(first + each) for each in breaks), int(last)]
    for begin, stop in pairwise(edges):
        if begin < stop:
            opens = EPOCH + int(opened_ms[begin]) * _MILLISECOND
            yield opens, opens + (stop - begin) * length, candles[begin:stop]


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
