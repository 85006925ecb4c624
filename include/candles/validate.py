"""Which rows may become candles. A refused row keeps its reason and its text; nothing is repaired."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from include.candles.model import Candle, RejectedRow
from include.candles.timeframes import is_aligned

# No figure of a real market needs more; beyond it it is garbage, which the database might refuse with all its page.
MOST_INTEGER_DIGITS = 18
MOST_DECIMAL_PLACES = 40


def split_valid(
    rows: Iterable[tuple[Candle, object]], timeframe: str, start: datetime, end: datetime
) -> tuple[list[Candle], list[RejectedRow]]:
    """Candles that may be stored, ascending and one for each open time, and the rows that may not.

    rows: candles, each with the wire row it was read from (kept as JSON where it is refused).
    start, end: half-open window of open times that was asked for.
    Equal copies of a candle count once. Different values for one open time are all refused: none can be trusted.
    """
    sane: dict[datetime, list[tuple[Candle, object]]] = {}
    rejected: list[RejectedRow] = []
    for candle, raw in rows:
        reason = fault(candle, timeframe, start, end)
        if reason:
            rejected.append(RejectedRow(reason, raw_text(raw), candle.opened_at))
        else:
            sane.setdefault(candle.opened_at, []).append((candle, raw))
    good: list[Candle] = []
    for opened_at in sorted(sane):
        versions = sane[opened_at]
        if all(candle == versions[0][0] for candle, _ in versions):
            good.append(versions[0][0])
        else:
            reason = "different values for one open time"
            rejected += [RejectedRow(reason, raw_text(raw), opened_at) for _, raw in versions]
    return good, rejected


def fault(candle: Candle, timeframe: str, start: datetime, end: datetime) -> str | None:
    """Why the candle cannot be right, in words, or None."""
    if not is_aligned(candle.opened_at, timeframe):
        return f"open time is not a multiple of {timeframe}"
    if not start <= candle.opened_at < end:
        return "open time lies outside the window that was asked for"
    return _fault_of_figures(candle) or _fault_of_prices(candle) or _fault_of_volumes(candle)


def raw_text(raw: object) -> str:
    """The wire row as text: itself, or its JSON, in which a fraction is a text that keeps its digits."""
    return raw if isinstance(raw, str) else json.dumps(raw, separators=(",", ":"), default=str)


def fault_of_figure(figure: Decimal | int) -> str | None:
    """Why no market can have such a figure, or None. To be asked before any comparison: comparing a NaN raises."""
    number = Decimal(figure)
    if not number.is_finite():
        return "is not finite"
    exponent = number.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    if number.adjusted() >= MOST_INTEGER_DIGITS or places > MOST_DECIMAL_PLACES:
        return "has too many digits"
    return None


def _fault_of_figures(candle: Candle) -> str | None:
    for name, figure in zip(candle._fields[1:], candle[1:], strict=True):
        if figure is not None and (reason := fault_of_figure(figure)):
            return f"{name} {reason}"
    return None


def _fault_of_prices(candle: Candle) -> str | None:
    if candle.low <= 0 or candle.open <= 0 or candle.close <= 0 or candle.high <= 0:
        return "a price is not positive"
    if candle.vwap is not None and candle.vwap <= 0:
        return "vwap is not positive"
    if candle.high < max(candle.open, candle.low, candle.close):
        return "high is not the highest price"
    if candle.low > min(candle.open, candle.close):
        return "low is not the lowest price"
    return None


def _fault_of_volumes(candle: Candle) -> str | None:
    amounts = (
        candle.base_volume,
        candle.quote_volume,
        candle.taker_buy_base_volume,
        candle.taker_buy_quote_volume,
        candle.trade_count,
    )
    if any(amount is not None and amount < 0 for amount in amounts):
        return "a volume or count is negative"
    if candle.taker_buy_base_volume is not None and candle.taker_buy_base_volume > candle.base_volume:
        return "taker buy base volume exceeds base volume"
    if (
        candle.taker_buy_quote_volume is not None
        and candle.quote_volume is not None
        and candle.taker_buy_quote_volume > candle.quote_volume
    ):
        return "taker buy quote volume exceeds quote volume"
    return None
