"""Binance's published archive (`data.binance.vision`): candles of a month or of a day as one checked file.

A file is a zip of one CSV in the columns of a kline. Files of data from 2025-01-01 on count in microseconds, earlier
ones in milliseconds. Timeframes are spelt as ours are; only a month's candle, which we do not have, is `1mo` there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar

from include.candles.klines import parse_kline_csv
from include.candles.timeframes import floor, step
from include.venues.answers import read_json
from include.venues.binance_archive_files import VENUE, ArchiveFile, most_bytes, unzipped
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import (
    ChecksumMismatchError,
    CorruptFileError,
    NotPublishedError,
    RequestRejectedError,
    VenueError,
)
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Response, Retry, Transport, fetch, world
from include.venues.model import CandlePage

T = TypeVar("T")

SOURCE = "binance-archive"
LIMITS = CAPABILITIES[VENUE]
NOT_MODIFIED = 304
_CHECKSUM = re.compile(rb"([0-9a-fA-F]{64})(\s.*)?", re.DOTALL)
# The store's own answers for a name it does not have; a page instead comes from a firewall or a wrong address.
_NO_SUCH_FILE = re.compile(rb"<Error>.*<Code>\s*(NoSuchKey|AccessDenied)\s*</Code>", re.DOTALL)


class FileFacts(NamedTuple):
    """What tells one version of a published file from another.

    name: without its folder. start, end: half-open span of open times (UTC), its month or day. sha256: of the zip.
    etag, last_modified: what the store said of it, None where nothing. row_count: candles in it that were not refused.
    is_verified: whether a checksum was published beside it. is_whole: whether it goes on to the end of its span.
    """

    name: str
    start: datetime
    end: datetime
    sha256: str
    etag: str | None
    last_modified: datetime | None
    row_count: int
    is_verified: bool
    is_whole: bool


class ArchivedCandles(NamedTuple):
    """A file's candles, and the file.

    The page ends where the file does, which may be before its month or day does: files have been published too early
    and replaced later. A hole within it is not yet the venue's: `include.collect.archive_pages` asks REST.
    """

    page: CandlePage
    file: FileFacts


class BinanceArchive:
    """Client of one base URL; safe to use from several threads. Give its transport time: files have megabytes."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate

    def month(self, venue_symbol: str, timeframe: str, month: date, now: datetime) -> ArchivedCandles:
        """The candles of a month, named by its first day.

        Raises NotPublishedError (`is_overdue` from the 15th of the next month on), CorruptFileError, another
        VenueError as the host answers, ValueError for a timeframe the archive lacks or a day other than the first.
        """
        return self.file(ArchiveFile.of_month(venue_symbol, timeframe, month), now)

    def month_if_changed(
        self, venue_symbol: str, timeframe: str, month: date, etag: str, now: datetime
    ) -> ArchivedCandles | None:
        """As `month`; None where the file is still the one of that ETag."""
        file = ArchiveFile.of_month(venue_symbol, timeframe, month)
        version = self._download(file, now, {"If-None-Match": etag})
        return None if version.zip.status == NOT_MODIFIED else self._candles(file, version, now)

    def day(self, venue_symbol: str, timeframe: str, day: date, now: datetime) -> ArchivedCandles:
        """The candles of a UTC day; as `month`, overdue from the third day after it on."""
        return self.file(ArchiveFile.of_day(venue_symbol, timeframe, day), now)

    def file(self, file: ArchiveFile, now: datetime) -> ArchivedCandles:
        """The candles of a month's or day's file, as `month` and `day`."""
        return self._candles(file, self._download(file, now), now)

    def _download(self, file: ArchiveFile, now: datetime, headers: dict[str, str] | None = None) -> _Version:
        _require_timeframe(file.timeframe)
        try:
            return self._version(file, now, headers)
        except ChecksumMismatchError:
            # The file may be being replaced: once both are, they agree.
            self._retry.sleep(self._retry.first_wait)
            return self._version(file, now, headers)

    def _version(self, file: ArchiveFile, now: datetime, headers: dict[str, str] | None) -> _Version:
        def read_zip(response: Response) -> Response:
            if response.status != NOT_MODIFIED:
                _require_file(response, file, now)
            return response

        def read_checksum(response: Response) -> bool:
            try:
                _require_file(response, file, now)
            except NotPublishedError:
                return False  # some files never had one
            _verify(response, answer)
            return True

        answer = self._fetch(file.path, read_zip, headers)
        if answer.status == NOT_MODIFIED:
            return _Version(answer, False)
        return _Version(answer, self._fetch(f"{file.path}.CHECKSUM", read_checksum))

    def _fetch(self, path: str, read: Callable[[Response], T], headers: dict[str, str] | None = None) -> T:
        return fetch(VENUE, self._transport, path, None, read, headers=headers, retry=self._retry, gate=self._gate)

    def _candles(self, file: ArchiveFile, version: _Version, now: datetime) -> ArchivedCandles:
        response = version.zip
        body = unzipped(response.body, f"{file.stem}.csv", most_bytes(file))
        end = min(file.end, max(floor(now, file.timeframe), file.start))
        candles, rejected = parse_kline_csv(body).valid(file.timeframe, file.start, file.end, now)
        opened = [row.opened_at for row in rejected if row.opened_at and file.start <= row.opened_at < end]
        if candles:
            opened.append(candles[-1].opened_at)
        until = max(opened) + step(file.timeframe) if opened else file.start
        page = CandlePage(
            candles, rejected, world(response), SOURCE, response.url, response.sha256, file.start, min(until, end)
        )
        facts = FileFacts(
            file.name,
            file.start,
            file.end,
            response.sha256,
            response.headers.get("ETag"),
            _time(response.headers.get("Last-Modified")),
            len(candles),
            version.is_verified,
            page.end == file.end,
        )
        return ArchivedCandles(page, facts)


class _Version(NamedTuple):
    """The answer that holds a zip, or says that it has not changed."""

    zip: Response
    is_verified: bool


def _require_file(response: Response, file: ArchiveFile, now: datetime) -> None:
    """Raise what an answer without a file means."""
    if response.status in (403, 404) and (found := _NO_SUCH_FILE.search(response.body)):
        due = f"due since {file.due_at:%Y-%m-%d}" if now >= file.due_at else f"due by {file.due_at:%Y-%m-%d}"
        message = f"HTTP {response.status} {found[1].decode()} for {response.url}, {due}"
        raise NotPublishedError(VENUE, message, is_overdue=now >= file.due_at)
    if response.status != 200:
        read_json(VENUE, response, _refusal)
        raise RequestRejectedError(VENUE, f"HTTP {response.status} from {response.url} instead of a file")


def _refusal(response: Response, body: Any) -> VenueError:
    return RequestRejectedError(VENUE, f"HTTP {response.status} from {response.url}: {body}")


def _verify(checksum: Response, answer: Response) -> None:
    """Raise where the published checksum is not that of the zip."""
    declared = _CHECKSUM.fullmatch(checksum.body)
    if declared is None:
        raise CorruptFileError(VENUE, f"{checksum.url} is no checksum: {checksum.body[:80]!r}")
    if declared[1].decode().lower() != answer.sha256:
        raise ChecksumMismatchError(
            VENUE, f"{answer.url} has SHA-256 {answer.sha256}, published is {declared[1].decode()}"
        )


def _time(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _require_timeframe(timeframe: str) -> None:
    if timeframe not in LIMITS.timeframes:
        raise ValueError(f"{VENUE} has no timeframe {timeframe!r}; it has {', '.join(LIMITS.timeframes)}")
