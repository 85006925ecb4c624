"""Indicators against values worked out elsewhere: the published definitions, worksheets by hand, TA-Lib and `ta`.

Differences are measured against the median magnitude of the column (a MACD passes through zero), those of the MACD
against the median close (a hundredth of the tolerance): two means as large as the price are subtracted for it.
Three reasons for a difference, three tolerances:

- ROUNDING (1e-12): the same formula in floats here and with 100 digits there. A recursion forgets its rounding as it
  forgets its seed, so errors do not pile up: most columns are off by 1e-15. BandWidth and %b, for which nearly equal
  numbers are subtracted, are granted 1e-11 and need 1e-12 where the band is narrow.
- FORGOTTEN (1e-9): the same recursion begun with another seed. A seed's share shrinks by 13/14 a bar in Wilder's means
  (1e-9 after 280 bars), by 25/27 in the slow exponential mean (270 bars); a little later where one mean feeds another.
- OTHER_SUMS (1e-8): the same window, summed so that digits are lost: pandas' running sums carry the rounding of all
  earlier prices, which counts once the price has fallen to a hundredth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib
from ta.momentum import RSIIndicator, StochRSIIndicator
from ta.trend import MACD, ADXIndicator, EMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands

from include.indicators.run import run_indicators
from tests.unit.indicators.golden import (
    DIRECTIONAL,
    OF_MACD,
    Columns,
    Prices,
    assert_agree,
    assert_published,
    by_definition,
    drawn,
)

ROUNDING, FORGOTTEN, OTHER_SUMS = 1e-12, 1e-9, 1e-8
LENGTH = 1500

# TA-Lib seeds the sums of DM and TR with 13 bars where Wilder takes 14, and smooths the 14th in already.
TALIB_SEED = 13

DRAWN: dict[str, dict[str, Any]] = {
    "walk": {},
    "wild": {"seed": 2, "move": 0.05},
    "stablecoin": {"seed": 3, "price": 1.0, "move": 2e-4},
    "dust": {"seed": 4, "price": 1e-9},
}
RECORDED = {"BTCUSDT": "2018-02-10", "ETHUSDT": "2020-03-01", "BNBUSDT": "2021-05-01", "XRPUSDT": "2023-07-01"}


@pytest.fixture(scope="session", params=[*DRAWN, *RECORDED])
def prices(request: pytest.FixtureRequest) -> Prices:
    """Drawn walks and recorded hours (bars as they come; here a hole is none)."""
    if request.param in DRAWN:
        return drawn(**DRAWN[request.param])
    folder: Path = request.getfixturevalue("market_data_dir")
    candles = pd.read_parquet(folder / "binance" / "klines_1h" / f"{request.param}.parquet")
    start = pd.Timestamp(RECORDED[request.param], tz="UTC").value // 1_000_000
    taken = candles.loc[candles["open_time"] >= start].iloc[:LENGTH]
    assert len(taken) == LENGTH
    return taken["high"].to_numpy(), taken["low"].to_numpy(), taken["close"].to_numpy()


@pytest.fixture(scope="session")
def ours(prices: Prices) -> Columns:
    return run_indicators(*prices)


def test_columns_are_what_was_published(prices: Prices, ours: Columns) -> None:
    """From the first value on; +DI, -DI and ADX with TA-Lib's seed, all others with the published one."""
    assert_published(prices, ours, ROUNDING, seed=TALIB_SEED)


def test_directional_indicators_are_wilders_once_the_seed_is_forgotten(prices: Prices, ours: Columns) -> None:
    expected = by_definition(prices)
    for name in DIRECTIONAL:
        assert_agree(name, ours[name][350:], expected[name][350:], FORGOTTEN)


@pytest.mark.parametrize("seed", range(20))
def test_the_other_seed_moves_no_directional_indicator_by_more_than_three_points(seed: int) -> None:
    prices = drawn(60, seed)
    ours, wilder = run_indicators(*prices), by_definition(prices)
    for name in DIRECTIONAL:
        np.testing.assert_array_equal(np.isnan(ours[name]), np.isnan(wilder[name]))
        assert np.nanmax(np.abs(ours[name] - wilder[name])) < 3.0, name


def test_columns_are_talibs(prices: Prices, ours: Columns) -> None:
    """TA-Lib on the prices as they are; its StochRSI goes to 100, and its %K is the unsmoothed one."""
    high, low, close = prices
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    raw, k = talib.STOCHRSI(close, 14, 14, 3)
    same_recursion = {
        "rsi_14": talib.RSI(close, 14),
        "atr_14": talib.ATR(high, low, close, 14),
        "ema_12": talib.EMA(close, 12),
        "ema_26": talib.EMA(close, 26),
        "adx_14": talib.ADX(high, low, close, 14),
        "di_plus_14": talib.PLUS_DI(high, low, close, 14),
        "di_minus_14": talib.MINUS_DI(high, low, close, 14),
    }
    for name, expected in same_recursion.items():
        assert_agree(name, ours[name], expected, ROUNDING)
    for name, expected in {"bollinger_middle": middle, "bollinger_upper": upper, "bollinger_lower": lower}.items():
        assert_agree(name, ours[name], expected, OTHER_SUMS)
    # Its StochRSI begins when the smoothed one does.
    assert_agree("stoch_rsi", ours["stoch_rsi"][29:], raw[29:] / 100, ROUNDING)
    assert_agree("stoch_rsi_k", ours["stoch_rsi_k"], k / 100, ROUNDING)


def test_macd_is_talibs_once_its_seed_is_forgotten(prices: Prices, ours: Columns) -> None:
    """TA-Lib's MACD seeds the fast mean with the closes 14 to 25, where the slow one begins."""
    for name, expected in zip(OF_MACD, talib.MACD(prices[2], 12, 26, 9), strict=True):
        assert_agree(name, ours[name][300:], expected[300:], FORGOTTEN)


# From which bar on `ta` agrees to 1e-9, where it does not from the first: some 30 bars after the slowest of 15 series,
# drawn and recorded. It seeds RSI and EMA with their first value, the signal with the first MACD, and ATR with bar 0's
# high - low besides; its sums of DM and TR are Wilder's with 14 bars, ours TA-Lib's.
TA_SINCE = {"ema_12": 150, "ema_26": 280, "macd": 350, "macd_signal": 350, "macd_histogram": 350, "rsi_14": 320,
            "stoch_rsi": 330, "stoch_rsi_k": 330, "stoch_rsi_d": 330, "atr_14": 300, "adx_14": 340,
            "di_plus_14": 300, "di_minus_14": 300}  # fmt: skip


def of_ta(prices: Prices) -> Columns:
    """The columns from `ta`'s single classes."""
    high, low, close = (pd.Series(series) for series in prices)
    macd, bands = MACD(close), BollingerBands(close)
    stochastic, adx = StochRSIIndicator(close), ADXIndicator(high, low, close)
    columns = {
        "ema_12": EMAIndicator(close, 12).ema_indicator(),
        "ema_26": EMAIndicator(close, 26).ema_indicator(),
        "macd": macd.macd(),
        "macd_signal": macd.macd_signal(),
        "macd_histogram": macd.macd_diff(),
        "rsi_14": RSIIndicator(close).rsi(),
        "stoch_rsi": stochastic.stochrsi(),
        "stoch_rsi_k": stochastic.stochrsi_k(),
        "stoch_rsi_d": stochastic.stochrsi_d(),
        "bollinger_middle": bands.bollinger_mavg(),
        "bollinger_upper": bands.bollinger_hband(),
        "bollinger_lower": bands.bollinger_lband(),
        "bollinger_width": bands.bollinger_wband(),
        "bollinger_percent_b": bands.bollinger_pband(),
        "adx_14": adx.adx(),
        "di_plus_14": adx.adx_pos(),
        "di_minus_14": adx.adx_neg(),
        "atr_14": AverageTrueRange(high, low, close).average_true_range(),
    }
    return {name: series.to_numpy(np.float64) for name, series in columns.items()}


def test_columns_are_those_of_ta_once_its_seeds_are_forgotten(prices: Prices, ours: Columns) -> None:
    for name, expected in of_ta(prices).items():
        if name in TA_SINCE:
            since = TA_SINCE[name]
            assert_agree(name, ours[name][since:], expected[since:], FORGOTTEN)
        else:
            assert_agree(name, ours[name], expected, OTHER_SUMS)
