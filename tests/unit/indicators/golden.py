"""Prices to compare on, the columns by their published definitions, and what it takes to agree."""

from __future__ import annotations

import numpy as np

from include.indicators.windows import Array
from tests.unit.indicators import published
from tests.unit.indicators.published import Column, exact

OF_MACD = ("macd", "macd_signal", "macd_histogram")
OF_BAND = ("bollinger_width", "bollinger_percent_b")
DIRECTIONAL = ("di_plus_14", "di_minus_14", "adx_14")

Prices = tuple[Array, Array, Array]
Columns = dict[str, Array]


def drawn(length: int = 1500, seed: int = 1, price: float = 20_000.0, move: float = 0.01) -> Prices:
    """High, low and close of a random walk."""
    random = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(random.normal(0, move, length)))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1 + random.uniform(0, move / 2, length))
    low = np.minimum(opened, close) * (1 - random.uniform(0, move / 2, length))
    return high, low, close


def flat(length: int, price: float) -> Prices:
    return np.full(length, price), np.full(length, price), np.full(length, price)


def joined(*runs: Prices) -> Prices:
    high, low, close = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    return high, low, close


def floats(column: Column) -> Array:
    return np.array([np.nan if value is None else float(value) for value in column])


def by_definition(prices: Prices, seed: int = 14) -> Columns:
    """All columns as published; seed: see `published.directional`."""
    high, low, close = (exact(series) for series in prices)
    directional = published.directional(high, low, close, seed=seed)
    macd, bands, stochastic = published.macd(close), published.bollinger(close), published.stochastic_rsi(close)
    columns = {
        "ema_12": published.exponential_mean(close, 12),
        "ema_26": published.exponential_mean(close, 26),
        "macd": macd.line,
        "macd_signal": macd.signal,
        "macd_histogram": macd.histogram,
        "rsi_14": published.rsi(close),
        "stoch_rsi": stochastic.raw,
        "stoch_rsi_k": stochastic.k,
        "stoch_rsi_d": stochastic.d,
        "bollinger_middle": bands.middle,
        "bollinger_upper": bands.upper,
        "bollinger_lower": bands.lower,
        "bollinger_width": bands.width,
        "bollinger_percent_b": bands.percent_b,
        "adx_14": directional.average,
        "di_plus_14": directional.plus,
        "di_minus_14": directional.minus,
        "atr_14": published.average_true_range(high, low, close),
    }
    return {name: floats(column) for name, column in columns.items()}


def assert_agree(name: str, value: Array, expected: Array, tolerance: float, unit: float | None = None) -> None:
    """NULL at the same bars, and everywhere within `tolerance` units; a unit is the column's median magnitude."""
    np.testing.assert_array_equal(np.isnan(value), np.isnan(expected), err_msg=f"{name}: NULL elsewhere")
    if not np.isnan(expected).all():
        unit = float(np.nanmedian(np.abs(expected))) if unit is None else unit
        np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance * unit, err_msg=name)


def assert_published(prices: Prices, columns: Columns, tolerance: float, seed: int = 14) -> None:
    """Every column is what was published.

    The MACD's unit is a hundredth of the median close. BandWidth and %b get ten units: the bands are rounded like a
    price, and of a price's rounding (1e-16) a band of a thousandth of it keeps a thousandfold.
    """
    expected = by_definition(prices, seed)
    assert set(columns) == set(expected)
    for name, column in columns.items():
        unit = float(np.median(prices[2])) / 100 if name in OF_MACD else None
        assert_agree(name, column, expected[name], 10 * tolerance if name in OF_BAND else tolerance, unit)
