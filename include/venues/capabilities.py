"""What each source can do and what it charges, in one table; its module and the schedules read it from here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `units` of weight in any `seconds`; what we allow ourselves, well below what the host allows."""

    units: float
    seconds: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about one source.

    host_limits: our own request budget for its host, all of them at once; shared by every process.
    concurrency: most requests in flight from one task.
    timeframes: candles it serves, in our spelling; empty where it has no usable candles.
    page_size: most rows in one answer; 0 where the size is not limited.
    weight_per_minute: the venue's own budget for one address, in its own units (requests where it has no weights).
    candles_weight, tickers_weight, listing_weight: what one such request costs of it.
    pause_above: share of the venue's budget, by its own header, after which we wait for the next minute.
    history_starts: first observation there is; None where it differs per symbol.
    history_reach: how far back from now it answers; None where everything is kept.
    reach_candles: how many candles back from now it answers; None where everything is kept.
    omits_empty: whether an interval without trades has no candle. Where it has one, a missing candle is an outage.
    """

    host_limits: tuple[Limit, ...]
    timeframes: tuple[str, ...]
    page_size: int
    weight_per_minute: int
    concurrency: int = 1
    candles_weight: float = 1
    tickers_weight: float = 1
    listing_weight: float = 1
    pause_above: float = 0.8
    history_starts: datetime | None = None
    history_reach: timedelta | None = None
    reach_candles: int | None = None
    omits_empty: bool = False


# Limits of the hosts and why ours lie below them: docs/reference/venues.md.
CAPABILITIES: dict[str, Capabilities] = {
    "binance": Capabilities(
        host_limits=(Limit(1200, 60),),
        timeframes=("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"),
        page_size=1000,
        weight_per_minute=6000,
        concurrency=5,
        candles_weight=2,
        tickers_weight=2,
        listing_weight=20,
    ),
    "binance_archive": Capabilities(
        host_limits=(Limit(1200, 60),),
        timeframes=("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"),
        page_size=0,
        weight_per_minute=0,
        concurrency=4,
    ),
    "kraken": Capabilities(
        host_limits=(Limit(1, 1),),
        timeframes=("1m", "5m", "15m", "30m", "1h", "4h", "1d"),
        page_size=720,
        weight_per_minute=60,
        candles_weight=1.5,
        listing_weight=1,
        reach_candles=720,
        omits_empty=True,
    ),
    "coinbase": Capabilities(
        host_limits=(Limit(5, 1),),
        timeframes=("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "1d"),
        page_size=290,
        weight_per_minute=600,
        concurrency=2,
        omits_empty=True,
    ),
    "coinbase_advanced": Capabilities(
        host_limits=(Limit(5, 1),),
        timeframes=("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "1d"),
        page_size=290,
        weight_per_minute=600,
        concurrency=2,
        omits_empty=True,
    ),
    "coingecko": Capabilities(
        host_limits=(Limit(25, 60), Limit(300, 86_400)),
        timeframes=(),
        page_size=250,
        weight_per_minute=25,
        history_reach=timedelta(days=365),
    ),
    "alternative_me": Capabilities(
        host_limits=(Limit(10, 60), Limit(10, 86_400)),
        timeframes=(),
        page_size=0,
        weight_per_minute=60,
        history_starts=datetime(2018, 2, 1, tzinfo=UTC),
    ),
}
