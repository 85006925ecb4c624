"""Which tickers are fit to be stored: those of a market that is alive, seen now, with a book that makes sense."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from include.candles.model import RejectedRow
from include.venues.model import Ticker

# A live market's figures are seconds old; a dead one keeps its last ones for ever.
STALE_AFTER = timedelta(minutes=10)
# Clocks differ by seconds; a ticker further ahead has a wrong time.
AHEAD_BY = timedelta(minutes=1)


def fault_of_ticker(ticker: Ticker, now: datetime) -> str | None:
    """Why a ticker seen at `now` cannot be trusted; None where it can. Figures that were not supplied are no fault."""
    if ticker.observed_at < now - STALE_AFTER:
        return "ticker is stale"
    if ticker.observed_at > now + AHEAD_BY:
        return "ticker is of the future"
    if ticker.last <= 0 or ticker.trade_count_24h == 0:
        return "ticker without trades"
    if ticker.bid == 0 or ticker.ask == 0:
        return "ticker without bid or ask"
    if ticker.bid is not None and ticker.ask is not None and ticker.bid > ticker.ask:
        return "bid above ask"
    if ticker.high_24h is not None and ticker.low_24h is not None and ticker.low_24h > ticker.high_24h:
        return "low above high"
    return None


def split_tickers(
    tickers: Iterable[Ticker], wanted: Collection[str], now: datetime
) -> tuple[list[Ticker], list[RejectedRow]]:
    """Tickers that can be stored, one for each symbol, and the refused ones.

    Equal tickers count once; of different ones for a symbol none is taken, since nothing tells which is right.
    """
    seen: dict[str, list[Ticker]] = {}
    for ticker in dict.fromkeys(tickers):
        seen.setdefault(ticker.symbol, []).append(ticker)
    good: list[Ticker] = []
    rejected: list[RejectedRow] = []
    for symbol, versions in seen.items():
        for ticker in versions:
            fault = fault_of_ticker(ticker, now)
            if symbol not in wanted:
                fault = "ticker of a symbol that was not asked for"
            elif len(versions) > 1:
                fault = "different tickers for one symbol"
            if fault:
                rejected.append(RejectedRow(fault, repr(ticker)))
            else:
                good.append(ticker)
    return good, rejected
