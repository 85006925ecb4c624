"""Binance's published archive over a world: zips of a month's or a day's candles, from the day they appear on.

Files hold the same bars as the REST twin's answers and have always the same bytes. What real files have been wrong
with comes on demand (`ArchiveQuirks`).
"""

from __future__ import annotations

import hashlib
from email.utils import format_datetime

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay import bars as b
from include.replay.answers import not_served
from include.replay.bars import Bars
from include.replay.binance_archive_files import PublishedFile, checksum_of, etag_of, file_of, zip_of
from include.replay.binance_archive_quirks import ArchiveQuirks
from include.replay.clock import ReplayClock
from include.replay.errors import NotServedError
from include.replay.world import Book

CHECKSUM = ".CHECKSUM"
# Intervals of the real archive that no world has.
_NOT_SERVED = ("1s", "3d", "1w", "1mo")
_MISSING_ROWS = 10
_FILES_KEPT = 8
_NO_SUCH_KEY = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>{key}</Key>\
<RequestId>REPLAY0000000000</RequestId><HostId>replay</HostId></Error>"""


class BinanceArchive:
    """Routes below `/binance_archive`; `book` is Binance's."""

    def __init__(self, book: Book, clock: ReplayClock, quirks: ArchiveQuirks | None = None) -> None:
        self._book = book
        self._clock = clock
        self._quirks = quirks or ArchiveQuirks()
        self._kept: dict[tuple[str, bool, bytes], bytes] = {}

    def routes(self) -> list[Route]:
        return [Route("/{key:path}", self._answer, methods=["GET"])]

    async def _answer(self, request: Request) -> Response:
        key: str = request.path_params["key"]
        try:
            response = self._file(key)
        except NotServedError as error:
            return not_served(str(error))
        if response is None:
            return Response(_NO_SUCH_KEY.format(key=key), 404, media_type="application/xml")
        if request.headers.get("If-None-Match") == response.headers["ETag"]:
            unchanged = {name: response.headers[name] for name in ("ETag", "Last-Modified")}
            return Response(status_code=304, headers=unchanged)
        return response

    def _file(self, key: str) -> Response | None:
        """The file of that key, None where there is none (yet). Raises NotServedError for what no world has."""
        file = file_of(key.removesuffix(CHECKSUM))
        if file is None or file.symbol not in self._book.markets:
            return None
        if file.interval in _NOT_SERVED:
            raise NotServedError(f"interval {file.interval}")
        now = self._clock.now()
        kinds, healed_at = self._quirks.of(file.name, now)
        if file.interval not in b.STEP_MS or now < file.published_at or "unpublished" in kinds:
            return None
        bars = self._bars(file, kinds)
        if not len(bars) or (key.endswith(CHECKSUM) and "missing_checksum" in kinds):
            return None
        body = self._zip(file, bars, "header_line" in kinds)
        if "corrupt" in kinds:
            middle = len(body) // 2
            body = body[:middle] + bytes(8) + body[middle + 8 :]
        media_type = "application/zip"
        if key.endswith(CHECKSUM):
            body = checksum_of(body + b"\n" if "wrong_checksum" in kinds else body, file.name)
            media_type = "binary/octet-stream"
        modified_at = max(file.published_at, healed_at or file.published_at)
        headers = {"ETag": etag_of(body), "Last-Modified": format_datetime(modified_at, usegmt=True)}
        return Response(body, headers=headers, media_type=media_type)

    def _bars(self, file: PublishedFile, kinds: frozenset[str]) -> Bars:
        start_ms, end_ms = (int(at.timestamp() * 1000) for at in (file.start, file.end))
        most = (end_ms - start_ms) // b.STEP_MS[file.interval]
        bars = self._book.closed(file.symbol, file.interval, start_ms, end_ms, most, False)
        if "truncated_month" in kinds:
            bars = bars[: len(bars) // 3]
        if "short_day" in kinds:
            middle = len(bars) // 2
            bars = np.delete(bars, slice(middle, middle + _MISSING_ROWS), axis=0)
        return bars

    def _zip(self, file: PublishedFile, bars: Bars, header: bool) -> bytes:
        """The zip; the last few are kept, since each is asked for with its checksum."""
        version = (file.name, header, hashlib.sha256(bars.tobytes()).digest())
        if version not in self._kept:
            while len(self._kept) >= _FILES_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[version] = zip_of(file, bars, header)
        return self._kept[version]
