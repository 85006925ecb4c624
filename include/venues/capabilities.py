"""What each source can do and what it charges, in one table; its module and the schedules read it from here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about one source.

    timeframes: candles it serves, in our spelling; empty where it has no usable candles.
    page_size: most rows in one answer; 0 where the size is not limited.
    weight_per_minute: the venue's own budget for one address, in its own units (requests where it has no weights).
    candles_weight, tickers_weight: what one such request costs of it.
    pause_above: share of the budget after which we wait for the next minute.
    history_starts: first observation there is; None where it differs per symbol.
    history_reach: how far back from now it answers; None where everything is kept.
    """

    timeframes: tuple[str, ...]
    page_size: int
    weight_per_minute: int
    candles_weight: int = 1
    tickers_weight: int = 1
    pause_above: float = 0.8
    history_starts: datetime | None = None
    history_reach: timedelta | None = None


CAPABILITIES: dict[str, Capabilities] = {
    "binance": Capabilities(
        timeframes=("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"),
        page_size=1000,
        weight_per_minute=6000,
        candles_weight=2,
        tickers_weight=2,
    ),
    "coingecko": Capabilities(timeframes=(), page_size=250, weight_per_minute=25, history_reach=timedelta(days=365)),
    "alternative_me": Capabilities(
        timeframes=(), page_size=0, weight_per_minute=60, history_starts=datetime(2018, 2, 1, tzinfo=UTC)
    ),
}
