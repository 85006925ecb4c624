"""Hourly candles of a synthetic market, made a week at a time."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.world import HOUR_MS

WEEK_HOURS = 168
_FAT_TAILS = 5.0  # degrees of freedom of the hourly returns
_MARKET_SHARE = 0.75  # of an hourly return that all coins share
_LARGEST_MOVE = 0.12  # of the log price within one hour
_TRADING_DAY = 1 + 0.25 * np.sin(2 * np.pi * (np.arange(WEEK_HOURS) % 24 - 9) / 24)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a synthetic market looks like: first price in USDT, typical hourly volatility (log), base volume of an
    hour and of one trade."""

    base: str
    first_price: float
    precision: Precision
    volatility: float
    hourly_volume: float
    trade_size: float


def generator(seed: int, name: str, *index: int) -> np.random.Generator:
    """A generator of its own for each (seed, name, index): what is asked first does not matter."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, digest, *index])


class HourlyWalk:
    """All hours of one market from genesis on; weeks are appended when they are first asked for.

    Weeks are counted from the epoch, so that returns do not depend on the genesis; the price level does.
    """

    def __init__(self, seed: int, symbol: str, profile: Profile, genesis_ms: int) -> None:
        self._seed = seed
        self._symbol = symbol
        self._profile = profile
        self._genesis_hour = genesis_ms // HOUR_MS
        self._next_week = self._genesis_hour // WEEK_HOURS
        self._level = math.log(profile.first_price)
        self._close = round(profile.first_price * b.UNIT / profile.precision.tick)
        self._hours = b.no_bars()

    def between(self, start_ms: int, end_ms: int) -> Bars:
        """Hours with start <= open < end; both must be whole hours, not before genesis."""
        weeks = []
        while self._next_week * WEEK_HOURS * HOUR_MS < end_ms:
            weeks.append(self._week(self._next_week))
            self._next_week += 1
        if weeks:
            self._hours = np.concatenate([self._hours, *weeks])
        return self._hours[start_ms // HOUR_MS - self._genesis_hour : end_ms // HOUR_MS - self._genesis_hour]

    def _week(self, week: int) -> Bars:
        """The hours of one week that are not before genesis; moves the walk on."""
        profile, tick = self._profile, self._profile.precision.tick
        own = generator(self._seed, self._symbol, week)
        shocks = _MARKET_SHARE * _innovations(generator(self._seed, "market", week))
        shocks += math.sqrt(1 - _MARKET_SHARE**2) * _innovations(own)
        noise = own.standard_normal((4, WEEK_HOURS))
        taker_share = own.uniform(0.38, 0.62, WEEK_HOURS)
        keep = slice(max(0, self._genesis_hour - week * WEEK_HOURS), WEEK_HOURS)

        volatility = profile.volatility * self._regime(week) * _TRADING_DAY
        moves = np.clip(volatility * shocks, -_LARGEST_MOVE, _LARGEST_MOVE)[keep]
        volatility, noise, taker_share = volatility[keep], noise[:, keep], taker_share[keep]
        levels = self._level + np.cumsum(moves)
        close = np.maximum(np.rint(np.exp(levels) * (b.UNIT / tick)), 2).astype(np.int64)
        opened = np.r_[self._close, close[:-1]]
        reach = 0.5 * volatility * np.abs(noise[:2])
        high = np.floor(np.maximum(opened, close) * np.exp(reach[0])).astype(np.int64)
        low = np.ceil(np.minimum(opened, close) * np.exp(-reach[1])).astype(np.int64)
        self._level, self._close = float(levels[-1]), int(close[-1])

        lot = profile.precision.lot
        activity = np.exp(0.35 * noise[2]) * _TRADING_DAY[keep] * (0.5 + 0.7 * np.abs(moves) / profile.volatility)
        lots = np.maximum(np.rint(profile.hourly_volume * activity * (b.UNIT / lot)), 6000).astype(np.int64)
        taker_lots = np.rint(lots * taker_share).astype(np.int64)
        mean_price = (opened + high + low + close) / 4 * tick
        worth = mean_price * (lot / b.UNIT)  # of one lot, in 1e-8 of the quote
        size = profile.trade_size * np.exp(0.15 * noise[3]) * (b.UNIT / lot)

        hours = np.empty((len(moves), b.WIDTH), dtype=np.int64)
        hours[:, b.OPEN_TIME] = (week * WEEK_HOURS + np.arange(WEEK_HOURS)[keep]) * HOUR_MS
        hours[:, b.CLOSE_TIME] = hours[:, b.OPEN_TIME] + HOUR_MS - 1
        for column, ticks in ((b.OPEN, opened), (b.HIGH, high), (b.LOW, low), (b.CLOSE, close)):
            hours[:, column] = ticks * tick
        hours[:, b.BASE], hours[:, b.TAKER_BASE] = lots * lot, taker_lots * lot
        hours[:, b.QUOTE], hours[:, b.TAKER_QUOTE] = np.rint(lots * worth), np.rint(taker_lots * worth)
        hours[:, b.TRADES] = np.maximum(np.rint(lots / size), 60)
        return hours

    def _regime(self, week: int) -> NDArray[np.float64]:
        """Slow factor of the volatility over one week; continuous from week to week."""
        ends = [generator(self._seed, self._symbol, at, 1).standard_normal() for at in (week, week + 1)]
        return np.asarray(np.exp(0.3 * np.interp(np.arange(WEEK_HOURS), [0, WEEK_HOURS], ends)))


def _innovations(source: np.random.Generator) -> NDArray[np.float64]:
    """One week of independent returns with fat tails and unit variance."""
    return source.standard_t(_FAT_TAILS, WEEK_HOURS) / math.sqrt(_FAT_TAILS / (_FAT_TAILS - 2))
