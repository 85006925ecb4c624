"""The newest row's forecast: who speaks, whose truths its interval has learned from, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from include.forecasting.intervals import walk
from include.forecasting.predicting import Champion, Prediction, check_complete, predict_newest
from include.forecasting.recipe import FittedModel
from include.forecasting.recipes.listing import recipes
from include.forecasting.refusals import ForecastRefusedError, ReasonClass
from include.forecasting.rows import ForecastRows
from include.forecasting.stored_model import MODEL_AGE_LIMIT_DAYS, TrainedModel
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.times import to_datetime
from include.forecasting.worlds import simulated

HOUR = timedelta(hours=1)
RETURN, VOLATILITY = ForecastKind(Target.LOG_RETURN, 24), ForecastKind(Target.VOLATILITY, 24)
TRAINED, LATER = 1_200, 300


@cache
def world(kind: ForecastKind) -> ForecastRows:
    """Rows of a GARCH world as they are known at the newest one: the last day's outcomes are not."""
    rows = simulated("garch", 7, TRAINED + LATER, kind)
    outcome = rows.outcome.copy()
    outcome[-kind.horizon_bars :] = np.nan
    return replace(rows, outcome=outcome)


def now_of(rows: ForecastRows) -> datetime:
    return to_datetime(rows.as_of[-1]) + timedelta(minutes=1)


@cache
def champion(kind: ForecastKind) -> Champion:
    """Fitted on all but the newest rows, its intervals walked over them."""
    past = world(kind).part(slice(0, TRAINED))
    recipe = recipes(kind.target)[0]
    fitted = recipe.fit(past)
    values = fitted.predict(past)
    _, calibration = walk(*kind, past.as_of, past.outcome, values, past.volatility)
    trained_until = to_datetime(past.as_of[-1]) + kind.horizon_bars * HOUR
    return Champion("a model", "3", TrainedModel(fitted, calibration, trained_until, "r", "d", "c"))


def with_model(kind: ForecastKind, **changed: Any) -> Champion:
    whole = champion(kind)
    return replace(whole, trained=replace(whole.trained, **changed))


def _nothing(kind: ForecastKind) -> tuple[Any, ...]:
    none = world(kind).part(slice(0, 0))
    return none.as_of, none.outcome, none.outcome, none.volatility


def refused(rows: ForecastRows, by: Champion | None, now: datetime | None = None) -> ReasonClass:
    with pytest.raises(ForecastRefusedError) as error:
        predict_newest(rows, by, HOUR, now or now_of(rows))
    return error.value.reason_class


def edges(found: Prediction) -> list[float]:
    return [found.lower_95, found.lower_80, found.value, found.upper_80, found.upper_95]


class TestBaseline:
    def test_naive(self) -> None:
        rows = world(RETURN)
        found = predict_newest(rows, None, HOUR, now_of(rows))
        assert (found.value, found.model, found.version, found.trained_until) == (0.0, "naive", None, None)
        assert edges(found) == sorted(edges(found))
        known = rows.outcome[np.isfinite(rows.outcome)]
        assert found.baselines["drift"] == pytest.approx(known.mean())
        assert found.baselines.keys() == {"random_walk", "drift", "seasonal_hour"}
        bands, _ = walk(*RETURN, rows.as_of, rows.outcome, np.zeros(len(rows)), rows.volatility)
        assert [found.lower_80, found.upper_95] == [bands.lower_80[-1], bands.upper_95[-1]]
        assert found.up_probability == bands.up_probability[-1]

    def test_har(self) -> None:
        rows = world(VOLATILITY)
        found = predict_newest(rows, None, HOUR, now_of(rows))
        assert (found.model, found.version, found.up_probability) == ("har", None, None)
        assert found.value == found.baselines["har"]
        assert found.baselines["ewma"] == pytest.approx(rows.volatility["ewma"].iloc[-1])
        assert edges(found)[0] > 0
        assert edges(found) == sorted(edges(found))

    @pytest.mark.parametrize("kind", [RETURN, VOLATILITY])
    @pytest.mark.parametrize("length", [1, 30, 200])
    def test_too_little_history(self, kind: ForecastKind, length: int) -> None:
        assert refused(world(kind).part(slice(-length, None)), None) is ReasonClass.SHORT_HISTORY


@pytest.mark.parametrize("kind", [RETURN, VOLATILITY])
class TestChampion:
    def test_it_speaks_and_its_intervals_go_on(self, kind: ForecastKind) -> None:
        """As if one walk had seen its forecasts from the training on to the newest truth."""
        rows, by = world(kind), champion(kind)
        found = predict_newest(rows, by, HOUR, now_of(rows))
        values = by.trained.predict(rows)
        assert (found.model, found.version, found.trained_until) == ("a model", "3", by.trained.trained_until)
        assert found.value == pytest.approx(values[-1], rel=1e-12)
        bands, _ = walk(*kind, rows.as_of, rows.outcome, values, rows.volatility)
        expected = [bands.lower_95[-1], bands.lower_80[-1], values[-1], bands.upper_80[-1], bands.upper_95[-1]]
        assert edges(found) == pytest.approx(expected, rel=1e-9)
        assert (found.up_probability is None) == (kind is VOLATILITY)

    def test_truths_since_its_training_count(self, kind: ForecastKind) -> None:
        rows = world(kind)
        wild = rows.outcome.copy()
        wild[TRAINED:] *= 6
        calm, storm = (
            predict_newest(each, champion(kind), HOUR, now_of(rows)) for each in (rows, replace(rows, outcome=wild))
        )
        assert storm.upper_95 - storm.lower_95 > 1.3 * (calm.upper_95 - calm.lower_95)
        assert storm.value == calm.value

    def test_what_came_before_its_training_counts_no_more(self, kind: ForecastKind) -> None:
        """Fewer rows loaded, the same forecast to the last bit; only the baselines learn from less."""
        rows, by = world(kind), champion(kind)
        whole, short = (
            predict_newest(each, by, HOUR, now_of(rows)) for each in (rows, rows.part(slice(TRAINED - 100, None)))
        )
        assert replace(short, baselines={}) == replace(whole, baselines={})
        assert short.baselines != whole.baselines

    def test_age_is_limited(self, kind: ForecastKind) -> None:
        rows, by = world(kind), champion(kind)
        limit = by.trained.trained_until + timedelta(days=MODEL_AGE_LIMIT_DAYS)
        assert refused(rows, by, limit) is ReasonClass.OLD_MODEL
        assert predict_newest(rows, by, HOUR, limit - timedelta(seconds=1)).version == "3"

    def test_an_input_that_failed_to_arrive(self, kind: ForecastKind) -> None:
        rows = world(kind)
        inputs = rows.inputs.copy()
        inputs.loc[len(rows) - 1, "rsi_14"] = np.nan
        with pytest.raises(ForecastRefusedError, match="incomplete: rsi_14 not known, and a model version 3") as error:
            predict_newest(replace(rows, inputs=inputs), champion(kind), HOUR, now_of(rows))
        assert error.value.reason_class is ReasonClass.INCOMPLETE
        inputs.loc[: len(rows) // 10, "rsi_14"] = np.nan  # as often unknown: nothing new
        assert predict_newest(replace(rows, inputs=inputs), champion(kind), HOUR, now_of(rows)).version == "3"

    def test_a_past_volatility_that_failed_to_arrive(self, kind: ForecastKind) -> None:
        rows = world(kind)
        volatility = rows.volatility.copy()
        volatility.loc[len(rows) - 1, "month"] = np.nan
        assert refused(replace(rows, volatility=volatility), champion(kind)) is ReasonClass.INCOMPLETE

    def test_inputs_that_are_no_longer_computed(self, kind: ForecastKind) -> None:
        rows = world(kind)
        fewer = replace(rows, inputs=rows.inputs.drop(columns="rsi_14"))
        assert refused(fewer, champion(kind)) is ReasonClass.UNUSABLE_MODEL

    def test_a_model_that_knows_what_is_to_come(self, kind: ForecastKind) -> None:
        """As of an hour before the last outcome it learned from, it would forecast what it has seen."""
        rows = world(kind)
        place = TRAINED - 1 + kind.horizon_bars
        assert predict_newest(rows.part(slice(0, place + 1)), champion(kind), HOUR, now_of(rows)).version == "3"
        assert refused(rows.part(slice(0, place)), champion(kind)) is ReasonClass.UNUSABLE_MODEL

    def test_a_calibration_that_was_never_walked(self, kind: ForecastKind) -> None:
        by = with_model(kind, calibration=walk(*kind, *_nothing(kind))[1])
        assert refused(world(kind), by) is ReasonClass.SHORT_HISTORY

    def test_no_number(self, kind: ForecastKind, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = world(kind)
        for value in (np.nan, np.inf, 6.0, -6.0, *([0.0] if kind is VOLATILITY else [])):
            monkeypatch.setattr(FittedModel, "predict", lambda self, rows, value=value: np.full(len(rows), value))
            assert refused(rows, champion(kind)) is ReasonClass.UNUSABLE_MODEL


def test_a_day_of_which_too_little_is_known() -> None:
    rows = world(RETURN)
    check_complete(rows)
    volatility = rows.volatility.copy()
    volatility.loc[len(rows) - 1, "day"] = np.nan
    with pytest.raises(ForecastRefusedError, match="too many hours of the last day are missing"):
        check_complete(replace(rows, volatility=volatility))
