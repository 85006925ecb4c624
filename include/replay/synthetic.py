"""The synthetic world: seeded random walks that anybody can have, without any recorded data.

The log price is a martingale with fat tails, a market-wide factor and volatility regimes: nothing in it can be
forecast, so a model that shows skill here is leaking. Every number follows from (seed, symbol, hour) alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from include.replay import bars as b
from include.replay.bars import Precision
from include.replay.errors import ReplayError
from include.replay.synthetic_book import SyntheticBook
from include.replay.synthetic_hours import HourlyWalk, Profile
from include.replay.synthetic_minutes import MinutePaths
from include.replay.synthetic_venues import tied_book
from include.replay.world import DAY_MS, HOUR_MS, Book, CoinDay, ReplayMarket, SentimentDay

PROFILES: dict[str, Profile] = {
    "BTCUSDT": Profile("BTC", 20_500.0, Precision(10**6, 10**3), 0.0045, 1_700.0, 0.012),
    "ETHUSDT": Profile("ETH", 1_580.0, Precision(10**6, 10**4), 0.0058, 16_000.0, 0.15),
    "BNBUSDT": Profile("BNB", 325.0, Precision(10**6, 10**5), 0.0050, 9_000.0, 0.4),
    "SOLUSDT": Profile("SOL", 32.5, Precision(10**6, 10**5), 0.0085, 95_000.0, 6.0),
    "XRPUSDT": Profile("XRP", 0.46, Precision(10**4, 10**7), 0.0066, 9_500_000.0, 260.0),
}


class SyntheticWorld(SyntheticBook):
    """Random walks from `genesis` (a UTC midnight) on, without end and without holes."""

    name = "synthetic"
    ends_at = None

    def __init__(self, seed: int, genesis: datetime) -> None:
        genesis_ms = int(genesis.astimezone(UTC).timestamp() * 1000)
        if genesis_ms % DAY_MS:
            raise ReplayError(f"a synthetic world begins at a UTC midnight, not at {genesis.isoformat()}")
        self._seed = seed
        self._walks = {s: HourlyWalk(seed, s, p, genesis_ms) for s, p in PROFILES.items()}
        self._books: dict[str, Book] = {}
        super().__init__(
            genesis_ms,
            {s: ReplayMarket(s, p.base, "USDT", p.precision) for s, p in PROFILES.items()},
            self._walks,
            {s: MinutePaths(seed, s, p.precision) for s, p in PROFILES.items()},
        )

    @property
    def identity(self) -> str:
        return f"synthetic seed {self._seed} from {datetime.fromtimestamp(self._genesis_ms / 1000, UTC).date()}"

    def book(self, venue: str) -> Book:
        if venue == "binance":
            return self
        if venue not in self._books:
            self._books[venue] = tied_book(self._seed, venue, self._genesis_ms, self._walks, PROFILES)
        return self._books[venue]

    def sentiment(self, until_ms: int) -> list[SentimentDay]:
        """An index that follows the market factor's last 30 days, known at each midnight."""
        until = until_ms - until_ms % DAY_MS
        if until < self._genesis_ms:
            return []
        closes = self._walks["BTCUSDT"].between(self._genesis_ms, until)[23::24, b.CLOSE].astype(float)
        prices = np.r_[self._walks["BTCUSDT"].between(self._genesis_ms, self._genesis_ms + HOUR_MS)[0, b.OPEN], closes]
        days = np.arange(len(prices))
        trend = np.log(prices / prices[np.maximum(days - 30, 0)])
        noise = (self._genesis_ms // DAY_MS + days) * 7919 % 13 - 6
        values = np.clip(np.rint(50 + 40 * np.tanh(trend / 0.2) + noise), 5, 95).astype(int)
        return [
            SentimentDay(self._genesis_ms + int(day) * DAY_MS, int(value), classification(int(value)))
            for day, value in zip(days, values, strict=True)
        ]

    def coin_days(self, coin: str) -> list[CoinDay]:
        return []


def classification(value: int) -> str:
    """alternative.me's label for an index value, by the bands seen in all recorded data."""
    bands = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"))
    return next((label for upper, label in bands if value <= upper), "Extreme Greed")
