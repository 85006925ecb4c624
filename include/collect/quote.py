"""What a backfill will cost before it runs: requests, weight, bytes, rows and minutes per venue and source.

Arithmetic on `plan_sources` and `include.venues.capabilities`; nothing is asked. Rows are the candles expected, which
outages and intervals without trades make fewer. A market's listing, one request a day, and what is asked again after an
error or for a file's holes come on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import NamedTuple

from include.candles.timeframes import expected_count, step
from include.collect.sources import (
    BINANCE_ARCHIVE,
    KRAKEN_OHLCVT,
    KRAKEN_TRADES,
    OUT_OF_REACH,
    REQUESTS_PER_FILE,
    Segment,
    SourceSettings,
    plan_sources,
)
from include.config.markets import Market
from include.venues.binance_archive_files import following_month, midnight
from include.venues.capabilities import CAPABILITIES

# Bytes of a candle on its way, compressed as it comes; measured on recorded 1h candles of BTC, ETH and BNB.
BYTES_PER_CANDLE: dict[str, float] = {
    "binance-rest": 62,  # kline JSON, gzip, months of 2018 to 2024: 48 to 63
    BINANCE_ARCHIVE: 60,  # monthly zips of 2018 and 2025: 58 to 60
    "kraken-rest": 26,  # 720 OHLC rows of 2023, gzip
    KRAKEN_OHLCVT: 59,  # plain CSV of 2023, read from a folder
    "coinbase-rest": 26,  # 290 rows of 2024, gzip
}
BYTES_OF_OTHERS = 62.0  # a venue not measured yet: as the largest
# Kraken's BTC/USD had 1084 an hour in the last recorded year; quieter markets have fewer.
TRADES_PER_HOUR = 1084
TRADES_PER_REQUEST = 1000
BYTES_PER_TRADE = 12  # 1000 recorded trades as JSON, gzip


@dataclass(frozen=True, slots=True)
class Cost:
    """requests, and their weight in the host's own units; bytes on the wire; rows: candles; minutes: the least that our
    request budget for the host allows."""

    requests: int = 0
    weight: float = 0
    bytes: float = 0
    rows: int = 0
    minutes: float = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.requests + other.requests,
            self.weight + other.weight,
            self.bytes + other.bytes,
            self.rows + other.rows,
            self.minutes + other.minutes,
        )


class Missing(NamedTuple):
    """A half-open stretch [start, end) of a series that no source reaches, how many candles it has, and why."""

    market: str
    timeframe: str
    start: datetime
    end: datetime
    rows: int
    reason: str


class Quote(NamedTuple):
    """by_source: costs by (venue, source). lacking: timeframes a venue does not have, in words."""

    by_source: dict[tuple[str, str], Cost]
    out_of_reach: list[Missing]
    lacking: list[str]

    def by_venue(self) -> dict[str, Cost]:
        """Sums of each venue; its hosts are counted one after another."""
        sums: dict[str, Cost] = {}
        for (venue, _), cost in self.by_source.items():
            sums[venue] = sums.get(venue, Cost()) + cost
        return sums


def quote(
    markets: Sequence[Market],
    timeframes: Sequence[str],
    start: datetime,
    end: datetime,
    now: datetime,
    settings: SourceSettings,
) -> Quote:
    """The cost of a backfill of the candles that open in [start, end), in months as `ohlcv_backfill` runs."""
    found = Quote({}, [], [])
    for market in markets:
        for timeframe in timeframes:
            if timeframe not in CAPABILITIES[market.venue].timeframes:
                found.lacking.append(f"{market.key} has no {timeframe} candles")
                continue
            for first, until in _months(max(start, market.listed_at - step(timeframe)), min(end, now)):
                for segment in plan_sources(market, timeframe, first, until, now, settings):
                    _add(found, market, timeframe, segment)
    return found


def _months(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The window cut at the beginnings of months."""
    months, cursor = [], start
    while cursor < end:
        until = min(midnight(following_month(cursor.date())), end)
        months.append((cursor, until))
        cursor = until
    return months


def _add(found: Quote, market: Market, timeframe: str, segment: Segment) -> None:
    if segment.source == OUT_OF_REACH:
        _add_missing(found.out_of_reach, market, timeframe, segment)
        return
    key = (market.venue, segment.source)
    found.by_source[key] = found.by_source.get(key, Cost()) + _cost(market.venue, timeframe, segment)


def _add_missing(missing: list[Missing], market: Market, timeframe: str, segment: Segment) -> None:
    rows = expected_count(segment.start, segment.end, timeframe)
    last = missing[-1] if missing else None
    if last and (last.market, last.timeframe, last.end) == (market.key, timeframe, segment.start):
        missing[-1] = last._replace(end=segment.end, rows=last.rows + rows)
    else:
        missing.append(Missing(market.key, timeframe, segment.start, segment.end, rows, segment.reason))


def _cost(venue: str, timeframe: str, segment: Segment) -> Cost:
    rows = expected_count(segment.start, segment.end, timeframe)
    size = rows * BYTES_PER_CANDLE.get(segment.source, BYTES_OF_OTHERS)
    limits = CAPABILITIES[venue]
    if segment.source == KRAKEN_OHLCVT:
        return Cost(bytes=size, rows=rows)
    if segment.source == BINANCE_ARCHIVE:
        requests = REQUESTS_PER_FILE * len(segment.files)
        return Cost(requests, requests, size, rows, _minutes("binance_archive", requests))
    if segment.source == KRAKEN_TRADES:
        trades = (segment.end - segment.start).total_seconds() / 3600 * TRADES_PER_HOUR
        requests, size = ceil(trades / TRADES_PER_REQUEST), trades * BYTES_PER_TRADE
    else:
        requests = ceil(rows / limits.page_size)
    weight = requests * limits.candles_weight
    return Cost(requests, weight, size, rows, _minutes(venue, weight))


def _minutes(host: str, weight: float) -> float:
    """The least time our budget for the host allows that weight."""
    return max(weight / limit.units * limit.seconds / 60 for limit in CAPABILITIES[host].host_limits)
