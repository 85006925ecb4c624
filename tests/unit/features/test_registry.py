"""The registry against the reference page: one list, no drift. (Table and view: tests/integration.)"""

from __future__ import annotations

import pytest

from include.features.blocks import MEMORY_BARS, WARM_UP_BARS
from include.features.columns_indicators import indicator_columns
from include.features.model import hours_to_bars, minimum_observed
from include.features.reference import PAGE, render
from include.features.registry import FEATURES, NAMES


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_feature_says_all_there_is_to_know() -> None:
    for feature in FEATURES:
        told = (feature.group, feature.unit, feature.definition, feature.source, feature.computed_by, feature.null_rule)
        assert all(told), feature.name
        assert feature.inputs, feature.name
        assert sum(each is not None for each in (feature.bars, feature.hours, feature.lag_hours)) <= 1, feature.name


def test_recursive_indicators_are_given_720_bars_more_than_their_longest_window() -> None:
    longest = max(feature.bars or 0 for feature in indicator_columns())
    assert MEMORY_BARS + longest <= WARM_UP_BARS


@pytest.mark.parametrize(
    ("name", "timeframe", "window", "warm_up"),
    [
        ("sma_30", "1h", 720, 683),
        ("sma_7", "1d", 7, 6),
        ("log_return_24h", "1h", 25, 24),
        ("log_return_7d", "1d", 8, 7),
        ("realised_volatility_24h", "1h", 24, 23),
        ("realised_volatility_24h", "1d", 1, 1),
        ("rsi_14", "1h", 15, 14),
        ("hour_of_day", "1h", 1, 0),
    ],
)
def test_windows_and_warm_up(name: str, timeframe: str, window: int, warm_up: int) -> None:
    feature = FEATURES[NAMES.index(name)]
    assert (feature.window_bars(timeframe), feature.warm_up_bars(timeframe)) == (window, warm_up)


def test_a_span_shorter_than_a_bar_is_a_bar() -> None:
    assert hours_to_bars(1, "1d") == 1
    assert hours_to_bars(24, "15m") == 96


def test_a_short_window_allows_no_missing_bar() -> None:
    assert minimum_observed(7) == 7
    assert minimum_observed(24) == 23
    assert minimum_observed(720) == 684


def test_the_reference_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `python -m include.features.reference`"
