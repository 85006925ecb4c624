"""The one in-memory form of a candle, between a venue's parser and the warehouse."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Candle(NamedTuple):
    """One closed candle, named by its open time (UTC). Decimals keep the venue's text exactly.

    Volumes are in base and quote units; what a venue does not publish is None.
    """

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    base_volume: Decimal
    quote_volume: Decimal | None = None
    trade_count: int | None = None
    vwap: Decimal | None = None
    taker_buy_base_volume: Decimal | None = None
    taker_buy_quote_volume: Decimal | None = None


class RejectedRow(NamedTuple):
    """A row of a payload that did not become a candle, for `market.quarantine`: nothing is lost."""

    reason: str
    raw: str
    opened_at: datetime | None = None
