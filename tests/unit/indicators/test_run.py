"""Indicators of a run: causal, silent while they warm up, and honest about a price that does not move.

Their values against the published definitions: test_golden.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from include.features.columns_indicators import indicator_columns
from include.indicators.run import run_indicators
from include.indicators.windows import Array

LENGTH = 600


def random_walk(length: int = LENGTH, seed: int = 7) -> tuple[Array, Array, Array]:
    """High, low and close of a price that moves about 1 % a bar."""
    random = np.random.default_rng(seed)
    close = 20_000 * np.exp(np.cumsum(random.normal(0, 0.01, length)))
    opened = np.concatenate([[20_000.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + random.uniform(0, 0.004, length))
    low = np.minimum(opened, close) * (1 - random.uniform(0, 0.004, length))
    return high, low, close


@pytest.mark.parametrize("length", [0, 1, 2, 12, 13, 14, 15, 16, 27, 28, 29, 34, 35, 60, LENGTH - 1])
def test_later_bars_change_nothing_and_a_short_run_is_no_error(length: int) -> None:
    high, low, close = random_walk()
    whole, part = run_indicators(high, low, close), run_indicators(high[:length], low[:length], close[:length])
    for name, values in part.items():
        assert values.tobytes() == whole[name][:length].tobytes(), name


def test_warm_up_is_missing_exactly_as_declared() -> None:
    columns = run_indicators(*random_walk())
    for feature in indicator_columns():
        missing = np.isnan(columns[feature.name])
        assert missing[: feature.warm_up].all(), feature.name
        assert not missing[feature.warm_up :].any(), feature.name


def test_every_indicator_is_in_the_registry_and_within_its_bounds() -> None:
    columns = run_indicators(*random_walk())
    assert set(columns) == {feature.name for feature in indicator_columns()}
    for feature in indicator_columns():
        values = columns[feature.name][feature.warm_up :]
        assert feature.lowest is None or values.min() >= feature.lowest, feature.name
        assert feature.highest is None or values.max() <= feature.highest, feature.name


def test_a_price_that_never_moved_has_no_strength_no_direction_and_no_place_in_its_band() -> None:
    flat = np.full(80, 5.0)
    columns = run_indicators(flat, flat, flat)
    nothing = {"rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d", "bollinger_percent_b"}
    for name in nothing | {"adx_14", "di_plus_14", "di_minus_14"}:
        assert np.isnan(columns[name]).all(), name
    assert columns["bollinger_width"][-1] == 0.0
    assert columns["atr_14"][-1] == 0.0


def test_a_strength_outlives_a_long_calm() -> None:
    high, low, close = random_walk(60)
    calm = np.full(900, close[-1])
    rsi = run_indicators(*(np.concatenate([each, calm]) for each in (high, low, close)))["rsi_14"]
    assert rsi[-1] == pytest.approx(rsi[59], rel=1e-9), "gains and losses fade alike, their ratio stays"


def test_a_place_in_a_range_needs_a_whole_window_of_strengths() -> None:
    high, low, close = (np.concatenate([np.full(30, 20_000.0), each]) for each in random_walk(60))
    columns = run_indicators(high, low, close)
    first_strength = int(np.flatnonzero(~np.isnan(columns["rsi_14"]))[0])
    first_place = int(np.flatnonzero(~np.isnan(columns["stoch_rsi"]))[0])
    assert (first_strength, first_place) == (30, 43)
