"""CoinGecko's `market_chart`: sampling instants, not buckets."""

from __future__ import annotations

import zlib

from include.replay import bars as b
from include.replay.coins import Coin, Sample
from include.replay.world import DAY_MS, HOUR_MS

OHLC_DAYS = ("1", "7", "14", "30", "90", "180", "365")
_FIVE_MINUTES_MS = 300_000
_LARGEST_HOURLY_DAYS = 90
# A UTC day's first point appears this long after midnight.
_DAY_AVAILABLE_MS = 10 * 60 * 1000
_LATEST_HOUR_SAMPLE_MS = 400_000
_LATEST_FIVE_MINUTE_SAMPLE_MS = 40_000


def market_chart(coin: Coin, days: int, daily: bool, now_ms: int) -> dict[str, list[list[float | None]]]:
    """Prices, market caps and 24-hour volumes of the last `days`.

    Up to a day in steps of about 5 minutes, up to 90 about hourly, more (or `daily`) at midnights; always with a
    last point of "now". Instants are not aligned, and the last two may stand in the wrong order.
    """
    if daily or days > _LARGEST_HOURLY_DAYS:
        points = coin.midnights(now_ms - days * DAY_MS, now_ms - _DAY_AVAILABLE_MS)
    elif days > 1:
        points = coin.samples(_instants(coin, now_ms - days * DAY_MS, now_ms, HOUR_MS, _LATEST_HOUR_SAMPLE_MS))
    else:
        points = coin.samples(
            _instants(coin, now_ms - days * DAY_MS, now_ms, _FIVE_MINUTES_MS, _LATEST_FIVE_MINUTE_SAMPLE_MS)
        )
    points += coin.samples([now_ms])
    if not daily and days <= _LARGEST_HOURLY_DAYS and now_ms // 60_000 % 2:
        points += coin.samples([now_ms - 412])
    return {
        "prices": [[p.at_ms, p.price] for p in points],
        "market_caps": [[p.at_ms, _known(p)] for p in points],
        "total_volumes": [[p.at_ms, p.volume_24h] for p in points],
    }


def ohlc(coin: Coin, days: int, now_ms: int) -> list[list[float]]:
    """Bodies of 30 minutes (a day), 4 hours (up to 30) or 4 days, each stamped with its close: the last one lies in
    the future."""
    timeframe, step_ms = (
        ("30m", HOUR_MS // 2) if days <= 2 else ("4h", 4 * HOUR_MS) if days <= 30 else ("1d", 4 * DAY_MS)
    )
    start_ms = -(-(now_ms - days * DAY_MS) // step_ms) * step_ms
    bodies = b.fold(coin.candles(timeframe, start_ms, now_ms), step_ms)
    rows = bodies[:, [b.OPEN_TIME, b.OPEN, b.HIGH, b.LOW, b.CLOSE]].tolist()
    return [[opened + step_ms, *(figure / b.UNIT for figure in figures)] for opened, *figures in rows]


def _instants(coin: Coin, start_ms: int, now_ms: int, step_ms: int, latest_ms: int) -> list[int]:
    """One instant in each step from start on, up to `latest_ms` after its beginning: the same whenever it is asked."""
    steps = range(-(-start_ms // step_ms) * step_ms, now_ms, step_ms)
    instants = [at + zlib.crc32(f"{coin.profile.id} {at}".encode()) % latest_ms for at in steps]
    return [at for at in instants if at < now_ms]


def _known(point: Sample) -> float | None:
    return point.market_cap or None
