"""What the venues' modules hand on: typed observations, exact decimals, UTC. None means "not supplied"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from include.candles.model import Candle, RejectedRow


class Ticker(NamedTuple):
    """A spot snapshot. `symbol` is the venue's own name; the 24 h figures cover the rolling day before `observed_at`.

    Prices are in the quote, volumes in what their names say; `change_percent_24h` is in percent (-0.56 is -0.56 %).
    """

    symbol: str
    observed_at: datetime
    last: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
    open_24h: Decimal | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    base_volume_24h: Decimal | None = None
    quote_volume_24h: Decimal | None = None
    change_percent_24h: Decimal | None = None
    trade_count_24h: int | None = None


class CoinSnapshot(NamedTuple):
    """A coin across all exchanges, as an aggregator sees it. `coin` is the source's id (`bitcoin`).

    `volume_24h_usd` is a trailing day at that instant, not a bucket: never sum it.
    """

    coin: str
    observed_at: datetime
    price_usd: Decimal
    market_cap_usd: Decimal | None = None
    volume_24h_usd: Decimal | None = None
    circulating_supply: Decimal | None = None
    rank: int | None = None


class FearGreed(NamedTuple):
    """The Fear & Greed index of one UTC day, 0 to 100. `published_at`: from when on it may be taken as known."""

    day: date
    value: int
    classification: str
    published_at: datetime


class SymbolStatus(NamedTuple):
    """A listed symbol; whatever status is not TRADING, known or new, means that it does not trade."""

    symbol: str
    base: str
    quote: str
    status: str

    @property
    def is_trading(self) -> bool:
        return self.status == "TRADING"


class CandlePage(NamedTuple):
    """One answer of a candle endpoint: closed, valid candles in ascending order, and the rows that were refused.

    A page without candles is evidence too: `request` (URL) was asked, and the venue had nothing.
    """

    candles: list[Candle]
    rejected: list[RejectedRow]
    world: str
    request: str


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observations(Generic[T]):
    """Rows of one answer, iterable and sized, with the world and the request (URL) they come from."""

    rows: list[T]
    world: str
    request: str
    rejected: list[RejectedRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
