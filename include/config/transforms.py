"""What the market transforms take for implausible, how they rank and when they alert: all of it settings.

Any change here makes everything be computed afresh by the next run (include/transforms/definition.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SpikeFactors:
    """From which ratio a candle's price is implausible.

    wick: high over the greater of open and close, or the lesser of them over low.
    jump: close over, or below, each of the two closes before.
    """

    wick: Decimal
    jump: Decimal


INTRADAY_SPIKE = SpikeFactors(wick=Decimal(2), jump=Decimal("1.5"))
DAILY_SPIKE = SpikeFactors(wick=Decimal(4), jump=Decimal(3))

# Figures some venues publish and others do not; a candle without one is flagged where one of so many before it had it.
USUAL_FIGURES: tuple[str, ...] = ("quote_volume", "trade_count")
USUAL_WITHIN_BARS = 24

# Distance of a close from the median of the other venues' closes, in percent of it. Quotes differ: well above what a
# dollar and its tokens have been apart, which is more than a tenth (tests/unit/transforms/test_transforms_settings.py).
OFF_MARKET_PERCENT = Decimal(15)
OFF_MARKET_VENUES = 2

# Quotes that stand for a dollar: compared with each other by `off_market`, and what a performance is ranked in.
DOLLARS: tuple[str, ...] = ("USDT", "USD", "USDC")
# Who speaks for a coin, best first (as in features.coin_instrument); others follow by name. Quotes: as in DOLLARS.
VENUE_PREFERENCE: tuple[str, ...] = ("binance", "kraken", "coinbase")

# Flags that speak against a candle's price: such candles are in no mean, rank or alert. A missing figure does not.
PRICE_RULES: tuple[str, ...] = ("off_market", "price_spike", "repeated")

# An alert fires when the change over the window reaches the threshold, and can fire again once the change has been
# below the lower level.
ALERT_WINDOW = timedelta(hours=24)
ALERT_PERCENT = Decimal(5)
ALERT_AGAIN_BELOW_PERCENT = Decimal(4)
# An alert that becomes known later than this after its candle's close is put down and not sent.
NOTIFY_WITHIN = timedelta(hours=6)


def spike_factors(timeframe: str) -> SpikeFactors:
    """Those of a timeframe: a day moves further than an hour."""
    return DAILY_SPIKE if timeframe == "1d" else INTRADAY_SPIKE
