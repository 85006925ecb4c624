"""Scores computed again by hand."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from include.forecasting.verify_scores import ScoreCheck, realised, recomputed

FORECAST: dict[str, Any] = {
    "venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "horizon_bars": 2, "forecast_id": 5,
    "chain_position": 2, "target_at": Decimal(7_200_000_000), "made_at": Decimal(5), "as_of_price": Decimal(100),
    "predicted_log_return": 0.01, "predicted_price": Decimal("101.005"), "lower_price": Decimal(99),
    "upper_price": Decimal(103), "lower_price_95": Decimal(98), "upper_price_95": Decimal(105), "model": "m",
    "model_version": "1", "drift_log_return": 0.002, "seasonal_log_return": None, "predicted_volatility": 0.03,
    "lower_volatility": 0.025, "upper_volatility": 0.04, "lower_volatility_95": 0.02, "upper_volatility_95": 0.06,
    "volatility_model": "har", "volatility_model_version": None, "ewma_volatility": 0.03, "har_volatility": 0.03,
    "newest_target_at": Decimal(7_200_000_000),
}  # fmt: skip
MIDDLE = 100.0


def scored(outcome: str, **changed: Any) -> dict[str, Any]:
    """A row of select_scores.sql that is as it ought to be, but for what is changed."""
    actual = Decimal(outcome)
    score = recomputed(FORECAST, actual, realised(100.0, [MIDDLE, float(actual)]))
    assert score is not None
    there = {"actual_price": actual, "close": actual, "candle_is_newer": False, "closes": [MIDDLE, float(actual)],
             "window_is_newer": False, "window_is_settled": True}  # fmt: skip
    return {**FORECAST, **score, **there, **changed}


def columns(row: dict[str, Any]) -> list[str | None]:
    return [finding.column for finding in ScoreCheck().findings([row])]


def test_by_hand() -> None:
    assert recomputed(FORECAST, Decimal(102), 0.05) == {
        "actual_log_return": math.log(1.02),
        "error_log_return": math.log(1.02) - 0.01,
        "absolute_error": Decimal("0.995"),
        "naive_absolute_error": Decimal(2),
        "is_covered": True,
        "is_direction_right": True,
        "is_covered_95": True,
        "actual_volatility": 0.05,
        "is_volatility_covered": False,
        "is_volatility_covered_95": True,
    }


def test_an_older_forecast_has_no_such_scores() -> None:
    older = FORECAST | dict.fromkeys(name for name in FORECAST if "95" in name or "volatility" in name)
    score = recomputed(older, Decimal(102), None) or {}
    assert [score[name] for name in score if "95" in name or "volatility" in name] == [None] * 4


def test_realised_volatility() -> None:
    path = [110.0, 99.0, 99.0]
    assert realised(100.0, path) == pytest.approx(math.hypot(math.log(1.1), math.log(0.9)))


@pytest.mark.parametrize(
    ("close", "predicted", "right"), [("99", 0.01, False), ("99", -0.01, True), ("100", 0.01, None), ("99", 0.0, None)]
)
def test_direction(close: str, predicted: float, right: bool | None) -> None:
    score = recomputed(FORECAST | {"predicted_log_return": predicted}, Decimal(close), None)
    assert score is not None
    assert score["is_direction_right"] is right


@pytest.mark.parametrize(
    ("close", "inner", "outer"),
    [("99", True, True), ("98.99", False, True), ("103", True, True), ("103.01", False, True), ("97.9", False, False)],
)
def test_bounds_are_inside(close: str, inner: bool, outer: bool) -> None:
    score = recomputed(FORECAST, Decimal(close), None) or {}
    assert (score["is_covered"], score["is_covered_95"]) == (inner, outer)


@pytest.mark.parametrize(
    "broken",
    [
        {"as_of_price": Decimal(0)},
        {"as_of_price": Decimal("NaN")},
        {"lower_price": Decimal("NaN")},
        {"upper_price": None},
        {"upper_price_95": Decimal("Infinity")},
        {"predicted_log_return": None},
    ],
)
def test_prices_that_are_none_cannot_be_scored(broken: dict[str, Any]) -> None:
    assert recomputed(FORECAST | broken, Decimal(102), None) is None
    (found,) = ScoreCheck().findings([scored("102") | broken])
    assert "cannot be scored" in found.detail


def test_a_price_beyond_any_float_is_a_finding_and_no_end() -> None:
    """Too great for any return to be told: every score of it is named."""
    found = columns(scored("102", as_of_price=Decimal("1e400")))
    assert {"actual_log_return", "error_log_return", "actual_volatility"} <= set(found)


def test_digits_beyond_any_float_are_compared() -> None:
    assert columns(scored("102", absolute_error=Decimal("0.995" + "0" * 40 + "1"))) == ["absolute_error"]


def test_a_candle_says_otherwise() -> None:
    """Known before the score was made: a fault of the score; since then: the next scoring follows it."""
    (found,) = [f for f in ScoreCheck().findings([scored("102", close=Decimal(101))]) if f.column == "actual_price"]
    assert found.detail == "actual_price is 102, the candle closed at 101"
    check = ScoreCheck()
    rows = [scored("102", close=Decimal(101), candle_is_newer=True), scored("102", close=None, candle_is_newer=None)]
    assert list(check.findings(rows)) == []
    assert (check.scores, check.outdated, check.without_candle) == (2, 1, 1)


def test_a_candle_between_says_otherwise() -> None:
    """The same of a window: its volatility was scored too early, is to be renewed, or cannot be told any more."""
    other = [103.0, 102.0]
    assert "actual_volatility" in columns(scored("102", closes=other))
    check = ScoreCheck()
    unknown = {"actual_volatility": None, "is_volatility_covered": None, "is_volatility_covered_95": None}
    rows = [
        scored("102", closes=other, window_is_newer=True),
        scored("102", closes=None),
        scored("102", closes=None, **unknown),
        scored("102", window_is_settled=False, **unknown),
        scored("102", window_is_newer=True),
    ]
    assert list(check.findings(rows)) == []
    assert (check.scores, check.outdated, check.without_candle) == (5, 2, 1)
    assert columns(scored("102", **unknown)) == [
        "actual_volatility",
        "is_volatility_covered",
        "is_volatility_covered_95",
    ]
