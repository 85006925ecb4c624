"""What the venues' modules hand on: typed observations, exact decimals, UTC. None means "not supplied"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, NamedTuple, Protocol, TypeVar

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


class Listing(NamedTuple):
    """A market as the venue itself lists it. `symbol` is ours (`BTC/USDT`), `venue_symbol` the venue's own name.

    status: the venue's own word. is_trading: whether candles go on being made; false for any status we do not know.
    """

    symbol: str
    venue_symbol: str
    status: str
    is_trading: bool


class CandlePage(NamedTuple):
    """What one answer says about the open times in [start, end): closed, valid candles, ascending, and refused rows.

    start, end: half-open and aligned; the answer is complete for it, so that an open time without a candle or refused
    row is one the venue does not have. `end` is never after the newest closed candle. A page without candles is
    evidence too. source: what was asked, e.g. `binance-rest`, `binance-archive`. request: its URL or file.
    response_sha256: hash of the body or file (hex).
    """

    candles: Sequence[Candle]
    rejected: list[RejectedRow]
    world: str
    source: str
    request: str
    response_sha256: str
    start: datetime
    end: datetime


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


class MarketVenue(Protocol):
    """An exchange as the collectors use it; each module of `include.venues` that has candles is one.

    Every method raises a VenueError of `include.venues.errors`.
    """

    def listing(self, symbol: str) -> Listing:
        """The market `BASE/QUOTE` as the venue lists it now; UnknownSymbolError where it does not."""
        ...

    def first_open(self, venue_symbol: str, timeframe: str, now: datetime) -> datetime:
        """Open time of the oldest candle the venue can be asked for; NoDataError where there is none."""
        ...

    def candles(
        self, venue_symbol: str, timeframe: str, start: datetime, end: datetime, now: datetime
    ) -> Iterator[CandlePage]:
        """Candles that open in [start, end) and are closed at `now`, page by page, oldest first; none is invented.

        OutOfReachError for a window that begins before what the venue keeps.
        """
        ...

    def tickers(self, venue_symbols: Sequence[str], now: datetime) -> Observations[Ticker]:
        """Rolling 24 h tickers; stale and dead ones are refused, NoDataError where none is left."""
        ...
