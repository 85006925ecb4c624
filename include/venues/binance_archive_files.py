"""Files of Binance's published archive: their names, when they are due, and what is in them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from include.candles.timeframes import expected_count
from include.venues.errors import CorruptFileError

VENUE = "binance_archive"
MONTH_IS_DUE_AFTER = timedelta(days=14)  # the 15th of the next month; the venue says the first Monday and is often late
_DAY_IS_DUE_AFTER = timedelta(days=2)  # of the next midnight; the venue says the next day, seen at about 08:30 UTC
_LONGEST_ROW = 512  # bytes; recorded ones have 157 to 171
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One published file. start, end: half-open span of open times (UTC). due_at: from then on its absence is a fault.

    stem: name without folder and extension. period: its folder, `monthly` or `daily`.
    """

    venue_symbol: str
    timeframe: str
    period: str
    stem: str
    start: datetime
    end: datetime
    due_at: datetime

    @classmethod
    def of_month(cls, venue_symbol: str, timeframe: str, month: date) -> ArchiveFile:
        """The file of a month, named by its first day; ValueError for another day."""
        if month.day != 1:
            raise ValueError(f"a month is named by its first day, not {month}")
        start, end = midnight(month), midnight(following_month(month))
        stem = f"{venue_symbol}-{timeframe}-{month:%Y-%m}"
        return cls(venue_symbol, timeframe, "monthly", stem, start, end, end + MONTH_IS_DUE_AFTER)

    @classmethod
    def of_day(cls, venue_symbol: str, timeframe: str, day: date) -> ArchiveFile:
        """The file of a UTC day."""
        start = midnight(day)
        end = start + timedelta(days=1)
        stem = f"{venue_symbol}-{timeframe}-{day:%Y-%m-%d}"
        return cls(venue_symbol, timeframe, "daily", stem, start, end, end + _DAY_IS_DUE_AFTER)

    @property
    def name(self) -> str:
        return f"{self.stem}.zip"

    @property
    def path(self) -> str:
        """Below the host's root; the checksum has the same with `.CHECKSUM` behind it."""
        return f"/data/spot/{self.period}/klines/{self.venue_symbol}/{self.timeframe}/{self.name}"


def midnight(day: date) -> datetime:
    """Start of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def following_month(month: date) -> date:
    """First day of the month after the one of that day."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def most_bytes(file: ArchiveFile) -> int:
    """Size no honest file unpacked exceeds: a row for each candle, and a header."""
    return (expected_count(file.start, file.end, file.timeframe) + 1) * _LONGEST_ROW


def unzipped(body: bytes, member: str, most: int) -> bytes:
    """The one file `member` in a zip; its own check sums are verified.

    Raises CorruptFileError for anything else: no zip, other or more members, one longer than `most` bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if [entry.filename for entry in entries] != [member]:
                names = ", ".join(repr(entry.filename[:80]) for entry in entries[:3])
                raise CorruptFileError(VENUE, f"{member} is not the one file in its zip: {names or 'nothing'}")
            if entries[0].compress_type not in _READABLE:
                raise CorruptFileError(VENUE, f"{member} is compressed in an unusual way ({entries[0].compress_type})")
            with archive.open(entries[0]) as packed:
                # Sizes in a zip are claims: it is read no further than an honest file goes.
                content = packed.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise CorruptFileError(VENUE, f"{member} cannot be unpacked: {error!r}") from error
    if len(content) > most:
        raise CorruptFileError(VENUE, f"{member} unpacks to more than {most} bytes")
    return content
