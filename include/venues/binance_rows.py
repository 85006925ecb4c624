"""Tickers and listings of Binance's answers as our types. Every function raises TypeError, ValueError, KeyError,
OverflowError or DecimalException for a row that is not what the venue documents."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.candles.klines import count, exact, time_of
from include.candles.validate import fault_of_figure
from include.venues.model import SymbolStatus, Ticker


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
