"""Errors, skill and direction against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from include.forecasting.metrics import direction, point_scores


class TestPointScores:
    def test_by_hand(self) -> None:
        found = point_scores(np.array([0.02, -0.01, 0.03, 0.0]), np.array([0.01, 0.01, 0.02, 0.0]), 1)
        assert found.count == 4
        assert found.mae == pytest.approx(0.01)
        assert found.naive_mae == pytest.approx(0.015)
        assert found.rmse == pytest.approx(math.sqrt(0.0006 / 4))
        assert found.naive_rmse == pytest.approx(math.sqrt(0.0014 / 4))
        assert found.skill == pytest.approx(1 - 6 / 14)
        assert found.direction is not None
        assert (found.direction.accuracy, found.direction.count) == (pytest.approx(2 / 3), 3)

    def test_naive_has_no_skill_and_no_direction(self) -> None:
        found = point_scores(np.array([0.02, -0.01]), np.zeros(2), 1)
        assert found.skill == 0.0
        assert found.direction is None

    def test_price_that_stands_still_has_no_skill_to_win(self) -> None:
        assert point_scores(np.zeros(10), np.full(10, 0.1), 1).skill == 0.0

    @pytest.mark.parametrize(
        ("actual", "predicted"), [([], []), ([1.0], [1.0, 2.0]), ([math.nan], [1.0]), ([1.0], [math.inf])]
    )
    def test_refuses(self, actual: list[float], predicted: list[float]) -> None:
        with pytest.raises(ValueError, match=r"cannot score|finite"):
            point_scores(np.array(actual), np.array(predicted), 1)


class TestDirection:
    def test_interval_of_a_coin_holds_a_half(self) -> None:
        draws = np.random.default_rng(5)
        found = direction(draws.standard_normal(5_000), draws.standard_normal(5_000), 1)
        assert found is not None
        assert found.lower < 0.5 < found.upper
        assert found.upper - found.lower < 0.04

    def test_overlap_widens_the_interval(self) -> None:
        signs = np.repeat(np.random.default_rng(6).choice([-1.0, 1.0], 200), 24)
        up = np.ones_like(signs)
        narrow, wide = direction(signs[::24], up[::24], 1), direction(signs, up, 24)
        assert narrow is not None
        assert wide is not None
        # 24 copies of each sign are no more evidence than one.
        assert wide.upper - wide.lower > 0.6 * (narrow.upper - narrow.lower)
