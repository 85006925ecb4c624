"""Losses by hand, and that each is least on average for the truth."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from include.forecasting.losses import (
    VOLATILITY_FLOOR,
    crps_from_quantiles,
    loss_of,
    pinball,
    qlike,
    squared_error,
)
from include.forecasting.targets import Target


def test_by_hand() -> None:
    assert squared_error(np.array([1.0, -2.0]), np.array([3.0, -2.0])).tolist() == [4.0, 0.0]
    # Variances 4 and 1: 4 - ln 4 - 1.
    assert qlike(np.array([2.0]), np.array([1.0]))[0] == pytest.approx(3.0 - np.log(4.0))
    assert qlike(np.array([1.0]), np.array([2.0]))[0] == pytest.approx(0.25 + np.log(4.0) - 1.0)
    assert qlike(np.array([0.3]), np.array([0.3]))[0] == 0.0
    # Above a 90 % quantile it costs nine times what it costs below.
    assert pinball(np.array([1.0, -1.0]), np.zeros(2), 0.9) == pytest.approx([0.9, 0.1])


def test_each_target_has_its_loss() -> None:
    assert loss_of(Target.LOG_RETURN) is squared_error
    assert loss_of(Target.VOLATILITY) is qlike


def test_a_day_without_a_move_costs_much_and_not_everything() -> None:
    found = qlike(np.array([0.0, VOLATILITY_FLOOR / 9]), np.array([0.02, 0.0]))
    assert np.isfinite(found).all()
    assert found[0] > 10
    assert found[1] == 0.0


def test_qlike_is_least_for_the_root_of_the_mean_variance() -> None:
    actual = np.abs(np.random.default_rng(1).standard_t(5, 4_000)) * 0.02
    best = np.sqrt(np.mean(actual**2))
    at_best = qlike(actual, np.full(4_000, best)).mean()
    assert all(qlike(actual, np.full(4_000, best * off)).mean() > at_best for off in (0.9, 0.99, 1.01, 1.1))


@pytest.mark.parametrize("level", [0.025, 0.5, 0.9])
def test_pinball_is_least_for_the_quantile(level: float) -> None:
    actual = np.random.default_rng(2).standard_normal(20_000)
    at_quantile = pinball(actual, np.full(20_000, np.quantile(actual, level)), level).mean()
    assert all(
        pinball(actual, np.full(20_000, np.quantile(actual, level) + off), level).mean() > at_quantile
        for off in (-0.2, 0.2)
    )


def test_crps_of_a_normal_forecast_is_the_closed_form() -> None:
    levels = np.arange(1, 200) / 200
    normal = NormalDist()
    quantiles = np.array([normal.inv_cdf(level) for level in levels])
    actual = np.array([-2.0, 0.0, 0.7])
    # Gneiting and Raftery (2007): z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi).
    expected = [z * (2 * normal.cdf(z) - 1) + 2 * normal.pdf(z) - 1 / np.sqrt(np.pi) for z in actual.tolist()]
    assert crps_from_quantiles(actual, np.tile(quantiles, (3, 1)), levels) == pytest.approx(expected, abs=2e-3)


def test_crps_weighs_each_level_by_its_share_of_the_grid() -> None:
    # Pinball losses of 0.1, 0.5 and 0.2 for an outcome of 1, weights of half the distance between the neighbours.
    found = crps_from_quantiles(np.array([1.0]), np.array([[0.0, 0.0, 0.75]]), [0.1, 0.5, 0.8])
    assert found[0] == pytest.approx(2 * (0.1 * 0.25 + 0.5 * 0.35 + 0.2 * 0.25))


def test_crps_prefers_the_right_spread() -> None:
    levels = np.arange(1, 100) / 100
    quantiles = np.array([NormalDist().inv_cdf(level) for level in levels])
    actual = np.random.default_rng(3).standard_normal(5_000)
    mean = {
        spread: crps_from_quantiles(actual, np.tile(spread * quantiles, (5_000, 1)), levels).mean()
        for spread in (0.7, 1.0, 1.4)
    }
    assert min(mean, key=lambda spread: mean[spread]) == 1.0


@pytest.mark.parametrize("levels", [[0.1, 0.9], [0.9, 0.5, 0.1], [0.0, 0.5, 0.9], [0.1, 0.5, 1.0]])
def test_levels_that_do_not_fit_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="levels"):
        crps_from_quantiles(np.zeros(2), np.zeros((2, 3)), levels)
