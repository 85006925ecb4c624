"""CoinGecko's figures for a coin, derived from the world's USDT market and from recorded daily values."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.world import DAY_MS, HOUR_MS, CoinDay, World, forming, klines, rolling_day


@dataclass(frozen=True, slots=True)
class CoinProfile:
    """A coin by CoinGecko's id; supplies in coins, None where CoinGecko gives none."""

    id: str
    symbol: str
    name: str
    market: str
    supply: float
    max_supply: float | None


PROFILES = (
    CoinProfile("bitcoin", "btc", "Bitcoin", "BTCUSDT", 19_815_000.0, 21_000_000.0),
    CoinProfile("ethereum", "eth", "Ethereum", "ETHUSDT", 120_490_000.0, None),
    CoinProfile("binancecoin", "bnb", "BNB", "BNBUSDT", 145_887_575.0, 200_000_000.0),
    CoinProfile("ripple", "xrp", "XRP", "XRPUSDT", 57_700_000_000.0, 100_000_000_000.0),
    CoinProfile("solana", "sol", "Solana", "SOLUSDT", 487_000_000.0, None),
)
# Of all venues' volume, how much Binance's USDT market is taken to have.
_SHARE_OF_VOLUME = 0.15


class Sample(NamedTuple):
    """A coin at one instant, in USD."""

    at_ms: int
    price: float
    market_cap: float
    volume_24h: float


class Coin:
    """One coin of a world."""

    def __init__(self, world: World, profile: CoinProfile) -> None:
        self._world = world
        self.profile = profile

    def at(self, at_ms: int) -> Sample | None:
        """The figures at one instant; None before the coin was traded."""
        day = rolling_day(self._world, self.profile.market, at_ms)
        if not len(day):
            return None
        price = int(day[0, b.CLOSE]) / b.UNIT
        return Sample(at_ms, price, price * self.supply(at_ms), int(day[0, b.QUOTE]) / b.UNIT / _SHARE_OF_VOLUME)

    def day(self, at_ms: int) -> Bars:
        """The market's last 24 hours as one row (none before the first trade)."""
        return rolling_day(self._world, self.profile.market, at_ms)

    def candles(self, timeframe: str, start_ms: int, now_ms: int) -> Bars:
        """The market's candles from `start_ms` on, the one in progress included."""
        most = (now_ms - start_ms) // b.STEP_MS[timeframe] + 1
        return klines(self._world, self.profile.market, timeframe, start_ms, None, most, now_ms)

    def first_ms(self) -> int:
        """When the figures begin."""
        first = self._world.closed(self.profile.market, "1h", 0, 2**62, 1, False)[0, b.OPEN_TIME]
        return min([int(first), *(day.at_ms for day in self._recorded[:1])])

    def supply(self, at_ms: int) -> float:
        """Coins in circulation: of the last recorded day with a market cap, else the profile's."""
        last = self._recorded_before(at_ms)
        return last.market_cap / last.price if last and last.market_cap else self.profile.supply

    def midnights(self, start_ms: int, end_ms: int) -> list[Sample]:
        """Values at the midnights in [start, end): recorded ones where they exist, else from the market."""
        found = []
        for at_ms in range(-(-start_ms // DAY_MS) * DAY_MS, end_ms, DAY_MS):
            last = self._recorded_before(at_ms)
            sample = Sample(*last) if last and last.at_ms == at_ms else self.at(at_ms)
            if sample:
                found.append(sample)
        return found

    def samples(self, instants: list[int]) -> list[Sample]:
        """Values at ascending instants, without the price of many single look-ups."""
        if not instants:
            return []
        start = instants[0] - instants[0] % HOUR_MS - DAY_MS
        market = self.profile.market
        span = (instants[-1] - start) // HOUR_MS + 2
        hours = self._world.closed(market, "1h", start, instants[-1] + 1, span, False)
        worth = np.r_[0, np.cumsum(hours[:, b.QUOTE] / b.UNIT)]
        opens = hours[:, b.OPEN_TIME]
        found = []
        for at_ms in instants:
            bar = forming(self._world, market, "1h", at_ms)
            if len(bar):
                first, last = np.searchsorted(opens, [at_ms - DAY_MS, at_ms - at_ms % HOUR_MS])
                price = int(bar[0, b.CLOSE]) / b.UNIT
                volume = float(worth[last] - worth[first]) / _SHARE_OF_VOLUME
                found.append(Sample(at_ms, price, price * self.supply(at_ms), volume))
        return found

    @cached_property
    def _recorded(self) -> list[CoinDay]:
        return self._world.coin_days(self.profile.symbol)

    def _recorded_before(self, at_ms: int) -> CoinDay | None:
        """The last recorded day at or before `at_ms`."""
        index = bisect_right(self._recorded, at_ms, key=lambda day: day.at_ms)
        return self._recorded[index - 1] if index else None


def coins_of(world: World) -> dict[str, Coin]:
    """All coins whose market the world has, by CoinGecko's id."""
    return {profile.id: Coin(world, profile) for profile in PROFILES if profile.market in world.markets}
