"""Deterministic hours of markets that never were: a random walk with 8 decimals and the outages venues have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from include.candles.batch import CandleBatch
from include.candles.timeframes import EPOCH
from include.config.markets import Market
from include.venues.model import FearGreed

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
UNIT = 10**8
LISTED = datetime(2010, 1, 1, tzinfo=UTC)
_HOURLY_DEVIATION = 0.007
_BARS_BETWEEN_OUTAGES = 2500
_LONGEST_OUTAGE = 34  # hours; Binance's longest took 33


def market(number: int) -> Market:
    """A market to put a history under."""
    return Market("binance", f"C{number:02}/USDT", f"C{number:02}USDT", LISTED)


def hours(count: int, ends_at: datetime, number: int = 0) -> CandleBatch:
    """`count` hourly candles of a market, the last of which closes at `ends_at`; the last 2500 have no hole."""
    random = np.random.default_rng([7, number])
    close = np.exp(np.cumsum(random.normal(0.0, _HOURLY_DEVIATION, count)))
    close *= 1000.0 / close.max() * (1 + number)  # below 2^36 whatever is drawn, above 10^-8 too
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + np.abs(random.normal(0.0, _HOURLY_DEVIATION / 2, count)))
    low = np.minimum(opened, close) / (1 + np.abs(random.normal(0.0, _HOURLY_DEVIATION / 2, count)))
    base = random.gamma(2.0, 300.0, count)
    exact = [np.maximum(np.round(each * UNIT), 1).astype(np.int64) for each in (opened, high, low, close, base)]
    quote, bought = exact[4] // 100 * np.round(close * 100).astype(np.int64), exact[4] // 2
    times = ((ends_at - EPOCH) // timedelta(milliseconds=1)) - HOUR_MS * _hours_before_end(count, random)
    trades = random.integers(1, 9000, count)
    return CandleBatch(np.array([times, *exact, quote, trades, bought, quote // 2], np.int64))


def _hours_before_end(count: int, random: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    step = np.ones(count, np.int64)
    step[_BARS_BETWEEN_OUTAGES::_BARS_BETWEEN_OUTAGES] += random.integers(
        1, _LONGEST_OUTAGE, len(step[_BARS_BETWEEN_OUTAGES::_BARS_BETWEEN_OUTAGES])
    )
    return np.cumsum(step)[::-1].astype(np.int64)


def fear_greed(first: date, last: date) -> list[FearGreed]:
    """Values of the index for each day from the first to the last, published ten minutes into the day."""
    days = (last - first).days + 1
    drawn = np.random.default_rng(11).integers(5, 96, days).tolist()
    index = []
    for place, value in enumerate(drawn):
        day = first + timedelta(days=place)
        published = datetime(day.year, day.month, day.day, 0, 10, tzinfo=UTC)
        index.append(FearGreed(day, value, "Neutral", published))
    return index
