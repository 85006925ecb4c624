"""Scores computed again by hand, and the scoreboard they come to."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from include.forecasting.verify_scores import ScoreCheck, recomputed

FORECAST: dict[str, Any] = {
    "venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "horizon_bars": 1, "forecast_id": 5,
    "chain_position": 2, "target_at": Decimal(3_600_000_000), "made_at": Decimal(5), "as_of_price": Decimal(100),
    "predicted_log_return": 0.01, "predicted_price": Decimal("101.005"), "lower_price": Decimal(99),
    "upper_price": Decimal(103), "coverage": 0.8, "model": "m", "model_version": "1",
}  # fmt: skip


def scored(outcome: str, **changed: Any) -> dict[str, Any]:
    """A row of select_scores.sql that is as it ought to be, but for what is changed."""
    actual = Decimal(outcome)
    score = recomputed(FORECAST, actual)
    assert score is not None
    return {**FORECAST, **score, "actual_price": actual, "close": actual, "candle_is_newer": False, **changed}


def board_of(*rows: dict[str, Any], **changed: Any) -> list[tuple[str | None, str]]:
    check = ScoreCheck()
    assert list(check.findings(rows)) == []
    errors = [float(row["absolute_error"]) for row in rows]
    naive = [float(row["naive_absolute_error"]) for row in rows]
    line = {
        **{name: FORECAST[name] for name in ("venue", "symbol", "timeframe", "horizon_bars", "model", "model_version")},
        "forecasts": len(rows),
        "mae": sum(errors) / len(rows),
        "naive_mae": sum(naive) / len(rows),
        "skill": 1 - sum(r["error_log_return"] ** 2 for r in rows) / sum(r["actual_log_return"] ** 2 for r in rows),
        "direction_accuracy": Decimal("0.5"),
        "interval_coverage": Decimal("0.5"),
        "nominal_coverage": 0.8,
        **changed,
    }
    return [(finding.column, finding.detail) for finding in check.board_findings([line])]


def test_by_hand() -> None:
    assert recomputed(FORECAST, Decimal(102)) == {
        "actual_log_return": math.log(1.02),
        "error_log_return": math.log(1.02) - 0.01,
        "absolute_error": Decimal("0.995"),
        "naive_absolute_error": Decimal(2),
        "is_covered": True,
        "is_direction_right": True,
    }


@pytest.mark.parametrize(
    ("close", "predicted", "right"), [("99", 0.01, False), ("99", -0.01, True), ("100", 0.01, None), ("99", 0.0, None)]
)
def test_direction(close: str, predicted: float, right: bool | None) -> None:
    score = recomputed(FORECAST | {"predicted_log_return": predicted}, Decimal(close))
    assert score is not None
    assert score["is_direction_right"] is right


@pytest.mark.parametrize(("close", "is_covered"), [("99", True), ("98.99", False), ("103", True), ("103.01", False)])
def test_bounds_are_inside(close: str, is_covered: bool) -> None:
    assert (recomputed(FORECAST, Decimal(close)) or {})["is_covered"] is is_covered


@pytest.mark.parametrize(
    "broken", [{"as_of_price": Decimal(0)}, {"lower_price": Decimal("NaN")}, {"upper_price": None}]
)
def test_prices_that_are_none_cannot_be_scored(broken: dict[str, Any]) -> None:
    assert recomputed(FORECAST | broken, Decimal(102)) is None
    (found,) = ScoreCheck().findings([scored("102") | broken])
    assert "cannot be scored" in found.detail


def test_digits_beyond_any_float_are_compared() -> None:
    check = ScoreCheck()
    row = scored("102", absolute_error=Decimal("0.995" + "0" * 40 + "1"))
    assert [finding.column for finding in check.findings([row])] == ["absolute_error"]


def test_a_candle_says_otherwise() -> None:
    """Known before the score was made: a fault of the score; since then: the next scoring follows it."""
    (found,) = [f for f in ScoreCheck().findings([scored("102", close=Decimal(101))]) if f.column == "actual_price"]
    assert found.detail == "actual_price is 102, the candle closed at 101"
    check = ScoreCheck()
    rows = [scored("102", close=Decimal(101), candle_is_newer=True), scored("102", close=None, candle_is_newer=None)]
    assert list(check.findings(rows)) == []
    assert (check.scores, check.outdated, check.without_candle) == (2, 1, 1)


def test_scoreboard() -> None:
    rows = scored("102"), scored("98")
    assert board_of(*rows) == []
    assert [column for column, _ in board_of(*rows, skill=0.5)] == ["skill"]
    assert [column for column, _ in board_of(*rows, forecasts=3, direction_accuracy=None)] == [
        "forecasts",
        "direction_accuracy",
    ]
    assert [detail for _, detail in board_of(*rows, model_version="2")] == [
        "m version 2: no sealed forecast stands behind this line",
        "m version 1: the line of 2 scored forecasts is not served",
    ]
