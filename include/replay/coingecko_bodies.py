"""Entries of CoinGecko's `/coins/markets`."""

from __future__ import annotations

from datetime import UTC, datetime

from include.replay import bars as b
from include.replay.coins import Coin, Sample

_WHOLE_FROM = 10_000


def price(value: float) -> int | float:
    """A price as CoinGecko shows it: large ones as integers, small ones with more digits."""
    if value >= _WHOLE_FROM:
        return round(value)
    return round(value, 2 if value >= 1 else 6)


def market_entry(coin: Coin, sample: Sample) -> dict[str, object]:
    """One element of the array; its rank is not known here. What CoinGecko does not know is null."""
    day: list[int] = coin.day(sample.at_ms)[0].tolist()
    before = day[b.OPEN] / b.UNIT
    change = sample.price - before
    profile = coin.profile
    supply = coin.supply(sample.at_ms)
    stamp = datetime.fromtimestamp(sample.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "id": profile.id,
        "symbol": profile.symbol,
        "name": profile.name,
        "image": f"https://assets.coingecko.com/coins/images/{profile.id}/large.png",
        "current_price": price(sample.price),
        "market_cap": round(sample.market_cap),
        "market_cap_rank": None,
        "fully_diluted_valuation": round(sample.price * profile.max_supply) if profile.max_supply else None,
        "total_volume": round(sample.volume_24h),
        "high_24h": price(day[b.HIGH] / b.UNIT),
        "low_24h": price(day[b.LOW] / b.UNIT),
        "price_change_24h": change,
        "price_change_percentage_24h": round(100 * change / before, 5),
        "market_cap_change_24h": round(change * supply),
        "market_cap_change_percentage_24h": round(100 * change / before, 5),
        "circulating_supply": supply,
        "total_supply": profile.max_supply,
        "max_supply": profile.max_supply,
        "ath": None,
        "ath_change_percentage": None,
        "ath_date": None,
        "atl": None,
        "atl_change_percentage": None,
        "atl_date": None,
        "roi": None,
        "last_updated": stamp.replace("+00:00", "Z"),
    }
