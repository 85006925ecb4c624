"""Markets, coins and timeframes this installation follows: the one typed settings file.

A market is one instrument on one venue (`binance` `BTC/USDT`). Another pair is one more line in `MARKETS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


class UnknownMarketError(ValueError):
    """A market was named that is not configured."""


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument on one venue.

    venue: our lower-case name of the exchange, which is also its Airflow connection id.
    symbol: `BASE/QUOTE` in our spelling; USD, USDT and USDC are different quotes.
    venue_symbol: the venue's own name, e.g. `BTCUSDT`.
    listed_at: first open time (UTC) the venue is known to have; asking for earlier is an error of the caller.
    """

    venue: str
    symbol: str
    venue_symbol: str
    listed_at: datetime

    @property
    def base(self) -> str:
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.split("/")[1]

    @property
    def key(self) -> str:
        """`binance:BTC/USDT`, how a person names a market on a command line or in a DAG param."""
        return f"{self.venue}:{self.symbol}"


# Names and listing times are where a new warehouse begins; the venue's own listing, asked once a day, overrules them.
MARKETS: tuple[Market, ...] = (
    Market("binance", "BTC/USDT", "BTCUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC)),
    Market("binance", "ETH/USDT", "ETHUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC)),
    Market("binance", "BNB/USDT", "BNBUSDT", datetime(2017, 11, 6, 3, tzinfo=UTC)),
    Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC)),
    Market("kraken", "ETH/USD", "XETHZUSD", datetime(2015, 8, 7, 14, tzinfo=UTC)),
    Market("kraken", "BNB/USD", "BNBUSD", datetime(2025, 4, 22, tzinfo=UTC)),
    Market("coinbase", "BTC/USD", "BTC-USD", datetime(2015, 7, 20, tzinfo=UTC)),
    Market("coinbase", "ETH/USD", "ETH-USD", datetime(2016, 5, 18, tzinfo=UTC)),
    Market("coinbase", "BNB/USD", "BNB-USD", datetime(2025, 10, 22, tzinfo=UTC)),
)

# Exchanges, each with an Airflow connection and a pool of its name.
VENUES: tuple[str, ...] = tuple(dict.fromkeys(market.venue for market in MARKETS))

# Markets that are forecast: the quote with most volume.
FORECAST_MARKETS: tuple[Market, ...] = tuple(market for market in MARKETS if market.venue == "binance")

# CoinGecko's ids, keyed by our coin; symbols are not unique there, so ids are pinned.
COINGECKO_IDS: dict[str, str] = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "BNB": "binancecoin",
    "SOL": "solana",
    "XRP": "ripple",
}

# Timeframes collected for every market.
TIMEFRAMES: tuple[str, ...] = ("1h", "1d")

# Largest share of a run's rows that may be rejected and quarantined with a mere warning; above it the run fails.
MOST_REJECTED_SHARE = 0.05

# The timeframe forecasts are made on, and the horizons in bars of it.
FORECAST_TIMEFRAME = "1h"
FORECAST_HORIZONS: tuple[int, ...] = (1, 24)


def market_keys(venue: str) -> list[str]:
    """Keys of the venue's configured markets."""
    return [market.key for market in MARKETS if market.venue == venue]


def market_by_key(key: str) -> Market:
    """The configured market named `venue:BASE/QUOTE`; a bare `BASE/QUOTE` is enough where only one venue has it.

    Raises UnknownMarketError naming the configured ones.
    """
    found = [m for m in MARKETS if key in (m.key, m.symbol)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(m.key for m in MARKETS)
    problem = "is ambiguous" if found else "is not configured"
    raise UnknownMarketError(f"market {key!r} {problem}; configured: {known} (include/config/markets.py)")
