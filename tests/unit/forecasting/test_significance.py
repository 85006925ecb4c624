"""The test of equal accuracy finds skill where it was planted, and does not cry wolf over overlapping horizons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.forecasting.significance import (
    TooFewForecastsError,
    bandwidth,
    diebold_mariano,
    variance_of_mean,
)


def overlapping(draws: np.random.Generator, count: int, horizon: int) -> np.ndarray:
    """Sums of `horizon` neighbouring noises with fat tails, as returns over several bars are."""
    return np.convolve(draws.standard_t(4, count + horizon - 1), np.ones(horizon), mode="valid")


class TestVarianceOfMean:
    def test_is_that_of_independent_values_where_they_are(self) -> None:
        values = np.random.default_rng(1).standard_normal(20_000)
        assert variance_of_mean(values, 1) == pytest.approx(1 / 20_000, rel=0.2)

    def test_grows_with_the_overlap(self) -> None:
        # The mean of n overlapping sums of h noises has a variance of about h * h / n.
        values = np.convolve(np.random.default_rng(2).standard_normal(20_023), np.ones(24), mode="valid")
        assert variance_of_mean(values, 24) == pytest.approx(24 * 24 / 20_000, rel=0.3)

    def test_one_value_has_none(self) -> None:
        with pytest.raises(TooFewForecastsError):
            variance_of_mean(np.array([1.0]), 1)

    @given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60), st.integers(1, 30))
    def test_is_never_negative(self, values: list[float], horizon: int) -> None:
        assert variance_of_mean(np.array(values), horizon) >= 0.0

    @given(st.integers(2, 100_000), st.integers(1, 100))
    def test_bandwidth_leaves_a_pair_to_multiply(self, count: int, horizon: int) -> None:
        assert 1 <= bandwidth(count, horizon) < count


class TestDieboldMariano:
    def test_better_candidate_is_found(self) -> None:
        draws = np.random.default_rng(3)
        signal, noise = draws.standard_normal((2, 4_000))
        outcome = 0.2 * signal + noise
        found = diebold_mariano(outcome**2, (outcome - 0.2 * signal) ** 2, 1)
        assert found.p_value < 0.001
        assert found.mean_gain > 0
        assert found.pairs == 4_000

    def test_is_one_sided(self) -> None:
        draws = np.random.default_rng(3)
        signal, noise = draws.standard_normal((2, 4_000))
        outcome = 0.2 * signal + noise
        found = diebold_mariano((outcome - 0.2 * signal) ** 2, outcome**2, 1)
        assert found.p_value > 0.999

    def test_equal_forecasts_show_nothing(self) -> None:
        losses = np.random.default_rng(4).random(500)
        assert diebold_mariano(losses, losses, 24).p_value == 1.0

    def test_forecasts_equal_but_for_rounding_show_nothing(self) -> None:
        outcome = np.random.default_rng(4).standard_normal(500)
        found = diebold_mariano(outcome**2, (outcome - 1e-17) ** 2, 1)
        assert (found.p_value, found.mean_gain) == (1.0, 0.0)

    def test_price_that_stands_still_shows_nothing(self) -> None:
        assert diebold_mariano(np.zeros(500), np.zeros(500), 1).p_value == 1.0
        assert diebold_mariano(np.zeros(500), np.full(500, 1e-9), 1).p_value == 1.0

    def test_constant_gain_is_certain(self) -> None:
        losses = np.full(500, 2.0)
        found = diebold_mariano(losses, losses - 1.0, 1)
        assert (found.p_value, found.statistic) == (0.0, math.inf)
        assert diebold_mariano(losses - 1.0, losses, 1).p_value == 1.0

    @pytest.mark.parametrize("count", [600, 3_000])
    @pytest.mark.parametrize("horizon", [1, 24])
    def test_rarely_finds_skill_in_noise(self, horizon: int, count: int) -> None:
        """Two forecasts unrelated to outcomes with fat tails, all as persistent as the horizon: 5 % may pass 0.05."""
        passed = 0
        for seed in range(400):
            draws = np.random.default_rng(seed)
            outcome, first, second = (overlapping(draws, count, horizon) for _ in range(3))
            passed += diebold_mariano((outcome - first) ** 2, (outcome - second) ** 2, horizon).p_value < 0.05
        assert passed <= 33  # 8.25 %: three standard errors above 5 %

    def test_rare_storms_are_not_forgotten(self) -> None:
        """A candidate that is a little better nearly always and much worse in storms, and no better on average."""
        passed = 0
        for seed in range(400):
            losses = np.random.default_rng(seed).lognormal(-1.125, 1.5, 500)  # of mean 1
            passed += diebold_mariano(np.ones(500), losses, 1).p_value < 0.01
        assert passed <= 14  # 3.5 %; without regard to skewness it is 7 %

    def test_too_few(self) -> None:
        with pytest.raises(TooFewForecastsError):
            diebold_mariano(np.ones(49), np.zeros(49), 1)
        with pytest.raises(TooFewForecastsError):
            diebold_mariano(np.ones(239), np.zeros(239), 24)

    def test_refuses_what_it_cannot_compare(self) -> None:
        with pytest.raises(ValueError, match="differ in shape"):
            diebold_mariano(np.ones(100), np.ones(99), 1)
        with pytest.raises(ValueError, match="finite"):
            diebold_mariano(np.full(100, np.nan), np.ones(100), 1)
