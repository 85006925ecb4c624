"""Rolling windows: right to the last digit that matters, and the same bits wherever the window lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.indicators.windows import (
    LARGEST_VALUE,
    LONGEST_WINDOW,
    Array,
    lagged,
    short_deviation,
    short_mean,
    window_mean,
    window_sum,
)

VALUES = st.lists(st.one_of(st.floats(min_value=1e-6, max_value=1e9), st.just(math.nan)), min_size=1, max_size=60).map(
    lambda values: np.array(values)
)
BARS = st.integers(min_value=1, max_value=25)


def same_bits(left: Array, right: Array) -> bool:
    return left.tobytes() == right.tobytes()


@given(values=VALUES, bars=BARS)
def test_sum_and_count_are_those_of_the_values_present(values: Array, bars: int) -> None:
    total, count = window_sum(values, bars)
    for place in range(len(values)):
        window = [v for v in values[max(0, place + 1 - bars) : place + 1] if not math.isnan(v)]
        assert count[place] == len(window)
        assert total[place] == pytest.approx(math.fsum(window), rel=1e-12)


@given(values=VALUES, bars=BARS, before=VALUES, after=VALUES)
def test_a_window_has_the_same_bits_whatever_lies_around_it(
    values: Array, bars: int, before: Array, after: Array
) -> None:
    surrounded = np.concatenate([before, values, after])
    whole = slice(len(before) + bars - 1, len(before) + len(values))
    alone = window_mean(values, bars, at_least=1)[bars - 1 :]
    assert same_bits(window_mean(surrounded, bars, at_least=1)[whole], alone)
    mean, mean_alone = short_mean(surrounded, bars), short_mean(values, bars)
    assert same_bits(mean[whole], mean_alone[bars - 1 :])
    assert same_bits(
        short_deviation(surrounded, mean, bars)[whole], short_deviation(values, mean_alone, bars)[bars - 1 :]
    )


def test_a_huge_value_leaves_no_trace_once_it_has_left_the_window() -> None:
    values = np.array([7e16, 0.1, 0.2, 0.3])
    assert window_mean(values, 3, at_least=3)[-1] == math.fsum([0.1, 0.2, 0.3]) / 3


def test_a_window_is_the_exactly_rounded_sum_to_the_last_digits_but_one() -> None:
    random = np.random.default_rng(11)
    values = np.exp(random.uniform(-20, 30, 3000))
    total, _ = window_sum(values, 720)
    for place in range(719, 3000, 97):
        assert total[place] == pytest.approx(math.fsum(values[place - 719 : place + 1]), rel=3e-16)


def test_what_cannot_be_summed_exactly_is_refused() -> None:
    with pytest.raises(ValueError, match="too large for an exact sum"):
        window_sum(np.array([1.0, LARGEST_VALUE]), 2)
    with pytest.raises(ValueError, match="window of"):
        window_sum(np.ones(3), LONGEST_WINDOW + 1)


def test_mean_needs_enough_values() -> None:
    values = np.array([1.0, math.nan, 3.0, 5.0])
    assert window_mean(values, 3, at_least=2).tolist()[2:] == [2.0, 4.0]
    assert np.isnan(window_mean(values, 3, at_least=3)).all()


def test_deviation_is_of_the_population_and_needs_every_value() -> None:
    values = np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, math.nan])
    deviation = short_deviation(values, short_mean(values, 8), 8)
    assert deviation[7] == 2.0
    assert np.isnan(np.delete(deviation, 7)).all()


@pytest.mark.parametrize("bars", [1, 2, 3, 5])
def test_lagged_reaches_back(bars: int) -> None:
    values = np.array([1.0, 2.0, 3.0])
    expected = [math.nan] * min(bars, 3) + values.tolist()[: max(0, 3 - bars)]
    np.testing.assert_array_equal(lagged(values, bars), expected)
