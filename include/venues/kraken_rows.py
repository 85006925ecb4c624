"""Rows of Kraken's answers as our types.

Every function raises TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError or DecimalException
for a row that is not what the venue documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.candles.validate import fault_of_figure
from include.venues.model import Ticker

TOKENIZED = "tokenized_asset"
# Two coins have names of Kraken's own.
OUR_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
MOST_DECIMALS = 18
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_NANOSECONDS = re.compile(r"[0-9]{1,19}", re.ASCII)


class Pair(NamedTuple):
    """How a market's figures are printed. `name` is its canonical key in AssetPairs."""

    name: str
    price_decimals: int
    volume_decimals: int


class Trade(NamedTuple):
    """One public trade. `nanoseconds` since the epoch, as precise as a float of seconds is; `trade_id` None in
    recordings older than 2022."""

    nanoseconds: int
    price: Decimal
    volume: Decimal
    trade_id: int | None


def exact(text: object) -> Decimal:
    """The venue's decimal text. A number instead of a text is refused: it may have been rounded on its way."""
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise TypeError(f"figure {text!r} is not a decimal text")
    return Decimal(text)


def whole(value: object) -> int:
    """An integer that is not negative, and not a truth value."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a count or time stamp")
    return value


def time_of(seconds: object) -> datetime:
    """UTC time of an integer epoch in seconds."""
    return EPOCH + timedelta(seconds=whole(seconds))


def of_pair(result: Mapping[str, Any]) -> list[Any]:
    """The list of an answer about one pair: its key is the canonical name, whichever was asked for."""
    (name,) = result.keys() - {"last"}
    rows = result[name]
    if not isinstance(rows, list):
        raise TypeError(f"a list was expected, not {type(rows).__name__}")
    return rows


def ohlc(result: Mapping[str, Any]) -> tuple[list[Any], datetime]:
    """Rows as they come, and the open time of the newest committed candle."""
    return of_pair(result), time_of(result["last"])


def candle(row: Any) -> Candle | None:
    """An OHLC row of 8: time (s), open, high, low, close, VWAP, volume, count. None where nothing was traded.

    Kraken fills an interval without trades with the previous close, a vwap of 0 and a count of 0.
    """
    if not isinstance(row, list) or len(row) != 8:
        raise ValueError("OHLC row is not a list of 8")
    opened, open_, high, low, close, vwap, volume, count = row
    read = Candle(
        opened_at=time_of(opened),
        open=exact(open_),
        high=exact(high),
        low=exact(low),
        close=exact(close),
        base_volume=exact(volume),
        trade_count=whole(count),
        vwap=exact(vwap) or None,
    )
    if read.trade_count == 0:
        if read.base_volume or read.vwap is not None or not read.open == read.high == read.low == read.close:
            raise ValueError("a candle without trades has a volume, a vwap or different prices")
        return None
    return read


def trade(row: Any) -> Trade:
    """A Trades row of 6 or 7: price, volume, time (s, fraction), side, type, misc and, in newer ones, trade id."""
    if not isinstance(row, list) or len(row) not in (6, 7):
        raise ValueError("trade is not a list of 6 or 7")
    read = Trade(nanoseconds_of(row), exact(row[0]), exact(row[1]), whole(row[6]) if len(row) == 7 else None)
    if fault_of_figure(read.price) or fault_of_figure(read.volume) or read.price <= 0 or read.volume < 0:
        raise ValueError("price or volume is out of bounds")
    return read


def nanoseconds_of(row: Any) -> int:
    """The time of a Trades row, which is readable even where the rest may not be."""
    seconds = row[2]
    if not isinstance(seconds, Decimal | int) or isinstance(seconds, bool) or fault_of_figure(seconds):
        raise TypeError(f"time {seconds!r} is not a number of seconds")
    nanoseconds = int(Decimal(seconds).scaleb(9))
    if not 0 <= nanoseconds < 10**19:
        raise ValueError(f"time {seconds} is out of bounds")
    return nanoseconds


def trades(result: Mapping[str, Any]) -> tuple[list[Any], int]:
    """Rows as they come, and where the next request goes on: a text of nanoseconds, more precise than any row."""
    last = result["last"]
    if not isinstance(last, str) or not _NANOSECONDS.fullmatch(last):
        raise TypeError(f"last {last!r} is not a text of nanoseconds")
    return of_pair(result), int(last)


def spot_markets(result: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """Names and entries of AssetPairs by our symbol; dark pools, tokenised stocks and other books are left out."""
    markets: dict[str, list[tuple[str, Any]]] = {}
    for name, entry in result.items():
        symbol = _our_symbol(name, entry.get("wsname"))
        if symbol and entry.get("aclass_base") != TOKENIZED:
            markets.setdefault(symbol, []).append((name, entry))
    return markets


def only_pair(result: Mapping[str, Any]) -> Pair:
    """The one market of an AssetPairs answer."""
    ((name, entry),) = result.items()
    read = Pair(name, whole(entry["pair_decimals"]), whole(entry["lot_decimals"]))
    if max(read.price_decimals, read.volume_decimals) > MOST_DECIMALS:
        raise ValueError(f"{read} has too many decimals")
    return read


def entries(result: Any) -> Mapping[str, Any]:
    """A result that is an object of entries."""
    if not isinstance(result, dict):
        raise TypeError(f"an object was expected, not {type(result).__name__}")
    return result


def ticker(name: str, row: Mapping[str, Any], observed_at: datetime) -> Ticker:
    """A Ticker entry. Of its pairs the second figure covers the last 24 hours, the first the day since midnight.

    Its `o` is today's open and says nothing of the price 24 hours ago: `open_24h` and the change stay unknown.
    """
    read = Ticker(
        symbol=name,
        observed_at=observed_at,
        last=exact(row["c"][0]),
        bid=exact(row["b"][0]),
        ask=exact(row["a"][0]),
        high_24h=exact(row["h"][1]),
        low_24h=exact(row["l"][1]),
        base_volume_24h=exact(row["v"][1]),
        trade_count_24h=whole(row["t"][1]),
    )
    for field, figure in zip(read._fields, read, strict=True):
        if isinstance(figure, Decimal | int) and (fault_of_figure(figure) or figure < 0):
            raise ValueError(f"{field} {figure} is out of bounds")
    return read


def _our_symbol(name: str, wsname: object) -> str | None:
    """`BTC/USD` of the wsname `XBT/USD`; None for what is no spot market of two assets."""
    if name.endswith(".d") or not isinstance(wsname, str) or ":" in name + wsname or wsname.count("/") != 1:
        return None
    base, quote = wsname.split("/")
    return f"{OUR_NAMES.get(base, base)}/{OUR_NAMES.get(quote, quote)}"
