"""What is checked follows from the registry: no column is left out, and no bound is stated twice."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from airflow.providers.common.sql.operators.sql import SQLColumnCheckOperator

from include.features.model import minimum_observed
from include.features.registry import FEATURES, NAMES
from include.features_check import rules
from include.features_check.offenders import range_lines, range_parameters, row_lines, summary

BY_NAME = {feature.name: feature for feature in FEATURES}
INDEX = "fear_greed"


def test_each_column_is_bounded_as_the_registry_says_or_else_finite() -> None:
    bounds = rules.column_bounds()
    assert list(bounds) == list(NAMES)
    for name, feature in BY_NAME.items():
        lower, upper = bounds[name]["min"], bounds[name]["max"]
        lowest = -math.inf if feature.lowest is None else feature.lowest
        highest = math.inf if feature.highest is None else feature.highest
        assert lower.get("geq_to", lower.get("greater_than")) == lowest
        assert upper.get("leq_to", upper.get("less_than")) == highest


def test_the_rows_at_fault_are_sought_by_the_bounds_that_failed() -> None:
    asked = range_parameters()
    judge = SQLColumnCheckOperator(task_id="judge", table="t", column_mapping=rules.column_bounds())
    for name, lowest, highest in zip(NAMES, asked["lowest"], asked["highest"], strict=True):
        for check, bound, beyond in (("min", lowest, -math.inf), ("max", highest, math.inf)):
            judged = rules.column_bounds()[name][check]
            if math.isfinite(bound):
                assert judge._get_match(judged, bound, judged["tolerance"])
                assert not judge._get_match(judged, math.nextafter(bound, beyond), judged["tolerance"])
            else:
                assert not judge._get_match(judged, beyond)


def test_each_column_has_a_rule_when_it_may_not_be_null_or_a_reason_why_none() -> None:
    ruled = [each.name for each in rules.presences()]
    assert sorted([*ruled, *rules.UNTOLD, INDEX]) == sorted(NAMES)
    assert set(rules.EVIDENCE) <= set(ruled)


def test_a_null_rule_that_is_more_than_warm_up_asks_for_evidence() -> None:
    """A column that is NULL where nothing moves would otherwise be a false alarm."""
    for feature in FEATURES:
        if feature.bars is not None:
            assert (feature.null_rule != "warm-up of an unbroken run") == (feature.name in rules.EVIDENCE), feature.name


def test_a_new_kind_of_column_has_to_be_thought_about(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(BY_NAME["taker_buy_share"], name="new")
    monkeypatch.setattr(rules, "FEATURES", (*FEATURES, new))
    with pytest.raises(ValueError, match="may be NULL"):
        rules.presences()


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_a_window_may_miss_what_its_share_allows(timeframe: str) -> None:
    allowed = rules.allowances()[timeframe]
    week = BY_NAME["sma_7"].window_bars(timeframe)
    assert allowed["bars_168"] == week - minimum_observed(week)
    assert 2 * allowed["returns_168"] <= week - minimum_observed(week)
    assert allowed["none"] == 0
    assert {each.allowance for each in rules.presences()} == {"", *allowed}


def test_an_order_names_columns_there_are() -> None:
    for rule, names in rules.ORDERED.items():
        assert rule in rules.ROW_RULES
        assert set(names) <= set(NAMES)
    assert rules.ORDERED["levels_in_order"][1:3] == ("fibonacci_786", "fibonacci_618")
    assert list(rules.row_checks()) == list(rules.ROW_RULES)


def test_lines_say_where_and_what() -> None:
    at = ("binance:BTC/USDT", "1h", "2024-05-30 10:00Z")
    assert range_lines([(*at, "rsi_14", 140.0, 0.0, 100.0, 1), (*at, "macd", math.nan, -math.inf, math.inf, 1)]) == [
        "binance:BTC/USDT 1h 2024-05-30 10:00Z rsi_14 = 140.0, allowed from 0 to 100",
        "binance:BTC/USDT 1h 2024-05-30 10:00Z macd = nan, allowed any finite number",
    ]
    lines = row_lines([(*at, "rows_are_fresh", "the newest candle has no feature row", 1)])
    assert lines == ["binance:BTC/USDT 1h 2024-05-30 10:00Z rows_are_fresh: the newest candle has no feature row"]
    assert summary("wrong", lines, 1).splitlines() == ["1 wrong", *lines]
    assert summary("wrong", lines, 3).splitlines() == ["3 wrong", *lines, "... and 2 more"]
