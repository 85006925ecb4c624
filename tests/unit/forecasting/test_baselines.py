"""The bars a model has to clear: simple, finite everywhere, and as good as they can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from include.forecasting.baselines.drift import Drift
from include.forecasting.baselines.ewma import Ewma
from include.forecasting.baselines.har import Har
from include.forecasting.baselines.listing import baseline, baselines, served_baseline
from include.forecasting.baselines.seasonal_hour import SeasonalHour
from include.forecasting.losses import VOLATILITY_FLOOR, qlike
from include.forecasting.recipe import NothingToLearnError
from include.forecasting.rows import ForecastRows
from include.forecasting.targets import Target
from include.forecasting.volatility import COLUMNS


def made(target: Target, count: int = 4_000, horizon: int = 24) -> ForecastRows:
    """Rows whose volatility is 0.1 * day ** 0.5 * week ** 0.3 * month ** 0.1, give or take."""
    draws = np.random.default_rng(5)
    logs = -4 + 0.5 * draws.standard_normal((count, len(COLUMNS)))
    volatility = pd.DataFrame(np.exp(logs), columns=list(COLUMNS))
    expected = np.log(0.1) + logs[:, :3] @ [0.5, 0.3, 0.1]
    noise = draws.standard_normal(count)
    outcome = np.exp(expected + 0.3 * noise) if target is Target.VOLATILITY else 0.001 + 0.01 * noise
    as_of = np.datetime64("2024-01-01", "us") + np.arange(count) * np.timedelta64(1, "h")
    return ForecastRows(target, horizon, as_of, pd.DataFrame(index=range(count)), volatility, outcome)


def test_listing() -> None:
    assert [each.name for each in baselines(Target.LOG_RETURN)] == ["random_walk", "drift", "seasonal_hour"]
    assert [each.name for each in baselines(Target.VOLATILITY)] == ["ewma", "har"]
    assert {target: served_baseline(target).name for target in Target} == {
        Target.LOG_RETURN: "random_walk",
        Target.VOLATILITY: "har",
    }
    assert all(each.target is target for target in Target for each in baselines(target))
    assert baseline(Target.VOLATILITY, "ewma").name == "ewma"
    with pytest.raises(KeyError):
        baseline(Target.LOG_RETURN, "ewma")


@pytest.mark.parametrize("each", [*baselines(Target.LOG_RETURN), *baselines(Target.VOLATILITY)], ids=lambda b: b.name)
def test_each_forecasts_every_row_and_never_looks_at_its_outcome(each: object) -> None:
    forecaster = baseline(each.target, each.name)  # type: ignore[attr-defined]
    rows = made(forecaster.target)
    future = rows.part(slice(3_000, None))
    future.volatility.loc[:9, ["day", "ewma"]] = np.nan
    future.volatility.loc[10:19, ["week", "month"]] = np.nan
    future.volatility.loc[20:29] = np.nan
    future.volatility.loc[30:39] = 0.0
    fitted = forecaster.fit(rows.part(slice(0, 2_900)))
    found = fitted.predict(future)
    assert found.shape == (1_000,)
    assert np.isfinite(found).all()
    if forecaster.target is Target.VOLATILITY:
        assert (found > 0).all()
    blind = replace(future, outcome=np.full(1_000, np.nan))
    assert fitted.predict(blind).tobytes() == found.tobytes()
    assert fitted.predict(future.part(slice(0, 0))).shape == (0,)


def test_random_walk_expects_nothing_of_no_history_at_all() -> None:
    rows = made(Target.LOG_RETURN, 10)
    assert served_baseline(Target.LOG_RETURN).fit(rows.part(slice(0, 0))).predict(rows).tolist() == [0.0] * 10


@pytest.mark.parametrize("forecaster", [Drift(), SeasonalHour(), Ewma(), Har()], ids=lambda b: b.name)
def test_others_say_that_there_is_nothing_to_learn_from(forecaster: Drift | SeasonalHour | Ewma | Har) -> None:
    with pytest.raises(NothingToLearnError):
        forecaster.fit(made(forecaster.target, 10).part(slice(0, 0)))


def test_drift_is_the_mean_of_the_past() -> None:
    rows = made(Target.LOG_RETURN)
    assert Drift().fit(rows).predict(rows).tolist() == [rows.outcome.mean()] * len(rows)


def test_seasonal_hour_is_the_mean_of_that_hour() -> None:
    rows = made(Target.LOG_RETURN)
    hours = pd.DatetimeIndex(rows.as_of).hour
    rows.outcome[hours == 7] += 0.05
    expected = pd.Series(rows.outcome).groupby(hours).transform("mean")
    np.testing.assert_allclose(SeasonalHour().fit(rows).predict(rows), expected, rtol=1e-12)


def test_seasonal_hour_of_an_hour_never_seen_is_the_mean_of_all() -> None:
    rows = made(Target.LOG_RETURN, 48)
    seen = rows.part(pd.DatetimeIndex(rows.as_of).hour != 7)
    assert SeasonalHour().fit(seen).predict(rows)[7] == pytest.approx(seen.outcome.mean())


def test_ewma_is_the_column_and_falls_back_on_the_longest_memory() -> None:
    rows = made(Target.VOLATILITY, 5)
    rows.volatility.loc[1, "ewma"] = np.nan
    rows.volatility.loc[2, ["ewma", "month"]] = np.nan
    rows.volatility.loc[3] = np.nan
    found = Ewma().fit(rows).predict(rows)
    v = rows.volatility
    usual = np.sqrt(np.mean(rows.outcome**2))
    assert found == pytest.approx([v["ewma"][0], v["month"][1], v["week"][2], usual, v["ewma"][4]])


def test_har_finds_its_weights() -> None:
    rows = made(Target.VOLATILITY)
    fitted = Har().fit(rows)
    assert fitted.weights == pytest.approx([0.5, 0.3, 0.1], abs=0.03)
    # Variances of a lognormal lie above the square of its median.
    assert fitted.constant == pytest.approx(np.log(0.1) + 0.3**2, abs=0.15)


def test_hars_level_is_the_best_under_qlike() -> None:
    rows = made(Target.VOLATILITY)
    predicted = Har().fit(rows).predict(rows)
    assert np.mean(np.square(rows.outcome / predicted)) == pytest.approx(1.0)
    least = qlike(rows.outcome, predicted).mean()
    assert all(qlike(rows.outcome, off * predicted).mean() > least for off in (0.98, 1.02))


def test_har_of_a_market_of_a_few_hours_stays_near_what_it_saw() -> None:
    rows = made(Target.VOLATILITY, 30)
    few = Har().fit(rows.part(slice(0, 3)))
    assert few.weights == pytest.approx([1 / 3] * 3, abs=0.3)
    predicted = few.predict(rows)
    typical = rows.outcome.mean()
    assert (predicted > typical / 10).all()
    assert (predicted < typical * 10).all()


def test_a_day_without_a_move_does_not_drag_har_to_nothing() -> None:
    rows = made(Target.VOLATILITY)
    rows.outcome[100:124] = 0.0
    rows.volatility.loc[100:124, "day"] = 0.0
    predicted = Har().fit(rows).predict(rows)
    assert (predicted >= VOLATILITY_FLOOR).all()
    usual = np.delete(predicted, slice(100, 125))
    assert 0.8 < np.median(usual / np.delete(rows.outcome, slice(100, 125))) < 1.4
