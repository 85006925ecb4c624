"""Highest and lowest of trailing windows, holes and all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.indicators.extremes import window_highest, window_lowest


@given(
    values=st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(math.nan)), max_size=50),
    bars=st.integers(1, 12),
    share=st.floats(0.1, 1.0),
)
def test_extremes_are_those_of_the_values_present(values: list[float], bars: int, share: float) -> None:
    at_least = math.ceil(share * bars)
    prices = np.array(values, dtype=np.float64)
    highest, lowest = window_highest(prices, bars, at_least), window_lowest(prices, bars, at_least)
    for place in range(len(values)):
        window = [value for value in values[max(0, place + 1 - bars) : place + 1] if not math.isnan(value)]
        if len(window) < at_least:
            assert math.isnan(highest[place])
            assert math.isnan(lowest[place])
        else:
            assert (highest[place], lowest[place]) == (max(window), pytest.approx(min(window), abs=0))
