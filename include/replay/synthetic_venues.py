"""The same synthetic coins at other exchanges: Binance's walk times a small basis, with volumes of their own.

The basis between two exchanges wanders within a few hundredths of a percent and comes back, as it does between real
ones. Everything follows from (seed, venue, symbol, hour) alone, and nothing is kept beyond a few months of noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.synthetic_book import Hours, SyntheticBook
from include.replay.synthetic_hours import WEEK_HOURS, Profile, generator
from include.replay.synthetic_minutes import MinutePaths
from include.replay.world import HOUR_MS, ReplayMarket

_KNOT_HOURS = 6  # the basis has one random value each so many hours, and goes straight in between
_BASIS = 0.0003  # standard deviation of such a value
_KEPT_WEEKS = 32
_FEWEST_LOTS, _FEWEST_TRADES = 6000, 60  # of an hour: some for each of its minutes


class Listed(NamedTuple):
    """A coin at an exchange: its market at Binance, its steps of price and amount, its volume in parts of
    Binance's."""

    walk: str
    precision: Precision
    share: float


# venue -> our symbol -> how it trades there
LISTED: dict[str, dict[str, Listed]] = {
    "kraken": {
        "BTC/USD": Listed("BTCUSDT", Precision(10**7, 1), 0.03),
        "ETH/USD": Listed("ETHUSDT", Precision(10**6, 1), 0.03),
        "BNB/USD": Listed("BNBUSDT", Precision(10**6, 10), 0.01),
        "SOL/USD": Listed("SOLUSDT", Precision(10**6, 10), 0.02),
        "XRP/USD": Listed("XRPUSDT", Precision(10**3, 10**2), 0.02),
        "BTC/USDT": Listed("BTCUSDT", Precision(10**7, 1), 0.01),
        "ETH/USDT": Listed("ETHUSDT", Precision(10**6, 1), 0.01),
    },
    "coinbase": {
        "BTC/USD": Listed("BTCUSDT", Precision(10**6, 1), 0.2),
        "ETH/USD": Listed("ETHUSDT", Precision(10**6, 1), 0.15),
        "BNB/USD": Listed("BNBUSDT", Precision(10**6, 10), 0.01),
        "SOL/USD": Listed("SOLUSDT", Precision(10**6, 1), 0.1),
        "XRP/USD": Listed("XRPUSDT", Precision(10**4, 10**2), 0.1),
        "BTC/USDT": Listed("BTCUSDT", Precision(10**6, 1), 0.01),
        "ETH/USDT": Listed("ETHUSDT", Precision(10**6, 1), 0.01),
    },
}


class TiedHours:
    """Hours of one market that follow another's; made anew whenever they are asked for."""

    def __init__(self, seed: int, name: str, listed: Listed, walk: Hours, profile: Profile) -> None:
        self._seed = seed
        self._name = name
        self._listed = listed
        self._walk = walk
        self._profile = profile
        self._noise = lru_cache(_KEPT_WEEKS)(self._make_noise)

    def between(self, start_ms: int, end_ms: int) -> Bars:
        """Hours with start <= open < end; both must be whole hours, not before genesis."""
        first, end = start_ms // HOUR_MS, end_ms // HOUR_MS
        model = self._walk.between(start_ms, end_ms)
        weeks = range(first // WEEK_HOURS, -(-end // WEEK_HOURS))
        noise = np.concatenate([self._noise(week) for week in weeks], axis=1)
        basis, ending, activity, size = noise[:, first - weeks.start * WEEK_HOURS :][:, : len(model)]
        tick, lot = self._listed.precision

        def prices(column: int, factor: NDArray[np.float64]) -> Bars:
            return np.maximum(np.rint(model[:, column] / tick * np.exp(factor)), 1).astype(np.int64)

        lots = model[:, b.BASE] * (self._listed.share / lot) * np.exp(0.3 * activity)
        lots = np.maximum(np.rint(lots), _FEWEST_LOTS).astype(np.int64)
        taker_lots = np.rint(lots * (model[:, b.TAKER_BASE] / model[:, b.BASE])).astype(np.int64)
        opened, high = prices(b.OPEN, basis), prices(b.HIGH, np.maximum(basis, ending))
        low, close = prices(b.LOW, np.minimum(basis, ending)), prices(b.CLOSE, ending)
        worth = (opened + high + low + close) / 4 * tick * (lot / b.UNIT)  # of one lot, in 1e-8 of the quote

        hours = np.empty_like(model)
        hours[:, [b.OPEN_TIME, b.CLOSE_TIME]] = model[:, [b.OPEN_TIME, b.CLOSE_TIME]]
        for column, ticks in ((b.OPEN, opened), (b.HIGH, high), (b.LOW, low), (b.CLOSE, close)):
            hours[:, column] = ticks * tick
        hours[:, b.BASE], hours[:, b.TAKER_BASE] = lots * lot, taker_lots * lot
        hours[:, b.QUOTE], hours[:, b.TAKER_QUOTE] = np.rint(lots * worth), np.rint(taker_lots * worth)
        trades = lots * (lot / b.UNIT) / (self._profile.trade_size * np.exp(0.15 * size))
        hours[:, b.TRADES] = np.maximum(np.rint(trades), _FEWEST_TRADES)
        return hours

    def _make_noise(self, week: int) -> NDArray[np.float64]:
        """Of each hour of a week: the basis (log) at its open and at its close, and noise of volume and trades."""
        count = WEEK_HOURS // _KNOT_HOURS
        own, following = (generator(self._seed, self._name, at).standard_normal(count) for at in (week, week + 1))
        edges = np.interp(
            np.arange(WEEK_HOURS + 1), np.arange(count + 1) * _KNOT_HOURS, _BASIS * np.r_[own, following[0]]
        )
        noise = generator(self._seed, self._name, week, 1).standard_normal((2, WEEK_HOURS))
        return np.vstack([edges[:-1], edges[1:], noise])


def tied_book(
    seed: int, venue: str, genesis_ms: int, walks: Mapping[str, Hours], profiles: Mapping[str, Profile]
) -> SyntheticBook:
    """The book of an exchange over Binance's walks; without any market where the exchange is none of LISTED."""
    listed = LISTED.get(venue, {})
    names = {symbol: f"{venue} {symbol}" for symbol in listed}
    return SyntheticBook(
        genesis_ms,
        {s: ReplayMarket(s, s.split("/")[0], s.split("/")[1], each.precision) for s, each in listed.items()},
        {s: TiedHours(seed, names[s], each, walks[each.walk], profiles[each.walk]) for s, each in listed.items()},
        {s: MinutePaths(seed, names[s], each.precision) for s, each in listed.items()},
    )
