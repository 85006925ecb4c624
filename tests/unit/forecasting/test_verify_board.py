"""Lines of the scoreboard from their days, by hand."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from include.forecasting.verify_board import DAY_MICROSECONDS, EXACT, KEY, Board, Day, figures, pairs, quantile

ROW: dict[str, Any] = {
    "venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "horizon_bars": 24, "model": "m",
    "model_version": "1", "drift_log_return": 0.01, "seasonal_log_return": None, "predicted_volatility": 0.02,
    "volatility_model": "har", "volatility_model_version": None, "ewma_volatility": 0.04, "har_volatility": 0.02,
    "target_at": Decimal(0), "newest_target_at": Decimal(0),
}  # fmt: skip
SCORE: dict[str, Any] = {
    "actual_log_return": 0.03, "error_log_return": 0.02, "is_direction_right": True, "is_covered": False,
    "is_covered_95": True, "actual_volatility": 0.02, "is_volatility_covered": True, "is_volatility_covered_95": None,
}  # fmt: skip


def day(loss: float, baseline_loss: float) -> Day:
    return Day(1, loss, baseline_loss, 0.5, first_target_at=Decimal(1), last_target_at=Decimal(2))


def test_a_forecast_beside_each_baseline() -> None:
    walk, drift, ewma, har = pairs(ROW, SCORE)
    assert [walk.baseline, drift.baseline] == ["random_walk", "drift"]
    assert [walk.loss, walk.baseline_loss, drift.baseline_loss] == pytest.approx([4e-4, 9e-4, 4e-4])
    assert (walk.is_direction_right, walk.is_covered, walk.is_covered_95) == (True, False, True)
    assert (ewma.target, ewma.model, ewma.baseline, ewma.loss) == ("volatility", "har", "ewma", 0.0)
    assert ewma.baseline_loss == pytest.approx(0.25 - math.log(0.25) - 1)
    assert (har.baseline_loss, har.is_covered, har.is_direction_right) == (0.0, True, None)
    assert [pair.baseline for pair in pairs(ROW, SCORE | {"actual_volatility": None})] == ["random_walk", "drift"]


@pytest.mark.parametrize(("freedom", "of_tables"), [(9, 2.2622), (29, 2.0452), (364, 1.9665)])
def test_quantile(freedom: int, of_tables: float) -> None:
    assert quantile(freedom) == pytest.approx(of_tables, abs=0.005)


def test_interval_of_the_skill() -> None:
    """Of a ratio over thirty days whose deviations are plus and minus 0.1 in turn, and over thirty in two halves."""
    in_turn = figures([day(0.9 + 0.1 * (-1) ** place, 1.0) for place in range(30)])
    assert in_turn["skill"] == pytest.approx(0.1)
    variance = 0.01 * (30 - 2 * (0.8 * 29 - 0.6 * 28 + 0.4 * 27 - 0.2 * 26))
    margin = quantile(9) * math.sqrt(variance * 30 / 29) / 30
    assert in_turn["skill_upper"] - in_turn["skill"] == pytest.approx(margin)
    halves = figures([day(1.0 if place < 15 else 0.8, 1.0) for place in range(30)])
    assert halves["skill_upper"] - halves["skill"] > 2 * margin
    assert figures([day(1.0, 1.0)] * 29)["skill_lower"] is None
    assert figures([day(0.0, 0.0)] * 40)["skill"] is None


def board(*ago: int) -> Board:
    found = Board()
    for days in ago:
        found.add(ROW | {"target_at": Decimal(-days * DAY_MICROSECONDS)}, SCORE)
    return found


def served(found: Board) -> list[dict[str, Any]]:
    return [dict(zip(KEY, key, strict=True)) | line for key, line in found._expected().items()]


def test_windows_end_at_the_newest_target() -> None:
    lines = served(board(0, 6, 7, 29, 30, 89, 90))
    walk = {line["time_window"]: line["forecasts"] for line in lines if line["baseline"] == "random_walk"}
    assert walk == {"7 days": 2, "30 days": 4, "90 days": 6, "all": 7}
    assert len(lines) == 16


def test_what_is_served_is_held_against_it() -> None:
    assert list(board(0, 1).findings(served(board(0, 1)))) == []
    assert {f.detail.split(": ")[1] for f in board(0, 1).findings([])} == {
        "the line of 2 scored forecasts is not served"
    }
    (one, *rest) = served(board(0, 1))
    (found,) = board(0, 1).findings([one | {"skill": one["skill"] + 1e-6}, *rest])
    assert (found.kind, found.column) == ("scoreboard", "skill")
    assert found.detail.startswith("log_return by m version 1 against random_walk, 7 days: skill is ")
    for name in EXACT:
        (found,) = board(0, 1).findings([one | {name: one[name] + 1}, *rest])
        assert found.column == name
    strangers = list(board(0, 1).findings([one | {"model": "x"}, one, *rest]))
    assert [found.detail for found in strangers] == [
        "log_return by x version 1 against random_walk, 7 days: no sealed forecast stands behind this line"
    ]
    (found,) = board(1, 2).findings(served(board(1, 2)))
    assert found.detail.startswith("windows end at 0, the newest scored target is ")
