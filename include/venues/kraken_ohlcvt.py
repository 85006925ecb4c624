"""Kraken's downloadable history: OHLCVT files, one for each pair and timeframe, unpacked in a folder.

A file has no header and 7 columns: open time (seconds since the epoch), open, high, low, close, base volume, trades.
There is no vwap, and an interval without trades has no line. Kraken publishes the whole history once and the quarters
since then: those may lie in folders of their own beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import IO, Any, NamedTuple, Protocol

from include.candles.model import Candle, RejectedRow
from include.candles.timeframes import EPOCH, SECONDS, ceil, floor, is_aligned, step
from include.candles.validate import split_valid
from include.venues.errors import NoDataError, OutOfReachError, RequestRejectedError
from include.venues.http import LIVE
from include.venues.kraken_api import UNREADABLE
from include.venues.kraken_errors import VENUE
from include.venues.model import CandlePage

SOURCE = "kraken-ohlcvt"
MINUTES = {name: SECONDS[name] // 60 for name in ("1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d")}
LINES_PER_PAGE = 10_000
LONGEST_LINE = 1000
_OLD_PAIR = re.compile(r"X([A-Z]{3})[XZ]([A-Z]{3})", re.ASCII)
_SECONDS = re.compile(rb"[0-9]{1,11}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


class Folder(Protocol):
    """A `pathlib.Path`, or a path of an object store that behaves like one."""

    @property
    def name(self) -> str: ...
    def joinpath(self, name: str) -> Folder: ...
    def iterdir(self) -> Iterable[Folder]: ...
    def is_dir(self) -> bool: ...
    def exists(self) -> bool: ...
    def open(self, mode: str) -> IO[bytes]: ...


class Line(NamedTuple):
    """A line, the byte of its file it begins with, and the open time in it."""

    begin: int
    raw: bytes
    opened_at: datetime


class KrakenOhlcvt:
    """The files below `folder`: its own and those of the folders in it. `world` is what they are data of."""

    def __init__(self, folder: Any, world: str = LIVE, lines_per_page: int = LINES_PER_PAGE) -> None:
        self._folder: Folder = folder
        self._world = world
        self._lines_per_page = lines_per_page

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the oldest line of all files; NoDataError where there is none that is closed at `now`."""
        _require_timeframe(timeframe)
        editions = self._editions(venue_symbol, timeframe)
        if not editions or editions[0][0] + step(timeframe) > now:
            raise NoDataError(VENUE, f"no {timeframe} candle of {venue_symbol} in {self._folder}")
        return editions[0][0]

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Closed candles that open in [start, end), some thousand lines at a time, oldest first.

        A file speaks for the time from its first line to its last: an interval between them without a line had no
        trades. A page's `request` names file and bytes, its hash is that of those bytes. Raises OutOfReachError after
        all pages there are, for what no file speaks of, and RequestRejectedError for a file that is no such file.
        """
        _require_timeframe(timeframe)
        cursor, stop = ceil(start, timeframe), min(ceil(end, timeframe), floor(now, timeframe))
        if cursor >= stop:
            return
        missing: list[str] = []
        for first, file in self._editions(venue_symbol, timeframe):
            if first > cursor:
                begin = min(ceil(first, timeframe), stop)
                missing.append(f"{cursor} to {begin}")
                cursor = begin
            if cursor == stop:
                break
            for page in self._pages(file, timeframe, cursor, stop):
                yield page
                cursor = page.end
        if cursor < stop:
            missing.append(f"{cursor} to {stop}")
        if missing:
            raise OutOfReachError(VENUE, f"no file of {venue_symbol} in {self._folder} has {', '.join(missing)}")

    def _editions(self, venue_symbol: str, timeframe: str) -> list[tuple[datetime, Folder]]:
        """Files of the series with their first open times, oldest first."""
        name = f"{file_symbol(venue_symbol)}_{MINUTES[timeframe]}.csv"
        if not self._folder.exists():
            return []
        folders = [self._folder, *sorted((f for f in self._folder.iterdir() if f.is_dir()), key=lambda f: f.name)]
        files = [file for folder in folders if (file := folder.joinpath(name)).exists()]
        found = [(first.opened_at, file) for file in files if (first := next(_lines(file), None))]
        return sorted(found, key=lambda each: each[0])

    def _pages(self, file: Folder, timeframe: str, cursor: datetime, stop: datetime) -> Iterator[CandlePage]:
        """What the file has of [cursor, stop)."""
        before: list[Line] = []  # the last line before the page
        held: list[Line] = []
        for line in _lines(file):
            newest = held[-1].opened_at if held else EPOCH
            is_full = len(held) >= self._lines_per_page and line.opened_at > newest
            if line.opened_at < cursor:
                before = [line]
            elif line.opened_at >= stop:
                yield self._page(file, timeframe, cursor, stop, [*before, *held, line])
                return
            elif is_full and is_aligned(line.opened_at, timeframe):
                yield self._page(file, timeframe, cursor, line.opened_at, [*before, *held, line])
                cursor, before, held = line.opened_at, held[-1:], [line]
            else:
                held.append(line)
        lines = before + held
        until = ceil(lines[-1].opened_at + timedelta(seconds=1), timeframe)
        if cursor < until:
            yield self._page(file, timeframe, cursor, until, lines)

    def _page(self, file: Folder, timeframe: str, start: datetime, until: datetime, lines: list[Line]) -> CandlePage:
        """The lines that open in [start, until), with the one before and the one after as evidence."""
        parsed: list[tuple[Candle, object]] = []
        rejected: list[RejectedRow] = []
        for line in lines:
            if not start <= line.opened_at < until:
                continue
            text = line.raw.decode("utf-8", "replace").rstrip("\r\n")
            try:
                if candle := read_line(text, line.opened_at):
                    parsed.append((candle, text))
            except UNREADABLE as error:
                rejected.append(RejectedRow(f"line cannot be read: {error!r}", text, line.opened_at))
        good, refused = split_valid(parsed, timeframe, start, until)
        content = b"".join(line.raw for line in lines)
        request = f"{file}#bytes={lines[0].begin}-{lines[0].begin + len(content) - 1}"
        digest = hashlib.sha256(content).hexdigest()
        return CandlePage(good, rejected + refused, self._world, SOURCE, request, digest, start, until)


def file_symbol(venue_symbol: str) -> str:
    """The name files have: `XBTUSD` for the canonical `XXBTZUSD`. Only old pairs have letters in front."""
    old = _OLD_PAIR.fullmatch(venue_symbol)
    return "".join(old.groups()) if old else venue_symbol


def read_line(text: str, opened_at: datetime) -> Candle | None:
    """The candle of a line; None where nothing was traded. Raises ValueError for what is no line of an OHLCVT file."""
    columns = text.split(",")
    if len(columns) != 7:
        raise ValueError(f"line has {len(columns)} columns instead of 7")
    if not all(map(_DECIMAL.fullmatch, columns[1:6])) or not _COUNT.fullmatch(columns[6]):
        raise ValueError("a figure is not a decimal text")
    open_, high, low, close, volume = map(Decimal, columns[1:6])
    trade_count = int(columns[6])
    if trade_count == 0:
        if volume or not open_ == high == low == close:
            raise ValueError("a candle without trades has a volume or different prices")
        return None
    return Candle(opened_at, open_, high, low, close, volume, trade_count=trade_count)


def _lines(file: Folder) -> Iterator[Line]:
    """Lines with a time, none earlier than the one before it; RequestRejectedError where that does not hold."""
    begin, newest = 0, EPOCH
    with file.open("rb") as stream:
        while raw := stream.readline(LONGEST_LINE):
            seconds = raw.split(b",", 1)[0]
            if not _SECONDS.fullmatch(seconds) or (len(raw) == LONGEST_LINE and not raw.endswith(b"\n")):
                raise RequestRejectedError(VENUE, f"{file} is no OHLCVT file: byte {begin}: {raw[:100]!r}")
            opened_at = EPOCH + timedelta(seconds=int(seconds))
            if opened_at < newest:
                raise RequestRejectedError(VENUE, f"{file} is not in the order of time: byte {begin}: {raw[:100]!r}")
            yield Line(begin, raw, opened_at)
            begin, newest = begin + len(raw), opened_at


def _require_timeframe(timeframe: str) -> None:
    if timeframe not in MINUTES:
        raise ValueError(f"{SOURCE} has no timeframe {timeframe!r}; it has {', '.join(MINUTES)}")
