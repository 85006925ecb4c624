"""Indicators on worksheets calculated by hand, and where prices are flat, few, tiny or huge."""

from __future__ import annotations

import numpy as np
import pytest

from include.features.registry import FEATURES
from include.indicators.run import run_indicators
from include.indicators.windows import Array
from tests.unit.indicators.golden import (
    Columns,
    Prices,
    assert_agree,
    assert_published,
    by_definition,
    drawn,
    flat,
    joined,
)

WARM_UP = {feature.name: feature.warm_up for feature in FEATURES}
NEEDS_MOVEMENT = ("rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d", "bollinger_percent_b",
                  "adx_14", "di_plus_14", "di_minus_14")  # fmt: skip


def of_closes(closes: list[float]) -> Columns:
    """Columns where the whole bar is its close."""
    close = np.array(closes, dtype=np.float64)
    return run_indicators(close, close, close)


def test_a_worksheet_of_rsi() -> None:
    """Fourteen changes: rises 1 + 2 + 1 + 1 + 2 = 7, falls 0.5 + 1 + 0.5 + 0.5 + 1 = 3.5, four without.

    bar 14: mean rise 7/14 = 0.5, mean fall 3.5/14 = 0.25, RS = 2, RSI = 100 - 100/3 = 200/3
    bar 15, +1: rise (13 0.5 + 1)/14 = 7.5/14, fall 13 0.25/14 = 3.25/14, RS = 30/13, RSI = 100 30/43
    bar 16, -2: rise 13 (7.5/14)/14 = 97.5/196, fall (13 (3.25/14) + 2)/14 = 70.25/196, RSI = 100 97.5/167.75
    bar 17, 0: both means shrink by 13/14: the same RSI
    """
    changes = [1, -0.5, 0, 2, -1, 1, 0, -0.5, 1, 0, -0.5, 2, -1, 0, 1, -2, 0]
    rsi = of_closes(np.cumsum([100.0, *changes]).tolist())["rsi_14"]
    assert np.isnan(rsi[:14]).all()
    assert rsi[14:].tolist() == pytest.approx([200 / 3, 3000 / 43, 9750 / 167.75, 9750 / 167.75], rel=1e-14)


def test_a_worksheet_of_stochastic_rsi() -> None:
    """Rises only, then a fall and a rise of the size of all means: RSI 100 up to bar 26.

    Each close rises by 14, so the mean rise stays 14 and the mean fall 0 until bar 27.
    bar 27, -14: rise 13, fall 1, RSI = 100 13/14; lowest of 14 bars: StochRSI 0
    bar 28, +14: rise (13 13 + 14)/14 = 183/14, fall 13/14, RSI = 100 183/196, 100 1/196 above the lowest of
    100 182/196 and 100 13/196 below the highest of 100: StochRSI 1/14
    bar 29, +14: rise (13 183/14 + 14)/14 = 2575/196, fall 169/196, RSI = 100 2575/2744; lowest 100 2548/2744:
    StochRSI (2575 - 2548)/(2744 - 2548) = 27/196; k is the mean of 0, 1/14 and 27/196 = 41/588
    """
    changes = [14] * 26 + [-14, 14, 14]
    columns = of_closes(np.cumsum([100.0, *changes]).tolist())
    assert np.isnan(columns["stoch_rsi"][:27]).all()
    assert columns["stoch_rsi"][27:].tolist() == pytest.approx([0, 1 / 14, 27 / 196], abs=1e-13)
    assert np.isnan(columns["stoch_rsi_k"][:29]).all()
    assert columns["stoch_rsi_k"][29] == pytest.approx(41 / 588, abs=1e-13)


def test_a_worksheet_of_average_true_range() -> None:
    """Bar 0 is 8 high and has no close before it: its range does not count.

    bars 1 to 12: high - low = 2, closing where they opened
    bar 13: opens 3 above the close before, 2 high: from that close to the high 5
    bar 14: opens 6 below, 1 high: from the close before to the low 7
    bar 14: ATR = (12 2 + 5 + 7)/14 = 36/14
    bar 15, range 2: ATR = (13 36/14 + 2)/14 = 496/196
    """
    close = np.array([100.0] * 13 + [104, 98, 98])
    high = np.array([108.0] + [101.0] * 12 + [105, 98, 99])
    low = np.array([100.0] + [99.0] * 12 + [103, 97, 97])
    atr = run_indicators(high, low, close)["atr_14"]
    assert np.isnan(atr[:14]).all()
    assert atr[14:].tolist() == pytest.approx([36 / 14, 496 / 196], rel=1e-14)


def test_a_worksheet_of_directional_movement() -> None:
    """A rise by 1 a bar with a range of 2 for so long that the sums stand still: +DM 14, -DM 0, TR 28.

    up to there: +DI = 50, -DI = 0, DX = ADX = 100
    then high + 1, low - 3 (outside: the larger move counts, down), close at the low; TR 6:
    +DM 13, -DM 3, TR 26 + 6 = 32: +DI = 1300/32, -DI = 300/32, DX = 100 10/16, ADX = (13 100 + 62.5)/14
    then high + 0, low - 0 (inside), TR 6: +DM 169/14, -DM 39/14, TR 13 32/14 + 6 = 500/14:
    +DI = 100 169/500, -DI = 100 39/500, DX = 100 130/208 = 62.5
    """
    close = np.arange(100.0, 700.0)
    high, low = close + 1, close - 1
    high, low = (np.append(series, [last, last]) for series, last in ((high, high[-1] + 1), (low, low[-1] - 3)))
    close = np.append(close, [low[-1], low[-1]])
    columns = run_indicators(high, low, close)
    adx = (13 * 100 + 62.5) / 14
    assert columns["di_plus_14"][-3:].tolist() == pytest.approx([50, 1300 / 32, 16_900 / 500], rel=1e-12)
    assert columns["di_minus_14"][-3:].tolist() == pytest.approx([0, 300 / 32, 3900 / 500], rel=1e-12)
    assert columns["adx_14"][-3:].tolist() == pytest.approx([100, adx, (13 * adx + 62.5) / 14], rel=1e-12)


def test_a_worksheet_of_exponential_means_and_macd() -> None:
    """A rise by 1 a bar from 1 on: the mean of the first n is (n + 1)/2, and stays (n - 1)/2 behind the close.

    ema_12 = close - 5.5, ema_26 = close - 12.5, macd = 7 = signal, histogram 0
    bar 40 lies 351 = 13 27 above the rise: ema_12 gains 2/13 of it (54), ema_26 2/27 (26), so macd = 7 + 28 = 35;
    the signal takes a fifth of 28: 12.6; histogram 22.4
    """
    columns = of_closes([*range(1, 41), 41 + 351])
    assert columns["ema_12"][11:40].tolist() == pytest.approx(np.arange(12, 41) - 5.5, rel=1e-14)
    assert columns["ema_26"][25:40].tolist() == pytest.approx(np.arange(26, 41) - 12.5, rel=1e-14)
    assert columns["macd"][25:].tolist() == pytest.approx([7] * 15 + [35], rel=1e-13)
    assert columns["macd_signal"][33:].tolist() == pytest.approx([7] * 7 + [12.6], rel=1e-13)
    assert columns["macd_histogram"][33:].tolist() == pytest.approx([0] * 7 + [22.4], abs=1e-13)
    for name, first in {"ema_12": 11, "ema_26": 25, "macd": 25, "macd_signal": 33, "macd_histogram": 33}.items():
        assert np.isnan(columns[name][:first]).all(), name


def test_a_worksheet_of_bollinger_bands() -> None:
    """Ten closes of 98 and ten of 102: mean 100, each 2 away, so the population's deviation is 2 (a sample's 2.05).

    bands 104 and 96, width 100 8/100 = 8 %, and 102 lies (102 - 96)/8 = 0.75 of the way up
    """
    columns = of_closes([98.0, 102.0] * 10)
    values = {name: column[19] for name, column in columns.items() if name.startswith("bollinger")}
    assert values == {
        "bollinger_middle": 100.0,
        "bollinger_upper": 104.0,
        "bollinger_lower": 96.0,
        "bollinger_width": 8.0,
        "bollinger_percent_b": 0.75,
    }


@pytest.mark.parametrize("price", [1.0, 0.1, 1 / 3, 1e-9, 12_345.67, 1e9])
def test_a_price_that_has_never_moved_has_no_strength_and_no_place(price: float) -> None:
    prices = flat(100, price)
    columns = run_indicators(*prices)
    assert_published(prices, columns, 1e-12)
    for name in NEEDS_MOVEMENT:
        assert np.isnan(columns[name]).all(), name
    for name in ("atr_14", "bollinger_width"):
        assert (columns[name][WARM_UP[name] :] == 0).all(), f"{name} is defined, and zero"


@pytest.mark.parametrize("seed", range(4))
def test_a_price_that_stops_moving_keeps_its_strength_and_loses_its_place(seed: int) -> None:
    """All means of moves shrink alike, so RSI and DI stay. The RSI then has no range of 14 bars left.

    Means that shrink to nothing are measured against their largest value.
    """
    walk = drawn(60, seed)
    prices = joined(walk, flat(400, walk[2][-1]))
    columns = run_indicators(*prices)
    for name, expected in by_definition(prices, seed=13).items():
        assert_agree(name, columns[name], expected, 1e-12, unit=float(np.nanmax(np.abs(expected))))
    assert np.ptp(columns["rsi_14"][60:]) < 1e-10
    assert np.isnan(columns["stoch_rsi"][72:]).all()
    assert np.isnan(columns["bollinger_percent_b"][78:]).all()


def test_the_first_bars_range_is_no_movement() -> None:
    """It enters neither a true range nor a move."""
    high, low, close = flat(60, 5.0)
    high[0], low[0] = 6.0, 4.0
    columns = run_indicators(high, low, close)
    assert_published((high, low, close), columns, 1e-12)


@pytest.mark.parametrize("still", [2, 14, 15, 60])
def test_a_late_first_move_begins_the_directional_index(still: int) -> None:
    """Before it DX is nothing over nothing: ADX is the mean of 14 DX there are, not of zeros in their place."""
    prices = joined(flat(still, 20_000.0), drawn(500))
    assert_published(prices, run_indicators(*prices), 1e-12, seed=13)


@pytest.mark.parametrize(("wick", "growth"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.125)])
@pytest.mark.parametrize("still", [0, 5, 40])
def test_a_close_that_stands_still_between_wicks(still: int, wick: float, growth: float) -> None:
    """Wicks of one length, growing or not, are a range without direction: DI 0, DX nothing over nothing.

    Then they differ. The RSI stays NULL.
    """
    _, _, close = flat(still + 120, 20.0)
    random, equal = np.random.default_rng(6), wick + growth * np.arange(still)
    high = close + np.concatenate([equal, random.uniform(0, 1, 120)])
    low = close - np.concatenate([equal, random.uniform(0, 1, 120)])
    columns = run_indicators(high, low, close)
    assert_published((high, low, close), columns, 1e-12, seed=13)
    assert np.isnan(columns["rsi_14"]).all()


@pytest.mark.parametrize("length", [*range(36), 100])
def test_a_short_run_is_the_beginning_of_a_long_one(length: int) -> None:
    """To the bit: no crash, no value before its time, none that depends on how much follows."""
    prices = drawn(300)
    whole = run_indicators(*prices)
    high, low, close = (series[:length] for series in prices)
    for name, column in run_indicators(high, low, close).items():
        assert column.tobytes() == whole[name][:length].tobytes(), name


@pytest.mark.parametrize("seed", range(3))
def test_warm_up_is_null_and_ends_where_the_registry_says(seed: int) -> None:
    for name, column in run_indicators(*drawn(60, seed)).items():
        known = np.flatnonzero(~np.isnan(column))
        assert known.tolist() == list(range(WARM_UP[name], 60)), name


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-4, 1e9])
def test_the_price_level_does_not_matter(scale: float) -> None:
    """Scaled prices are rounded anew, each by up to 1e-16 of itself: 1e-9 of the column's median is left of that."""
    prices = drawn()
    usual = run_indicators(*prices)
    high, low, close = (series * scale for series in prices)
    for name, column in run_indicators(high, low, close).items():
        assert_agree(name, column, usual[name] * (scale if is_price(name) else 1.0), 1e-9)


def is_price(name: str) -> bool:
    return name.startswith(("ema", "macd", "atr")) or name.endswith(("_middle", "_upper", "_lower"))


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**-20, 2.0**20])
def test_a_power_of_two_moves_no_bit_of_a_recursion(scale: float) -> None:
    prices = drawn()
    usual = run_indicators(*prices)
    high, low, close = (series * scale for series in prices)
    columns: dict[str, Array] = run_indicators(high, low, close)
    for name in ("rsi_14", "adx_14", "di_plus_14", "di_minus_14", "stoch_rsi"):
        assert columns[name].tobytes() == usual[name].tobytes(), name


def test_a_rise_without_a_fall_is_full_strength() -> None:
    """RSI 100, +DI above -DI, ADX 100; the RSI does not move, so StochRSI is NULL."""
    close: Array = np.cumprod(np.full(120, 1.001))
    prices: Prices = (close * 1.0005, close * 0.9995, close)
    columns = run_indicators(*prices)
    assert_published(prices, columns, 1e-12, seed=13)
    assert (columns["rsi_14"][14:] == 100.0).all()
    assert np.isnan(columns["stoch_rsi"]).all()
