"""Recipes are found by looking, learn what is there, and give the same bits in every process and after storing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io

from include.forecasting import recipes as package
from include.forecasting.inputs import INPUTS
from include.forecasting.losses import qlike
from include.forecasting.recipe import (
    VOLATILITY_COLUMNS,
    FittedModel,
    MissingInputsError,
    NothingToLearnError,
    Recipe,
    design,
)
from include.forecasting.recipes import listing
from include.forecasting.recipes.listing import recipe, recipes
from include.forecasting.rows import ForecastRows
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.worlds import martingale, planted_skill, simulated

ALL = [each for target in Target for each in recipes(target)]
ROOT = Path(__file__).parents[3]


def world(target: Target, rows: int = 3_000, seed: int = 1) -> ForecastRows:
    return simulated("garch", seed, rows, ForecastKind(target, 24))


def fitted(each: Recipe, rows: int = 3_000) -> FittedModel:
    return each.fit(world(each.target, rows))


def test_every_file_of_the_package_is_a_recipe() -> None:
    files = {path.stem for path in Path(package.__path__[0]).glob("*.py")} - {"__init__", "listing"}
    assert {each.name for each in ALL} == files
    assert {"boosting", "ridge"} <= {each.name for each in recipes(Target.LOG_RETURN)}
    assert {"har_boosting", "har_ridge"} <= {each.name for each in recipes(Target.VOLATILITY)}
    assert recipe(Target.LOG_RETURN, "ridge") in recipes(Target.LOG_RETURN)
    with pytest.raises(KeyError):
        recipe(Target.VOLATILITY, "ridge")


@pytest.fixture
def another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of the package, where a test puts files."""
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    listing._all.cache_clear()
    yield tmp_path
    listing._all.cache_clear()
    for module in [name for name in sys.modules if name.startswith(f"{package.__name__}.new_")]:
        del sys.modules[module]


NEW = """
from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

def make():
    from sklearn.dummy import DummyRegressor
    return DummyRegressor()

RECIPE = Recipe(name="{name}", target=Target.LOG_RETURN, parameters={{}}, make=make)
"""


def test_a_new_model_is_one_file(another_folder: Path) -> None:
    (another_folder / "new_dummy.py").write_text(NEW.format(name="dummy"))
    found = [each.name for each in recipes(Target.LOG_RETURN)]
    assert found == sorted({*(each.name for each in ALL if each.target is Target.LOG_RETURN), "dummy"})
    rows = world(Target.LOG_RETURN, 300)
    assert recipe(Target.LOG_RETURN, "dummy").fit(rows).predict(rows) == pytest.approx(rows.outcome.mean())


def test_a_name_is_given_once(another_folder: Path) -> None:
    (another_folder / "new_ridge.py").write_text(NEW.format(name="ridge"))
    with pytest.raises(ValueError, match="ridge"):
        recipes(Target.LOG_RETURN)


def test_a_file_without_a_recipe_is_an_error(another_folder: Path) -> None:
    (another_folder / "new_nothing.py").write_text("RECIPE = None\n")
    with pytest.raises(TypeError, match="new_nothing"):
        recipes(Target.VOLATILITY)


def test_design_is_inputs_and_past_volatility() -> None:
    returns, volatility = world(Target.LOG_RETURN, 50), world(Target.VOLATILITY, 50)
    assert list(design(returns).columns) == [*INPUTS, *VOLATILITY_COLUMNS]
    assert design(returns)["volatility_week"].tolist() == returns.volatility["week"].tolist()
    assert design(volatility)["volatility_week"].to_numpy() == pytest.approx(np.log(volatility.volatility["week"]))
    assert design(volatility)["rsi_14"].tolist() == volatility.inputs["rsi_14"].tolist()


def test_design_of_a_market_that_stood_still_is_finite_and_keeps_what_is_unknown() -> None:
    rows = world(Target.VOLATILITY, 4)
    rows.volatility.loc[0, "day"] = 0.0
    rows.volatility.loc[1] = 0.0
    rows.volatility.loc[2, ["day", "month"]] = np.nan
    rows.volatility.loc[3] = np.nan
    found = design(rows)[list(VOLATILITY_COLUMNS)]
    assert np.isfinite(found[:2].to_numpy()).all()
    longest = rows.volatility[["week", "month", "ewma"]].loc[0].max()
    assert found["volatility_day"][0] == pytest.approx(np.log(longest / 100))
    assert found.loc[2].isna().tolist() == [True, False, True, False]
    assert found.loc[3].isna().all()


@pytest.mark.parametrize("each", ALL, ids=lambda r: r.name)
def test_forecasts_are_finite_and_never_look_at_the_outcome(each: Recipe) -> None:
    model = fitted(each)
    rows = world(each.target, 500, seed=2)
    rows.inputs.loc[:9] = np.nan
    rows.inputs.loc[20:29] *= 1e6
    rows.volatility.loc[5:14] = np.nan
    found = model.predict(rows)
    assert found.shape == (500,)
    assert np.isfinite(found).all()
    assert np.std(found) > 0
    assert each.target is Target.LOG_RETURN or (found > 0).all()
    assert model.predict(replace(rows, outcome=np.full(500, np.nan))).tobytes() == found.tobytes()
    assert model.predict(rows.part(slice(100, 101)))[0] == pytest.approx(found[100], rel=1e-12)
    assert model.predict(rows.part(slice(0, 0))).shape == (0,)


@pytest.mark.parametrize("each", ALL, ids=lambda r: r.name)
def test_a_column_that_was_never_known_is_left_out(each: Recipe) -> None:
    rows = world(each.target)
    rows.inputs["fear_greed"] = np.nan
    model = each.fit(rows)
    assert "fear_greed" not in model.inputs
    assert set(model.inputs) == {*INPUTS, *VOLATILITY_COLUMNS} - {"fear_greed"}
    assert np.isfinite(model.predict(rows)).all()


def test_columns_that_are_no_longer_computed_are_named() -> None:
    model, rows = fitted(recipe(Target.LOG_RETURN, "ridge")), world(Target.LOG_RETURN, 10)
    with pytest.raises(MissingInputsError, match="rsi_14, adx_14"):
        model.predict(replace(rows, inputs=rows.inputs.drop(columns=["rsi_14", "adx_14"])))
    with pytest.raises(ValueError, match="volatility"):
        model.predict(world(Target.VOLATILITY, 10))


def test_columns_in_another_order_are_the_same_columns() -> None:
    model, rows = fitted(recipe(Target.LOG_RETURN, "ridge")), world(Target.LOG_RETURN, 10)
    turned = replace(rows, inputs=rows.inputs[rows.inputs.columns[::-1]])
    assert model.predict(turned).tobytes() == model.predict(rows).tobytes()


def test_nothing_to_learn_from_is_said() -> None:
    rows = world(Target.LOG_RETURN, 100)
    with pytest.raises(NothingToLearnError):
        ALL[0].fit(rows.part(slice(0, 0)))
    unknown = replace(rows, inputs=rows.inputs * np.nan, volatility=rows.volatility * np.nan)
    with pytest.raises(NothingToLearnError):
        ALL[0].fit(unknown)


def test_a_recipe_may_look_at_chosen_columns_only() -> None:
    rows = world(Target.VOLATILITY)
    few = replace(recipe(Target.VOLATILITY, "har_ridge"), columns=("volatility_day", "volatility_month"))
    model = few.fit(rows)
    assert model.inputs == ("volatility_day", "volatility_month")
    assert few.sha256() != recipe(Target.VOLATILITY, "har_ridge").sha256()
    with pytest.raises(MissingInputsError, match="volatility_year"):
        replace(few, columns=("volatility_day", "volatility_year")).fit(rows)


@pytest.mark.parametrize("each", recipes(Target.VOLATILITY), ids=lambda r: r.name)
def test_level_of_a_volatility_model_is_the_best_in_sample(each: Recipe) -> None:
    rows = world(each.target)
    predicted = each.fit(rows).predict(rows)
    assert np.mean(np.square(rows.outcome / predicted)) == pytest.approx(1.0)
    assert qlike(rows.outcome, predicted).mean() < qlike(rows.outcome, 1.02 * predicted).mean()


@pytest.mark.parametrize("each", recipes(Target.VOLATILITY), ids=lambda r: r.name)
def test_a_day_without_a_move_leaves_forecasts_where_they_were(each: Recipe) -> None:
    rows = world(each.target)
    before = each.fit(rows).predict(rows)
    rows.outcome[1_000:1_024] = 0.0
    rows.volatility.loc[1_000:1_024, "day"] = 0.0
    after = np.delete(each.fit(rows).predict(rows), slice(1_000, 1_025))
    assert np.median(np.abs(after / np.delete(before, slice(1_000, 1_025)) - 1)) < 0.1


def test_ridge_finds_most_of_a_planted_skill() -> None:
    """R² of 1 % in one input, as linear as it gets; most of it is found after 20,000 rows, and nothing in noise."""
    rows = planted_skill(4, 40_000, 0.01)
    past, ahead = rows.part(slice(0, 20_000)), rows.part(slice(20_024, None))
    predicted = recipe(Target.LOG_RETURN, "ridge").fit(past).predict(ahead)
    skill = 1 - np.mean((ahead.outcome - predicted) ** 2) / np.mean(ahead.outcome**2)
    assert 0.005 < skill < 0.012
    noise = martingale(4, 40_000)
    past, ahead = noise.part(slice(0, 20_000)), noise.part(slice(20_024, None))
    predicted = recipe(Target.LOG_RETURN, "ridge").fit(past).predict(ahead)
    skill = 1 - np.mean((ahead.outcome - predicted) ** 2) / np.mean(ahead.outcome**2)
    assert -0.002 < skill < 0.001


@pytest.mark.parametrize("each", ALL, ids=lambda r: r.name)
def test_stored_and_loaded_it_is_the_same_model(each: Recipe) -> None:
    model, rows = fitted(each), world(each.target, 200, seed=2)
    stored = skops.io.dumps(model.pipeline)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(each.trusted_types)
    assert all(name.startswith(("sklearn.", "numpy.")) for name in each.trusted_types)
    loaded = replace(model, pipeline=skops.io.loads(stored, trusted=list(each.trusted_types)))
    assert loaded.sha256() == model.sha256()
    assert loaded.predict(rows).tobytes() == model.predict(rows).tobytes()


SHOW = """
from include.forecasting.recipes.listing import recipes
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.worlds import simulated
for target in Target:
    rows = simulated("garch", 1, 1_500, ForecastKind(target, 24))
    for each in recipes(target):
        model = each.fit(rows)
        print(each.name, each.sha256(), model.sha256(), model.predict(rows).tobytes().hex())
"""


def test_another_process_makes_the_same_models_and_forecasts() -> None:
    here = []
    for each in ALL:
        rows = world(each.target, 1_500)
        model = each.fit(rows)
        here.append(f"{each.name} {each.sha256()} {model.sha256()} {model.predict(rows).tobytes().hex()}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}
    there = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert there.returncode == 0, there.stderr
    assert there.stdout.splitlines() == here


@pytest.mark.parametrize("each", ALL, ids=lambda r: r.name)
def test_hash_of_a_model_follows_what_it_learned(each: Recipe) -> None:
    rows = world(each.target)
    first = each.fit(rows)
    assert each.fit(rows).sha256() == first.sha256()
    other = rows.part(slice(0, len(rows)))
    other.outcome[7] *= 1.5
    changed = [
        each.fit(other),
        replace(first, factor=first.factor * 1.01),
        replace(first, inputs=first.inputs[::-1]),
        replace(first, recipe="another"),
        each.fit(rows.part(slice(1, None))),
    ]
    assert len({first.sha256(), *(model.sha256() for model in changed)}) == 1 + len(changed)


def _any_number(each: Recipe) -> str:
    """The full name of some parameter of its estimator that is a number."""
    return next(
        name
        for name, value in each.make().get_params().items()
        if isinstance(value, float) and name.endswith(("alpha", "l2_regularization"))
    )


@pytest.mark.parametrize("each", ALL, ids=lambda r: r.name)
def test_definition_follows_name_parameters_and_estimator(each: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    before = each.sha256()
    assert each.sha256() == before
    changed = [
        replace(each, name="another").sha256(),
        replace(each, parameters={**each.parameters, "more": 1}).sha256(),
        replace(each, link="identity" if each.link == "log" else "log").sha256(),
        replace(each, make=lambda: each.make().set_params(**{_any_number(each): 7})).sha256(),
    ]
    monkeypatch.setattr("sklearn.__version__", "0.0")
    changed.append(each.sha256())
    assert len({before, *changed}) == 1 + len(changed)


def test_what_a_run_logs_are_plain_values() -> None:
    for each in ALL:
        assert each.parameters
        assert all(isinstance(value, int | float | str | bool | None) for value in each.parameters.values())


def test_inputs_stay_as_they_were() -> None:
    rows = world(Target.VOLATILITY, 1_500)
    before = (rows.inputs.copy(), rows.volatility.copy(), rows.outcome.copy())
    for each in recipes(Target.VOLATILITY):
        each.fit(rows).predict(rows)
    pd.testing.assert_frame_equal(rows.inputs, before[0])
    pd.testing.assert_frame_equal(rows.volatility, before[1])
    assert rows.outcome.tobytes() == before[2].tobytes()
