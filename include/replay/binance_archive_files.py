"""Files of the replayed archive: what they are called, when they appear, and their bytes."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from include.replay import bars as b
from include.replay.bars import Bars, kline_rows

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
_NAME = re.compile(r"(?P<symbol>[A-Z0-9]+)-(?P<interval>[0-9]+[a-z]+)-(?P<month>\d{4}-\d\d)(?P<day>-\d\d)?\.zip")
# Only months have files of these intervals.
_MONTHLY_ONLY = ("3d", "1w", "1mo")
_PUBLISHED_AT = timedelta(hours=10)
# Spot files of data from here on have microseconds.
_MICROSECONDS_FROM = datetime(2025, 1, 1, tzinfo=UTC)


class PublishedFile(NamedTuple):
    """One file of the archive: half-open span of open times, and when it appears (UTC)."""

    name: str
    symbol: str
    interval: str
    start: datetime
    end: datetime
    published_at: datetime

    @property
    def has_microseconds(self) -> bool:
        return self.start >= _MICROSECONDS_FROM


def file_of(key: str) -> PublishedFile | None:
    """The file a key (path without a leading slash) names, None where no file could be called that."""
    named = _NAME.fullmatch(key.rpartition("/")[2])
    if named is None:
        return None
    symbol, interval = named["symbol"], named["interval"]
    try:
        start = datetime.fromisoformat(f"{named['month']}{named['day'] or '-01'}T00:00:00+00:00")
        if named["day"]:
            period, end = "daily", start + timedelta(days=1)
            published_at = end + _PUBLISHED_AT
        else:
            period, end = "monthly", (start + timedelta(days=31)).replace(day=1)
            published_at = end + timedelta(days=-end.weekday() % 7) + _PUBLISHED_AT  # the first Monday
    except (ValueError, OverflowError):
        return None
    if key != f"data/spot/{period}/klines/{symbol}/{interval}/{named[0]}" or (
        named["day"] and interval in _MONTHLY_ONLY
    ):
        return None
    return PublishedFile(named[0], symbol, interval, start, end, published_at)


def zip_of(file: PublishedFile, bars: Bars, header: bool) -> bytes:
    """The zip of one CSV with the bars; the same bytes for the same bars."""
    bars = bars.copy()
    if file.has_microseconds:
        bars[:, b.OPEN_TIME] *= 1000
        bars[:, b.CLOSE_TIME] = bars[:, b.CLOSE_TIME] * 1000 + 999
    lines = [",".join(map(str, row)) for row in kline_rows(bars)]
    text = "\n".join([HEADER, *lines] if header else lines) + "\n"
    member = zipfile.ZipInfo(file.name.replace(".zip", ".csv"), file.published_at.timetuple()[:6])
    member.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, text)
    return packed.getvalue()


def checksum_of(body: bytes, name: str) -> bytes:
    """What stands in a file's `.CHECKSUM`; it ends without a newline."""
    return f"{hashlib.sha256(body).hexdigest()}  {name}".encode()


def etag_of(body: bytes) -> str:
    """The store's ETag of a body."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
