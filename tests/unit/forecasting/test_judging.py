"""From rows to a decision: skill is found where it was planted, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from include.forecasting.baselines.listing import baselines
from include.forecasting.judging import Champion, judge
from include.forecasting.recipe import MissingInputsError
from include.forecasting.recipes.listing import recipes
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.times import to_datetime
from include.forecasting.walkforward import NotEnoughHistoryError
from include.forecasting.worlds import HOURLY_DEVIATION, PLANTED_INPUT, martingale, planted_skill, simulated

HOUR = timedelta(hours=1)
ROWS = 3_000
R_SQUARED = 0.05
BASELINES = baselines(Target.LOG_RETURN)


@dataclass(frozen=True)
class Told:
    """Forecasts what it is told to, having learned nothing; recipe and fitted model in one."""

    name: str
    give: Callable[[ForecastRows], FloatArray]
    target: Target = Target.LOG_RETURN

    def fit(self, past: ForecastRows) -> Told:
        return self

    def predict(self, rows: ForecastRows) -> FloatArray:
        return self.give(rows)

    def sha256(self) -> str:
        return f"definition of {self.name}"


def signal(share: float) -> Callable[[ForecastRows], FloatArray]:
    """A share of the expected return, about, in a world of planted skill."""
    gain = share * HOURLY_DEVIATION * np.sqrt(R_SQUARED)
    return lambda rows: gain * rows.inputs[PLANTED_INPUT].to_numpy(np.float64)


def refuse(rows: ForecastRows) -> FloatArray:
    raise MissingInputsError("inputs that are no longer computed: rsi_14")


KNOWING, HALF_KNOWING = Told("knowing", signal(1.0)), Told("half", signal(0.5))
WRONG = Told("wrong", signal(-1.0))
STILL = Told("still", lambda rows: np.zeros(len(rows)))
NOT_A_NUMBER = Told("nan", lambda rows: np.full(len(rows), np.nan))
NOISE = Told("noise", lambda rows: HOURLY_DEVIATION * 0.3 * rows.inputs["adx_14"].to_numpy(np.float64))


@pytest.fixture(scope="module")
def skilled() -> ForecastRows:
    return planted_skill(7, ROWS, R_SQUARED)


def at(rows: ForecastRows, place: int) -> datetime:
    return to_datetime(rows.as_of[place])


class TestWithoutChampion:
    def test_skill_is_promoted_with_all_its_figures(self, skilled: ForecastRows) -> None:
        before = skilled.sha256()
        found = judge(skilled, [NOISE, KNOWING], BASELINES, None, 0, HOUR)
        assert (found.decision.verdict, found.recipe) == ("promoted", KNOWING)
        assert found.challenger.baseline in {"random_walk", "drift", "seasonal_hour"}
        assert found.losses[found.challenger.baseline] == min(found.losses[each.name] for each in BASELINES)
        assert found.losses["knowing"] < found.losses[found.challenger.baseline] < found.losses["noise"]
        assert found.challenger.skill.value == pytest.approx(R_SQUARED, abs=0.03)
        assert set(found.predictions) == {"noise", "knowing", *(each.name for each in BASELINES)}
        assert set(found.evaluation.overall.against) == {each.name for each in BASELINES}
        assert found.evaluation.overall.against[found.challenger.baseline].test == found.challenger.over_baseline
        assert (found.champion, found.champion_predictions) == (None, None)
        assert found.dataset_sha256 == skilled.sha256() == before

    def test_noise_leaves_the_baseline(self, skilled: ForecastRows) -> None:
        found = judge(skilled, [NOISE], BASELINES, None, 0, HOUR)
        assert found.decision.verdict == "naive"
        assert found.challenger.skill.value < 0

    def test_a_candidate_that_is_a_baseline_shows_nothing(self, skilled: ForecastRows) -> None:
        found = judge(skilled, [STILL], BASELINES[:1], None, 0, HOUR)
        assert (found.decision.verdict, found.challenger.over_baseline.p_value) == ("naive", 1.0)
        assert found.challenger.skill.value == 0.0

    def test_what_was_tried_counts(self, skilled: ForecastRows) -> None:
        alone = judge(skilled, [KNOWING], BASELINES, None, 0, HOUR).challenger
        many = judge(skilled, [KNOWING, NOISE, STILL], BASELINES, None, 9, HOUR).challenger
        assert (alone.tries, many.tries) == (1, 30)
        assert many.p_value_adjusted == pytest.approx(30 * alone.p_value_adjusted)
        assert judge(skilled, [KNOWING], BASELINES, None, 10**9, HOUR).decision.verdict == "naive"

    def test_outcomes_not_yet_known_change_nothing(self, skilled: ForecastRows) -> None:
        unknown = np.where(np.arange(ROWS) < ROWS - 5, skilled.outcome, np.nan)
        open_ended = replace(skilled, outcome=unknown)
        found = judge(open_ended, [KNOWING], BASELINES, None, 0, HOUR)
        same = judge(skilled.part(slice(0, ROWS - 5)), [KNOWING], BASELINES, None, 0, HOUR)
        assert (found.challenger, found.dataset_sha256) == (same.challenger, same.dataset_sha256)

    def test_too_little_history(self) -> None:
        with pytest.raises(NotEnoughHistoryError, match="1200 rows leave"):
            judge(martingale(1, 1_200), [STILL], BASELINES, None, 0, HOUR)

    def test_refuses_what_does_not_fit(self, skilled: ForecastRows) -> None:
        with pytest.raises(ValueError, match="a recipe and a baseline"):
            judge(skilled, [], BASELINES, None, 0, HOUR)
        with pytest.raises(ValueError, match="not unique: still, still"):
            judge(skilled, [STILL, STILL], BASELINES, None, 0, HOUR)
        with pytest.raises(ValueError, match="not forecasters of log_return: ewma, har"):
            judge(skilled, [STILL], baselines(Target.VOLATILITY), None, 0, HOUR)


class TestWithChampion:
    def verdict(self, rows: ForecastRows, new: Told, champion: Champion) -> tuple[str, str]:
        decision = judge(rows, [new], BASELINES, champion, 0, HOUR).decision
        return decision.verdict, decision.reason

    def test_is_replaced_by_a_better_one(self, skilled: ForecastRows) -> None:
        assert self.verdict(skilled, KNOWING, Champion("3", NOISE, at(skilled, 1_200)))[0] == "promoted"

    def test_stays_where_nothing_better_came(self, skilled: ForecastRows) -> None:
        verdict, reason = self.verdict(skilled, HALF_KNOWING, Champion("3", KNOWING, at(skilled, 1_200)))
        assert verdict == "kept"
        assert "champion 3 stays with skill +" in reason

    def test_stays_beside_one_that_forecasts_the_same(self, skilled: ForecastRows) -> None:
        found = judge(skilled, [KNOWING], BASELINES, Champion("3", KNOWING, at(skilled, 1_200)), 0, HOUR)
        assert found.decision.verdict == "kept"
        assert found.champion is not None
        assert found.champion.challenger_over_it is not None
        assert found.champion.challenger_over_it.p_value == 1.0

    def test_is_retired_behind_the_baseline(self, skilled: ForecastRows) -> None:
        champion = Champion("3", WRONG, at(skilled, 1_200))
        assert self.verdict(skilled, NOISE, champion)[0] == "retired"
        assert self.verdict(skilled, WRONG, champion)[0] == "retired"
        assert self.verdict(skilled, KNOWING, champion)[0] == "promoted"

    def test_is_judged_only_an_embargo_after_its_training(self, skilled: ForecastRows) -> None:
        found = judge(skilled, [KNOWING], BASELINES, Champion("3", STILL, at(skilled, 2_000)), 0, HOUR)
        assert found.champion_predictions is not None
        assert np.flatnonzero(np.isfinite(found.champion_predictions)).tolist() == list(range(2_024, ROWS))

    def test_too_few_rows_after_its_training(self, skilled: ForecastRows) -> None:
        verdict, reason = self.verdict(skilled, KNOWING, Champion("3", WRONG, at(skilled, ROWS - 300)))
        assert verdict == "kept"
        assert "cannot be compared: only 276 judged rows lie after its training" in reason

    def test_the_same_recipe_on_the_same_rows_is_no_news(self, skilled: ForecastRows) -> None:
        # Even where the champion's stored model is worse than what its recipe makes now.
        champion = Champion("3", WRONG, at(skilled, 1_200), KNOWING.sha256(), skilled.sha256())
        verdict, reason = self.verdict(skilled, KNOWING, champion)
        assert verdict == "kept"
        assert "the same recipe on the same data" in reason
        other_data = replace(champion, dataset_sha256="of other rows")
        assert self.verdict(skilled, KNOWING, other_data)[0] == "promoted"

    @pytest.mark.parametrize(
        ("champion", "why"),
        [
            (Champion("3", None, None, unusable="older than 90 days"), "older than 90 days"),
            (Champion("3", Told("gone", refuse), datetime.fromisoformat("2020-01-01T00:00Z")), "no longer computed"),
            (Champion("3", NOT_A_NUMBER, datetime.fromisoformat("2020-01-01T00:00Z")), "not all finite"),
        ],
    )
    def test_that_cannot_serve_is_no_bar(self, skilled: ForecastRows, champion: Champion, why: str) -> None:
        verdict, reason = self.verdict(skilled, KNOWING, champion)
        assert (verdict, why in reason) == ("promoted", True)
        verdict, reason = self.verdict(skilled, NOISE, champion)
        assert (verdict, why in reason) == ("retired", True)

    def test_is_a_model_or_says_why_not(self) -> None:
        with pytest.raises(ValueError, match="neither a model nor unusable"):
            Champion("3", None, None)


class TestStrangeMarkets:
    @pytest.mark.parametrize("kind", [ForecastKind(Target.LOG_RETURN, 24), ForecastKind(Target.VOLATILITY, 24)])
    def test_price_that_stands_still(self, kind: ForecastKind) -> None:
        """The real recipes and baselines; nothing is there to be won."""
        usual = simulated("garch", 1, 2_500, kind)
        inputs = pd.DataFrame(0.0, index=usual.inputs.index, columns=usual.inputs.columns)
        rows = replace(usual, inputs=inputs, volatility=0.0 * usual.volatility, outcome=np.zeros(2_500))
        found = judge(rows, recipes(kind.target), baselines(kind.target), None, 0, HOUR)
        assert found.decision.verdict == "naive"
        assert np.isfinite(list(found.losses.values())).all()

    def test_volatility_is_judged_on_its_own_loss(self) -> None:
        rows = simulated("garch", 2, 2_500, ForecastKind(Target.VOLATILITY, 24))
        listed = baselines(Target.VOLATILITY)
        found = judge(rows, recipes(Target.VOLATILITY), listed, None, 0, HOUR)
        assert set(found.evaluation.overall.against) == {"ewma", "har"}
        assert found.evaluation.overall.direction is None
        assert 0 < found.evaluation.overall.loss < 1
        doubled = Told("doubled", lambda rows: 2.0 * listed[1].fit(rows).predict(rows), Target.VOLATILITY)
        assert judge(rows, [doubled], listed, None, 0, HOUR).decision.verdict == "naive"
