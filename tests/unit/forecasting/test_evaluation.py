"""Figures of a walk-forward against ones worked out by hand; regimes are known at the time."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from include.forecasting.calibration import LEVELS
from include.forecasting.evaluation import REGIMES, evaluate, interval_scores, judged_rows, regimes
from include.forecasting.intervals import Bands
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.worlds import martingale, simulated

HOUR = timedelta(hours=1)
ROWS = 3_000


@pytest.fixture(scope="module")
def world() -> ForecastRows:
    return martingale(5, ROWS)


def without_first(rows: ForecastRows, values: FloatArray, left_out: int = 500) -> FloatArray:
    return np.where(np.arange(len(rows)) < left_out, np.nan, values)


class TestEvaluate:
    def test_errors_by_hand(self, world: ForecastRows) -> None:
        predicted = without_first(world, 0.1 * world.outcome)
        found = evaluate(world, predicted, {"naive": np.zeros(ROWS)}, HOUR)
        outcome = world.outcome[500:]
        assert found.overall.count == ROWS - 500
        assert found.overall.mae == pytest.approx(0.9 * np.abs(outcome).mean())
        assert found.overall.rmse == pytest.approx(0.9 * math.sqrt((outcome**2).mean()))
        assert found.overall.loss == pytest.approx(0.81 * (outcome**2).mean())
        assert found.overall.against["naive"].skill.value == pytest.approx(0.19)
        assert found.overall.against["naive"].test.p_value < 1e-6
        assert found.overall.direction is not None
        assert found.overall.direction.accuracy == 1.0
        assert (found.first_as_of, found.last_as_of) == tuple(
            at.astype("datetime64[us]").item().replace(tzinfo=found.first_as_of.tzinfo)
            for at in world.as_of[[500, ROWS - 1]]
        )
        assert found.judged.sum() == len(found.bands.lower_80) == ROWS - 500

    def test_intervals_of_a_martingale_cover_what_they_say(self, world: ForecastRows) -> None:
        found = evaluate(world, np.zeros(ROWS), {}, HOUR).overall.intervals
        assert found is not None
        assert found.coverage_80 == pytest.approx(0.80, abs=0.04)
        assert found.coverage_95 == pytest.approx(0.95, abs=0.03)
        assert 0 < found.width_80 < found.width_95
        assert 0 < found.pinball < found.crps < world.outcome.std()

    def test_regimes_share_out_the_rows_whose_regime_is_known(self, world: ForecastRows) -> None:
        found = evaluate(world, np.zeros(ROWS), {"other": np.full(ROWS, 1e-3)}, HOUR)
        assert set(found.regimes) == set(REGIMES)
        assert sum(each.count for each in found.regimes.values()) == (regimes(world) >= 0).sum() < ROWS
        assert found.regimes["calm"].rmse < found.regimes["storm"].rmse
        assert found.regimes["storm"].against["other"].skill.value == pytest.approx(0.0, abs=0.2)

    def test_volatility_is_scored_by_qlike_and_names_no_direction(self) -> None:
        rows = simulated("garch", 3, ROWS, ForecastKind(Target.VOLATILITY, 24))
        found = evaluate(rows, rows.outcome * math.sqrt(2), {"exact": rows.outcome}, HOUR)
        assert found.overall.loss == pytest.approx(0.5 - math.log(0.5) - 1)
        assert found.overall.direction is None
        assert found.overall.intervals is not None
        # A reference without a loss leaves no skill to win, and cannot be beaten.
        assert found.overall.against["exact"].skill.value == 0.0
        assert found.overall.against["exact"].test.p_value == 1.0

    def test_rows_without_outcome_or_forecast_are_not_judged(self, world: ForecastRows) -> None:
        rows = ForecastRows(
            world.target, 1, world.as_of, world.inputs, world.volatility,
            np.where(np.arange(ROWS) >= ROWS - 10, np.nan, world.outcome),
        )  # fmt: skip
        predicted = without_first(rows, np.zeros(ROWS))
        assert judged_rows(rows, predicted).sum() == ROWS - 510
        assert evaluate(rows, predicted, {}, HOUR).overall.count == ROWS - 510

    def test_too_few_rows_are_not_compared(self, world: ForecastRows) -> None:
        found = evaluate(world.part(slice(0, 40)), np.zeros(40), {"other": np.ones(40)}, HOUR)
        assert (found.overall.count, found.overall.against, found.overall.intervals) == (40, {}, None)

    def test_nothing_to_judge(self, world: ForecastRows) -> None:
        with pytest.raises(ValueError, match="no forecast with a known outcome"):
            evaluate(world, np.full(ROWS, np.nan), {}, HOUR)

    def test_reference_without_a_forecast_is_refused(self, world: ForecastRows) -> None:
        with pytest.raises(ValueError, match="finite"):
            evaluate(world, np.zeros(ROWS), {"holed": without_first(world, np.zeros(ROWS))}, HOUR)


class TestIntervalScores:
    def test_by_hand(self) -> None:
        outcome = np.array([0.0, 1.5, 3.0, 0.0])
        unknown = np.array([0.0, 0.0, 0.0, np.nan])
        levels = np.array(LEVELS)
        quantiles = np.where(levels < 0.5, -1.0, 1.0) * np.where(np.abs(levels - 0.5) > 0.44, 2.0, 1.0)
        bands = Bands(
            unknown - 1.0, unknown + 1.0, unknown - 2.0, unknown + 2.0,
            quantiles=np.tile(quantiles, (4, 1)), up_probability=unknown,
        )  # fmt: skip
        found = interval_scores(outcome, bands, np.ones(4, dtype=np.bool_))
        assert found is not None
        assert found.count == 3
        assert (found.coverage_80, found.coverage_95) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
        assert (found.width_80, found.width_95) == (2.0, 4.0)
        # Per bound, of 0, 1.5 and 3: 0.025 * (y + 2); 0.1 * (y + 1); then 0.9 and 0.975 of what lies above them.
        by_bound = [
            0.025 * (2 + 3.5 + 5),
            0.1 * (1 + 2.5 + 4),
            0.1 * 1 + 0.9 * (0.5 + 2),
            0.025 * (2 + 0.5) + 0.975 * 1,
        ]
        assert found.pinball == pytest.approx(sum(by_bound) / 4 / 3)

    def test_no_bands_yet(self) -> None:
        nothing = np.full(3, np.nan)
        bands = Bands(nothing, nothing, nothing, nothing, np.full((3, len(LEVELS)), np.nan), nothing)
        assert interval_scores(np.zeros(3), bands, np.ones(3, dtype=np.bool_)) is None


class TestRegimes:
    def test_thirds_of_the_year_before(self) -> None:
        volatility = pd.DataFrame({"day": np.tile([1.0, 2.0, 3.0], 1_000)})
        as_of = np.datetime64("2024-01-01T00:00", "us") + np.arange(3_000) * np.timedelta64(1, "h")
        rows = ForecastRows(Target.LOG_RETURN, 1, as_of, volatility, volatility, np.zeros(3_000))
        found = regimes(rows)
        assert (found[:719] == -1).all()
        assert found[2_000:2_006].tolist() == [2, 0, 1, 2, 0, 1]

    def test_the_future_does_not_move_the_past(self, world: ForecastRows) -> None:
        stormy = world.volatility.copy()
        stormy.iloc[2_000:] *= 10
        rows = ForecastRows(world.target, 1, world.as_of, world.inputs, stormy, world.outcome)
        assert (regimes(rows)[:2_000] == regimes(world)[:2_000]).all()
        assert (regimes(rows)[2_100:] == 2).mean() > 0.9

    def test_unknown_volatility_is_in_none(self, world: ForecastRows) -> None:
        holed = world.volatility.copy()
        holed.iloc[1_500:1_600] = np.nan
        rows = ForecastRows(world.target, 1, world.as_of, world.inputs, holed, world.outcome)
        assert (regimes(rows)[1_500:1_600] == -1).all()
