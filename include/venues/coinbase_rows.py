"""Rows of Coinbase's answers as our types, for both of its interfaces.

A row that is not what the venue documents raises TypeError, ValueError, KeyError, OverflowError or DecimalException.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, NamedTuple

from include.candles.model import Candle, RejectedRow
from include.candles.timeframes import EPOCH
from include.candles.validate import fault_of_figure, raw_text
from include.venues.model import Listing, Ticker
from include.venues.response import Response

UNREADABLE = (KeyError, TypeError, ValueError, OverflowError, DecimalException)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


class Rows(NamedTuple):
    """Candles of one answer as they came, each with its wire row.

    until: exclusive end of what was asked for. source: the interface that gave them.
    """

    read: list[tuple[Candle, object]]
    rejected: list[RejectedRow]
    until: datetime
    source: str
    response: Response


def read_rows(
    rows: Sequence[Any], parse: Callable[[Any], Candle]
) -> tuple[list[tuple[Candle, object]], list[RejectedRow]]:
    """The rows that `parse` can read, and the others as they came."""
    read: list[tuple[Candle, object]] = []
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            read.append((parse(row), row))
        except UNREADABLE as error:
            rejected.append(RejectedRow(f"row cannot be read: {error!r}", raw_text(row), _opened_at(row)))
    return read, rejected


def exchange_candle(row: Any) -> Candle:
    """A row of Exchange: time (s), LOW, HIGH, open, close, base volume, all numbers; the volume has float noise."""
    if not isinstance(row, list) or len(row) != 6:
        raise ValueError("row is not a list of 6")
    seconds, low, high, open_, close, volume = row
    return Candle(
        opened_at=time_of(seconds),
        open=number(open_),
        high=number(high),
        low=number(low),
        close=number(close),
        base_volume=number(volume),
    )


def advanced_candle(row: Any) -> Candle:
    """An object of Advanced Trade, all of its values texts."""
    if not isinstance(row, dict):
        raise TypeError("row is not an object")
    return Candle(
        opened_at=time_of_text(row["start"]),
        open=exact(row["open"]),
        high=exact(row["high"]),
        low=exact(row["low"]),
        close=exact(row["close"]),
        base_volume=exact(row["volume"]),
    )


def ticker(venue_symbol: str, now: Mapping[str, Any], day: Mapping[str, Any]) -> Ticker:
    """The answers of /ticker (the last trade and the best prices) and /stats (the rolling 24 hours) as one.

    Observed when the last trade was made.
    """
    read = Ticker(
        symbol=venue_symbol,
        observed_at=iso_time(now["time"]),
        last=exact(now["price"]),
        bid=exact(now["bid"]),
        ask=exact(now["ask"]),
        open_24h=exact(day["open"]),
        high_24h=exact(day["high"]),
        low_24h=exact(day["low"]),
        base_volume_24h=exact(day["volume"]),
    )
    for name, figure in zip(read._fields, read, strict=True):
        if not isinstance(figure, Decimal):
            continue
        if reason := fault_of_figure(figure):
            raise ValueError(f"{name} {reason}")
        if figure < 0:
            raise ValueError(f"{name} {figure} is too low")
    return read


def listing(entry: Mapping[str, Any]) -> Listing:
    """One product; it trades while it is online and trading is not disabled."""
    base, quote, name, status = (text(entry[key]) for key in ("base_currency", "quote_currency", "id", "status"))
    return Listing(f"{base}/{quote}", name, status, status == "online" and entry["trading_disabled"] is False)


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is not a text")
    return value


def number(value: object) -> Decimal:
    """A JSON number with the digits of the wire, float noise included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"figure {value!r} is not a number")
    return Decimal(value)


def exact(value: object) -> Decimal:
    """The venue's decimal text."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise TypeError(f"figure {value!r} is not a decimal text")
    return Decimal(value)


def time_of(seconds: object) -> datetime:
    """UTC time of an integer epoch in seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise TypeError(f"time stamp {seconds!r} is not an integer")
    return EPOCH + timedelta(seconds=seconds)


def seconds_of(at: datetime) -> int:
    """Whole seconds since the epoch."""
    return (at - EPOCH) // timedelta(seconds=1)


def time_of_text(seconds: object) -> datetime:
    """UTC time of an epoch in seconds that came as a text."""
    if not isinstance(seconds, str) or not _SECONDS.fullmatch(seconds):
        raise TypeError(f"time stamp {seconds!r} is not a text of digits")
    return time_of(int(seconds))


def iso_time(value: object) -> datetime:
    """A time such as `2014-11-06T10:34:47.123456Z`; one without a time zone is refused."""
    read = datetime.fromisoformat(text(value))
    if read.tzinfo is None:
        raise ValueError(f"time {value!r} has no time zone")
    return EPOCH + (read - EPOCH)


def _opened_at(row: object) -> datetime | None:
    """Open time of a row that cannot be read otherwise, None where that cannot be read either."""
    try:
        if isinstance(row, dict):
            return time_of_text(row.get("start"))
        return time_of(row[0]) if isinstance(row, list) and row else None
    except UNREADABLE:
        return None
