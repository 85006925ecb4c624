"""Columns over windows of the clock written out from their definitions, like `published` in decimal arithmetic.

Values stand by bar number (a missing bar is not in the mapping); a window is the so many bars that end with a row's.

Sources
- Fischer: Robert Fischer, Fibonacci Applications and Strategies for Traders, Wiley, 1993 (retracements 0.236, 0.382,
  0.5 and 0.618: the golden ratio's third, second and first power and the half); 0.786 is the root of 0.618.
- Andersen: T. G. Andersen and T. Bollerslev, Answering the Skeptics, International Economic Review 39, 1998 (realised
  volatility: the root of the sum of squared returns).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tests.unit.indicators.published import precise

FIBONACCI = {name: Decimal(ratio) for name, ratio in
             (("236", "0.236"), ("382", "0.382"), ("500", "0.5"), ("618", "0.618"), ("786", "0.786"))}  # fmt: skip


@precise
def fibonacci(highest: Decimal, lowest: Decimal) -> dict[str, Decimal]:
    """Fischer: how far a price has come back from the highest towards the lowest, as prices."""
    return {name: highest - ratio * (highest - lowest) for name, ratio in FIBONACCI.items()}


def seen(values: Mapping[int, Decimal], last: int, bars: int, at_least: int) -> list[Decimal] | None:
    """What is known of the `bars` bars that end with number `last`; None where it is fewer than `at_least`."""
    window = [values[bar] for bar in range(last - bars + 1, last + 1) if bar in values]
    return window if len(window) >= at_least else None


@precise
def clock_mean(values: Mapping[int, Decimal], last: int, bars: int, at_least: int) -> Decimal | None:
    """Mean of the bars of a window of the clock that were observed."""
    window = seen(values, last, bars, at_least)
    return None if window is None else sum(window) / Decimal(len(window))


@precise
def log_return(close: Mapping[int, Decimal], bar: int, lag: int = 1) -> Decimal | None:
    """Natural logarithm of the price's ratio to the one `lag` bars earlier."""
    if bar not in close or bar - lag not in close:
        return None
    return (close[bar] / close[bar - lag]).ln()


@precise
def realised_volatility(returns: Mapping[int, Decimal], last: int, bars: int, at_least: int) -> Decimal | None:
    """Andersen: root of the sum of squared returns; the sum is scaled up for the bars that are missing."""
    window = seen(returns, last, bars, at_least)
    if window is None:
        return None
    return (sum(value * value for value in window) * Decimal(bars) / len(window)).sqrt()
