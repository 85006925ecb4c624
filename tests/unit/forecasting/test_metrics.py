"""Skill and direction against figures worked out by hand, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from include.forecasting.metrics import direction, skill


class TestSkill:
    def test_by_hand(self) -> None:
        found = skill(np.array([4.0, 1.0, 9.0, 0.0]), np.array([1.0, 4.0, 1.0, 0.0]), 1)
        assert found.value == pytest.approx(1 - 6 / 14)
        assert found.lower < found.value < found.upper

    def test_the_same_losses_have_none(self) -> None:
        losses = np.random.default_rng(1).random(500)
        found = skill(losses, losses, 24)
        assert (found.value, found.lower, found.upper) == (0.0, 0.0, 0.0)

    def test_reference_without_loss_leaves_none_to_win(self) -> None:
        found = skill(np.zeros(100), np.full(100, 0.1), 1)
        assert (found.value, found.lower, found.upper) == (0.0, 0.0, 0.0)

    def test_interval_holds_the_true_skill(self) -> None:
        """Of 300 samples with a skill of exactly 4 % (signal's share of the variance), about 285 intervals hold it."""
        held = 0
        for seed in range(300):
            signal, noise = np.random.default_rng(seed).standard_normal((2, 2_000))
            outcome = 0.2 * signal + np.sqrt(0.96) * noise
            found = skill(outcome**2, (outcome - 0.2 * signal) ** 2, 1)
            held += found.lower <= 0.04 <= found.upper
        assert 270 <= held <= 297


class TestDirection:
    def test_by_hand(self) -> None:
        found = direction(np.array([0.02, -0.01, 0.03, 0.0]), np.array([0.01, 0.01, 0.02, 0.0]), 1)
        assert found is not None
        assert (found.accuracy, found.count) == (pytest.approx(2 / 3), 3)

    def test_naive_names_none(self) -> None:
        assert direction(np.array([0.02, -0.01]), np.zeros(2), 1) is None

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

    def test_a_few_that_are_all_right_prove_little(self) -> None:
        up = np.full(48, 0.01)
        found = direction(up, up, 24)
        assert found is not None
        assert found.accuracy == found.upper == 1.0
        # Two days that share no hour: Wilson's interval of 2 out of 2.
        assert found.lower == pytest.approx(0.342, abs=0.001)
