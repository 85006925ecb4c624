"""Rows of Binance's answers as our types. Every function raises TypeError, ValueError, KeyError, OverflowError or
DecimalException for a row that is not what the venue documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.candles.validate import fault_of_figure
from include.venues.model import SymbolStatus, Ticker


def time_of(milliseconds: object) -> datetime:
    """UTC time of an integer epoch in milliseconds."""
    if not isinstance(milliseconds, int):
        raise TypeError(f"time stamp {milliseconds!r} is not an integer")
    return EPOCH + timedelta(milliseconds=milliseconds)


def exact(text: object) -> Decimal:
    """The venue's decimal text. A number instead of a text is refused: it may have been rounded on its way."""
    if not isinstance(text, str):
        raise TypeError(f"figure {text!r} is not a text")
    return Decimal(text)


def count(value: object) -> int:
    """An integer, and not a truth value."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"count {value!r} is not an integer")
    return value


def candle(row: Sequence[Any]) -> Candle:
    """A kline row of 12: open time, open, high, low, close, volume, close time, quote volume, trades, taker base and
    quote volume, unused."""
    if len(row) != 12:
        raise ValueError(f"kline row has {len(row)} columns instead of 12")
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


def ticker(row: Mapping[str, Any]) -> Ticker:
    """A FULL 24 h ticker; observed at the end of its rolling window, the moment of its last update."""
    read = Ticker(
        symbol=row["symbol"],
        observed_at=time_of(row["closeTime"]),
        last=exact(row["lastPrice"]),
        bid=exact(row["bidPrice"]),
        ask=exact(row["askPrice"]),
        open_24h=exact(row["openPrice"]),
        high_24h=exact(row["highPrice"]),
        low_24h=exact(row["lowPrice"]),
        base_volume_24h=exact(row["volume"]),
        quote_volume_24h=exact(row["quoteVolume"]),
        change_percent_24h=exact(row["priceChangePercent"]),
        trade_count_24h=count(row["count"]),
    )
    for name, figure in zip(read._fields, read, strict=True):
        if not isinstance(figure, Decimal | int):
            continue
        if reason := fault_of_figure(figure):
            raise ValueError(f"{name} {reason}")
        # A change may be negative, but nothing loses more than all of its value.
        if figure < (-100 if name == "change_percent_24h" else 0):
            raise ValueError(f"{name} {figure} is too low")
    return read


def symbol_status(answer: Mapping[str, Any]) -> SymbolStatus:
    """The one symbol of an exchangeInfo answer."""
    (entry,) = answer["symbols"]
    return SymbolStatus(entry["symbol"], entry["baseAsset"], entry["quoteAsset"], entry["status"])
