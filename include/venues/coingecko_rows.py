"""Rows of CoinGecko's answers as our types. A row that is not as documented raises one of UNREADABLE."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.candles.model import RejectedRow
from include.candles.timeframes import EPOCH
from include.candles.validate import fault_of_figure, raw_text
from include.venues.model import CoinSnapshot

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, OverflowError, AttributeError)


def figure(value: object) -> Decimal | None:
    """A JSON number with the digits of the wire; any figure may be null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"figure {value!r} is not a number")
    if reason := fault_of_figure(value):
        raise ValueError(f"figure {value!r} {reason}")
    return Decimal(value)


def price(value: object) -> Decimal:
    """A price, which must be there and positive."""
    number = figure(value)
    if number is None or number <= 0:
        raise ValueError(f"price {value!r} is not positive")
    return number


def amount(value: object) -> Decimal | None:
    """A market cap, volume or supply. CoinGecko writes 0 where it does not know one."""
    number = figure(value)
    if number is not None and number < 0:
        raise ValueError(f"amount {value!r} is negative")
    return number or None


def rank(value: object) -> int | None:
    """A place in a ranking, from 1."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ValueError(f"rank {value!r} is not a positive integer")
    return value


def iso_time(text: str) -> datetime:
    """UTC time of an ISO 8601 text, which must name its zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"time {text!r} names no zone")
    return time.astimezone(UTC)


def market(coin: str, row: Mapping[str, Any], now: datetime) -> CoinSnapshot:
    """An item of `/coins/markets`."""
    updated = row.get("last_updated")
    return CoinSnapshot(
        coin=coin,
        observed_at=iso_time(updated) if updated else now,
        price_usd=price(row["current_price"]),
        market_cap_usd=amount(row.get("market_cap")),
        volume_24h_usd=amount(row.get("total_volume")),
        circulating_supply=amount(row.get("circulating_supply")),
        rank=rank(row.get("market_cap_rank")),
    )


def simple_price(coin: str, row: Mapping[str, Any], now: datetime) -> CoinSnapshot:
    """A value of `/simple/price`; its time stamp is in seconds."""
    updated = row.get("last_updated_at")
    return CoinSnapshot(
        coin=coin,
        observed_at=EPOCH + timedelta(seconds=updated) if updated else now,
        price_usd=price(row["usd"]),
        market_cap_usd=amount(row.get("usd_market_cap")),
        volume_24h_usd=amount(row.get("usd_24h_vol")),
    )


def chart(coin: str, answer: Mapping[str, Any]) -> tuple[list[CoinSnapshot], list[RejectedRow]]:
    """Settled samples of a `market_chart`, ascending, and what was refused.

    The three series are joined by their stamps (milliseconds): they need not have the same length or order.
    """
    prices = answer["prices"]
    caps = dict(answer["market_caps"])
    volumes = dict(answer["total_volumes"])
    # The last point is "now"; its neighbour may be stamped a moment after it, and is no more settled.
    newest = prices[-1][0] if prices else 0
    samples: dict[int, CoinSnapshot] = {}
    conflicting: set[int] = set()
    rejected: list[RejectedRow] = []
    for point in prices:
        stamp = point[0]
        if stamp >= newest:
            continue
        try:
            sample = CoinSnapshot(
                coin=coin,
                observed_at=EPOCH + timedelta(milliseconds=stamp),
                price_usd=price(point[1]),
                market_cap_usd=amount(caps.get(stamp)),
                volume_24h_usd=amount(volumes.get(stamp)),
            )
        except UNREADABLE as error:
            rejected.append(RejectedRow(f"sample cannot be read: {error!r}", raw_text(point)))
            continue
        if samples.setdefault(stamp, sample) != sample:
            conflicting.add(stamp)
    for stamp in sorted(conflicting):
        points = [point for point in prices if point[0] == stamp]
        rejected.append(RejectedRow("different prices for one instant", raw_text(points)))
    return [samples[stamp] for stamp in sorted(samples) if stamp not in conflicting], rejected
