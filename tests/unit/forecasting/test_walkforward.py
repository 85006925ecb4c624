"""No outcome is on both sides of a cut, whatever holes the data has; and what a leak looks like is recognised."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray, diebold_mariano
from include.forecasting.targets import Target
from include.forecasting.times import to_array, to_datetime
from include.forecasting.walkforward import (
    FEWEST_TEST_ROWS,
    FEWEST_TRAINING_ROWS,
    HISTORY_BARS,
    TEST_BARS,
    Fold,
    NotEnoughHistoryError,
    embargo_bars,
    folds,
    walk_forward,
)

HOUR = timedelta(hours=1)
START = np.datetime64("2023-01-01T00:00:00", "us")


def hours(numbers: np.ndarray) -> np.ndarray:
    return START + numbers.astype("timedelta64[h]").astype("timedelta64[us]")


def rows_of(outcome: FloatArray, horizon: int, numbers: np.ndarray | None = None) -> ForecastRows:
    as_of = hours(np.arange(len(outcome)) if numbers is None else numbers)
    nothing = pd.DataFrame(index=range(len(outcome)))
    return ForecastRows(Target.LOG_RETURN, horizon, as_of, nothing, nothing, outcome)


def overlapping_martingale(seed: int, count: int, horizon: int) -> FloatArray:
    """Returns over `horizon` hours made every hour, with fat tails."""
    draws = np.random.default_rng(seed).standard_t(4, count + horizon - 1)
    return np.convolve(draws, np.ones(horizon), mode="valid")


class TestFolds:
    def test_blocks_follow_each_other_to_the_end(self) -> None:
        as_of = hours(np.arange(60_000))
        cuts = folds(as_of, 24, HOUR)
        assert cuts[-1].test.stop == 60_000
        assert all(one.test.stop == after.test.start for one, after in itertools.pairwise(cuts))
        assert {cut.test.stop - cut.test.start for cut in cuts[1:-1]} == {TEST_BARS}
        assert {cut.training.stop - cut.training.start for cut in cuts[-3:]} == {HISTORY_BARS - 48 + 1}
        assert to_array([cuts[3].test_starts_at])[0] == as_of[cuts[3].test.start]

    def test_a_later_training_judges_the_same_blocks(self) -> None:
        now, later = (folds(hours(np.arange(count)), 1, HOUR) for count in (30_000, 30_168))
        assert [cut.test_starts_at for cut in now[1:]] == [cut.test_starts_at for cut in later[1 : len(now)]]

    def test_a_short_history_keeps_most_of_it_to_judge_by(self) -> None:
        (cut, *_) = cuts = folds(hours(np.arange(2_500)), 1, HOUR)
        assert cut.training == slice(0, FEWEST_TRAINING_ROWS)
        assert sum(each.test.stop - each.test.start for each in cuts) == 2_500 - FEWEST_TRAINING_ROWS - 24

    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32),
        horizon=st.integers(1, 72),
        scattered=st.floats(0.0, 0.6),
        hole=st.tuples(st.integers(0, 9_000), st.integers(0, 4_000)),
        minutes=st.sampled_from([15, 60, 240]),
    )
    def test_outcomes_of_training_are_known_an_embargo_before_the_test(
        self, seed: int, horizon: int, scattered: float, hole: tuple[int, int], minutes: int
    ) -> None:
        bar = timedelta(minutes=minutes)
        kept = np.random.default_rng(seed).random(9_000) >= scattered
        numbers = np.flatnonzero(kept)
        numbers = numbers + np.where(numbers >= hole[0], hole[1], 0)
        as_of = START + numbers * np.timedelta64(bar)
        cuts = folds(as_of, horizon, bar)
        judged: list[int] = []
        for cut in cuts:
            last_outcome_known = as_of[cut.training][-1] + horizon * np.timedelta64(bar)
            assert as_of[cut.test][0] - last_outcome_known >= max(horizon, 24) * np.timedelta64(bar)
            assert as_of[cut.test][0] - as_of[cut.training][0] <= HISTORY_BARS * np.timedelta64(bar)
            assert as_of[cut.test][-1] - as_of[cut.test][0] < TEST_BARS * np.timedelta64(bar)
            assert len(as_of[cut.training]) >= FEWEST_TRAINING_ROWS
            judged += range(cut.test.start, cut.test.stop)
        assert judged == sorted(set(judged))
        assert len(judged) >= FEWEST_TEST_ROWS

    def test_embargo_is_never_less_than_the_horizon(self) -> None:
        assert [embargo_bars(horizon) for horizon in (1, 24, 100)] == [24, 24, 100]

    def test_blocks_after_a_long_hole_wait_until_there_is_enough_to_learn_from(self) -> None:
        """At first only 500 rows, from before the hole, are young enough."""
        numbers = np.concatenate([np.arange(5_000), 4_500 + HISTORY_BARS + np.arange(6_000)])
        cuts = folds(hours(numbers), 1, HOUR)
        assert min(cut.training.stop - cut.training.start for cut in cuts) >= FEWEST_TRAINING_ROWS
        assert any(cut.test.stop <= 5_000 for cut in cuts)
        assert not any(cut.test.start <= 5_000 < cut.test.stop for cut in cuts)
        assert cuts[-1].test.stop == len(numbers)

    @pytest.mark.parametrize("count", [0, 1, 1_000, 1_523])
    def test_too_little(self, count: int) -> None:
        with pytest.raises(NotEnoughHistoryError, match=f"{count} rows leave"):
            folds(hours(np.arange(count)), 1, HOUR)

    def test_just_enough(self) -> None:
        assert folds(hours(np.arange(1_524)), 1, HOUR)[0].test.start == 1_024

    def test_refuses_rows_out_of_order(self) -> None:
        with pytest.raises(ValueError, match="time order"):
            folds(hours(np.arange(3_000))[::-1], 1, HOUR)
        with pytest.raises(ValueError, match="time order"):
            folds(hours(np.repeat(np.arange(1_500), 2)), 1, HOUR)


@dataclass(frozen=True)
class Nearest:
    """Forecasts what came of the row nearest in time that it has learned: all it can live on is a leak."""

    name: str = "nearest"
    target: Target = Target.LOG_RETURN
    past: ForecastRows | None = None

    def fit(self, past: ForecastRows) -> Nearest:
        return Nearest(past=past)

    def predict(self, rows: ForecastRows) -> FloatArray:
        assert self.past is not None
        place = np.searchsorted(self.past.as_of, rows.as_of).clip(1, len(self.past) - 1)
        earlier = rows.as_of - self.past.as_of[place - 1] < self.past.as_of[place] - rows.as_of
        return 0.5 * self.past.outcome[place - earlier]


class TestLeak:
    """A forecaster that remembers its neighbours finds skill in overlapping outcomes exactly where a cut leaks."""

    def p_value(self, rows: ForecastRows, predicted: FloatArray) -> float:
        held = np.isfinite(predicted)
        outcome = rows.outcome[held]
        return diebold_mariano(outcome**2, (outcome - predicted[held]) ** 2, rows.horizon_bars).p_value

    def test_a_shuffled_split_is_caught_as_skill(self) -> None:
        rows = rows_of(overlapping_martingale(1, 6_000, 24), 24)
        held = np.random.default_rng(2).random(len(rows)) < 0.25
        shuffled = np.full(len(rows), np.nan)
        shuffled[held] = Nearest().fit(rows.part(~held)).predict(rows.part(held))
        assert self.p_value(rows, shuffled) < 1e-6

    def test_a_cut_without_a_gap_is_caught_beside_it(self) -> None:
        """Rows at the head of a block share hours with the end of a training that is not purged."""
        rows = rows_of(overlapping_martingale(3, 60_000, 24), 24)
        bare = [
            Fold(slice(0, start), slice(start, start + 12), to_datetime(rows.as_of[start]))
            for start in range(1_000, 60_000, 100)
        ]
        leaked = walk_forward(Nearest(), rows, bare)
        purged = walk_forward(
            Nearest(), rows, [Fold(slice(0, cut.training.stop - 48), cut.test, cut.test_starts_at) for cut in bare]
        )
        assert self.p_value(rows, leaked) < 0.001
        assert self.p_value(rows, purged) > 0.05

    @pytest.mark.parametrize("horizon", [1, 24])
    def test_ours_finds_none(self, horizon: int) -> None:
        found = 0
        for seed in range(20):
            rows = rows_of(overlapping_martingale(seed, 6_000, horizon), horizon)
            found += self.p_value(rows, walk_forward(Nearest(), rows, folds(rows.as_of, horizon, HOUR))) < 0.05
        assert found <= 1


class TestWalkForward:
    def test_learns_only_from_known_outcomes_and_leaves_other_rows_out(self) -> None:
        outcome = np.arange(4_000.0)
        outcome[7] = np.nan
        rows = rows_of(outcome, 1)
        seen: list[FloatArray] = []

        @dataclass(frozen=True)
        class Last:
            name: str = "last"
            target: Target = Target.LOG_RETURN

            def fit(self, past: ForecastRows) -> Last:
                seen.append(past.outcome)
                return self

            def predict(self, rows: ForecastRows) -> FloatArray:
                return np.full(len(rows), seen[-1][-1])

        cuts = folds(rows.as_of, 1, HOUR)
        predicted = walk_forward(Last(), rows, cuts)
        assert np.isfinite(np.concatenate(seen)).all()
        assert np.isnan(predicted[: cuts[0].test.start]).all()
        assert np.isfinite(predicted[cuts[0].test.start :]).all()
        # The last outcome learned is that of the row whose end lies the embargo before the block.
        assert [float(predicted[cut.test.start]) for cut in cuts] == [cut.test.start - 25.0 for cut in cuts]

    def test_refuses_a_forecast_that_is_not_finite(self) -> None:
        rows = rows_of(np.zeros(3_000), 1)

        @dataclass(frozen=True)
        class Broken:
            name: str = "broken"
            target: Target = Target.LOG_RETURN

            def fit(self, past: ForecastRows) -> Broken:
                return self

            def predict(self, rows: ForecastRows) -> FloatArray:
                return np.full(len(rows), np.nan)

        with pytest.raises(ValueError, match=r"broken made forecasts from 2023-02-12 that are not finite"):
            walk_forward(Broken(), rows, folds(rows.as_of, 1, HOUR))


def test_times_go_and_come_back() -> None:
    at = to_datetime(START)
    assert at.isoformat() == "2023-01-01T00:00:00+00:00"
    assert to_array([at])[0] == START
    with pytest.raises(ValueError, match="no time zone"):
        to_array([at.replace(tzinfo=None)])
