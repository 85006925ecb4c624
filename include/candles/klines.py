"""Klines, the twelve columns in which Binance publishes candles: JSON over REST, CSV in its archive.

The usual form, every figure with 8 decimals, is read as whole columns. Anything else is read row by row, so that a
bad row is kept with its reason and its text. Both ways give the same candles and the same verdicts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from include.candles import kline_columns
from include.candles.batch import CandleBatch, closed, is_sound
from include.candles.model import Candle, RejectedRow
from include.candles.normalise import is_finished
from include.candles.timeframes import EPOCH
from include.candles.validate import raw_text, split_valid

COLUMN_COUNT = 12
LAST_MILLISECONDS = 10**13  # greater times of the archive are microseconds: its spot files from 2025-01-01 on
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_INTEGER = re.compile(r"[0-9]{1,30}")

ReadRows = tuple[list[tuple[Candle, object]], list[RejectedRow]]


@dataclass(frozen=True, slots=True)
class Klines:
    """The rows of one answer or file, in the order they came.

    batch: all of them where they have the usual form, else None. read: the rows one by one, each with its wire text,
    and those that cannot be read.
    """

    batch: CandleBatch | None
    read: Callable[[], ReadRows]

    def newest(self) -> datetime | None:
        """Latest open time (UTC) of all rows, even of one of which only that can be read; None where there is none."""
        if self.batch is not None:
            return EPOCH + timedelta(milliseconds=int(self.batch.opened_ms.max()))
        rows, rejected = self.read()
        opened = [candle.opened_at for candle, _ in rows] + [row.opened_at for row in rejected if row.opened_at]
        return max(opened, default=None)

    def valid(
        self, timeframe: str, start: datetime, end: datetime, now: datetime | None = None
    ) -> tuple[Sequence[Candle], list[RejectedRow]]:
        """Candles that may be stored, ascending and one for each open time, and the rows that may not.

        start, end: half-open window of open times that was asked for. now: candles not closed by then are left out,
        without being refused. A CandleBatch where all rows have the usual form and none is refused.
        """
        if self.batch is not None:
            batch = closed(self.batch, timeframe, now) if now else self.batch
            if is_sound(batch, timeframe, start, end):
                return batch, []
        rows, rejected = self.read()
        if now:
            rows = [pair for pair in rows if is_finished(pair[0].opened_at, timeframe, now)]
        good, refused = split_valid(rows, timeframe, start, end)
        return good, rejected + refused


def parse_kline_json(body: bytes) -> Klines | None:
    """The rows of a JSON answer of the usual form; None for any other, which `klines_of` takes once it is parsed."""
    matrix = kline_columns.of_json(body)
    return None if matrix is None else Klines(CandleBatch(matrix), lambda: _rows_of_json(json.loads(body)))


def klines_of(rows: Iterable[Any]) -> Klines:
    """The rows of a parsed JSON answer, fractions as Decimal."""
    read = _rows_of_json(rows)
    return Klines(None, lambda: read)


def parse_kline_csv(body: bytes) -> Klines:
    """The rows of a CSV file of the archive; a first line that begins with a letter is a header.

    Open times above 10^13 are microseconds, others milliseconds.
    """
    if body[:1].isalpha():
        body = body.partition(b"\n")[2]
    matrix = kline_columns.of_csv(body, LAST_MILLISECONDS)
    if matrix is None:
        read = _rows_of_csv(body)
        return Klines(None, lambda: read)
    return Klines(CandleBatch(matrix), lambda: _rows_of_csv(body))


def candle(row: Sequence[Any]) -> Candle:
    """A kline: open time, open, high, low, close, volume, close time, quote volume, trades, taker base and quote
    volume, unused. Raises TypeError, ValueError, OverflowError or DecimalException for a row that is none."""
    if len(row) != COLUMN_COUNT:
        raise ValueError(f"kline row has {len(row)} columns instead of {COLUMN_COUNT}")
    opened_at, open_, high, low, close, volume, _, quote_volume, trades, taker_base, taker_quote, _ = row
    return Candle(
        opened_at=time_of(opened_at),
        open=exact(open_),
        high=exact(high),
        low=exact(low),
        close=exact(close),
        base_volume=exact(volume),
        quote_volume=exact(quote_volume),
        trade_count=count(trades),
        taker_buy_base_volume=exact(taker_base),
        taker_buy_quote_volume=exact(taker_quote),
    )


def time_of(milliseconds: object) -> datetime:
    """UTC time of an integer epoch in milliseconds."""
    return EPOCH + timedelta(milliseconds=count(milliseconds))


def exact(text: object) -> Decimal:
    """The venue's decimal text. A number instead of a text is refused: it may have been rounded on its way."""
    if not isinstance(text, str):
        raise TypeError(f"figure {text!r} is not a text")
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"figure {text!r} is not a decimal")
    return Decimal(text)


def count(value: object) -> int:
    """An integer, and not a truth value."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"count {value!r} is not an integer")
    return value


def _rows_of_json(rows: Iterable[Any]) -> ReadRows:
    return _read(rows, candle, lambda row: time_of(row[0]))


def _rows_of_csv(body: bytes) -> ReadRows:
    lines = body.decode("utf-8", "replace").split("\n")
    if not lines[-1]:
        lines.pop()  # what follows the last line's end
    return _read(lines, _candle_of_line, lambda line: _time_of_file(line.partition(",")[0]))


def _candle_of_line(line: str) -> Candle:
    row: list[Any] = line.removesuffix("\r").split(",")
    if len(row) == COLUMN_COUNT:
        opened_at = _time_of_file(row[0])
        row[0], row[8] = 0, _integer(row[8])
        return candle(row)._replace(opened_at=opened_at)
    return candle(row)


def _time_of_file(text: str) -> datetime:
    stamp = _integer(text)
    return EPOCH + timedelta(microseconds=stamp) if stamp > LAST_MILLISECONDS else time_of(stamp)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text!r} is not an integer")
    return int(text)


def _read(rows: Iterable[Any], as_candle: Callable[[Any], Candle], time: Callable[[Any], datetime]) -> ReadRows:
    """Each row as a candle beside its wire text, and the unreadable ones, with their open time where that is."""
    read: list[tuple[Candle, object]] = []
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            read.append((as_candle(row), row))
        except (TypeError, ValueError, DecimalException, OverflowError) as error:
            try:
                opened_at = time(row)
            except (TypeError, ValueError, KeyError, IndexError, OverflowError):
                opened_at = None
            rejected.append(RejectedRow(f"row cannot be read: {error!r}", raw_text(row), opened_at))
    return read, rejected
