"""The handle on MLflow, against a real store: what is logged comes back to the bit, and who serves is told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from include.forecasting.inputs import INPUTS
from include.forecasting.intervals import walk
from include.forecasting.recipe import FittedModel, design
from include.forecasting.recipes.listing import recipe
from include.forecasting.registry import (
    CHALLENGER,
    CHAMPION,
    DESCRIPTION_LIMIT,
    ModelRegistry,
    ModelVersion,
    RunRecord,
    TrainedModel,
    UnusableModelError,
    model_name,
)
from include.forecasting.rows import ForecastRows
from include.forecasting.stored_model import MODEL_AGE_LIMIT_DAYS, from_metadata, metadata_of
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.volatility import COLUMNS

DAY = ForecastKind(Target.LOG_RETURN, 24)
NAME = model_name("recorded", "binance", "BTC/USDT", "1h", DAY)
UNTIL = datetime(2024, 6, 1, tzinfo=UTC)
ROWS = 1_200


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    folder = tmp_path_factory.mktemp("mlflow")
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", artifact_location=(folder / "artifacts").as_uri())


def rows_of(target: Target) -> ForecastRows:
    drawn = np.random.default_rng(1)
    inputs = pd.DataFrame(drawn.standard_normal((ROWS, len(INPUTS))), columns=list(INPUTS))
    inputs.iloc[:50, 3] = np.nan
    volatility = pd.DataFrame(np.exp(drawn.normal(-3.5, 0.3, (ROWS, len(COLUMNS)))), columns=list(COLUMNS))
    outcome = inputs["rsi_14"].to_numpy() * 0.01 + drawn.normal(0, 0.02, ROWS)
    if target is Target.VOLATILITY:
        outcome = np.exp(outcome - 3.5)
    as_of = np.datetime64("2024-01-01", "us") + np.arange(ROWS) * np.timedelta64(1, "h")
    return ForecastRows(target, 24, as_of, inputs, volatility, outcome)


def model_of(rows: ForecastRows, name: str) -> TrainedModel:
    made = recipe(rows.target, name)
    fitted = made.fit(rows)
    _, calibration = walk(rows.target, 24, rows.as_of, rows.outcome, fitted.predict(rows), rows.volatility)
    return TrainedModel(fitted, calibration, UNTIL, made.sha256(), rows.sha256(), "c" * 64)


def record_of(rows: ForecastRows, fitted: FittedModel) -> RunRecord:
    figure = Figure()
    figure.subplots().plot([0, 1])
    return RunRecord(
        "BTC +24", {"model.max_iter": "50"}, {"skill": 0.012, "loss.drift": 1e-4}, {"world": "recorded"},
        "# BTC/USDT, 24 bars of 1h ahead (recorded data)", {"reliability": figure},
        design(rows.part(slice(0, 3)))[list(fitted.inputs)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> ForecastRows:
    return rows_of(Target.LOG_RETURN)


@pytest.fixture(scope="module")
def trained(rows: ForecastRows) -> TrainedModel:
    return model_of(rows, "boosting")


@pytest.fixture(scope="module")
def record(rows: ForecastRows, trained: TrainedModel) -> RunRecord:
    return record_of(rows, trained.fitted)


@pytest.fixture(scope="module")
def version(registry: ModelRegistry, trained: TrainedModel, record: RunRecord) -> ModelVersion:
    return registry.log(NAME, trained, recipe(Target.LOG_RETURN, "boosting").trusted_types, record)


def test_model_comes_back_to_the_bit(
    registry: ModelRegistry, version: ModelVersion, trained: TrainedModel, rows: ForecastRows
) -> None:
    loaded = registry.load(version)
    assert loaded.predict(rows).tobytes() == trained.predict(rows).tobytes()
    assert loaded.fitted.sha256() == trained.fitted.sha256()
    assert replace(loaded, fitted=trained.fitted) == trained


@pytest.mark.parametrize(
    ("target", "name"),
    [(Target.LOG_RETURN, "ridge"), (Target.VOLATILITY, "har_ridge"), (Target.VOLATILITY, "har_boosting")],
)
def test_every_recipe_comes_back_to_the_bit(registry: ModelRegistry, target: Target, name: str) -> None:
    rows = rows_of(target)
    trained = model_of(rows, name)
    stored = registry.log(name, trained, recipe(target, name).trusted_types, record_of(rows, trained.fitted))
    assert registry.load(stored).predict(rows).tobytes() == trained.predict(rows).tobytes()


def test_run_holds_figures_plots_and_card(registry: ModelRegistry, version: ModelVersion, record: RunRecord) -> None:
    client = registry._client()
    run = client.get_run(version.run_id)
    assert run.data.params == {"model.max_iter": "50"}
    assert run.data.metrics == pytest.approx(dict(record.metrics))
    (of_run,) = run.outputs.model_outputs
    of_model = client.get_logged_model(of_run.model_id).metrics
    assert {each.key: each.value for each in of_model} == pytest.approx(dict(record.metrics))
    assert run.data.tags["world"] == "recorded"
    files = {each.path for folder in ("", "plots") for each in client.list_artifacts(version.run_id, folder)}
    assert {"model_card.md", "plots/reliability.png"} <= files
    stored = client.get_model_version(NAME, version.version)
    assert "BTC/USDT, 24 bars of 1h ahead (recorded data)" in stored.description
    assert client.get_model_version_by_alias(NAME, CHALLENGER).version == stored.version


def test_requirements_are_pinned_and_no_code_is_pickled(registry: ModelRegistry, version: ModelVersion) -> None:
    registry._client()
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{version.version}"))
    assert {f"scikit-learn=={__import__('sklearn').__version__}"} <= set(
        (folder / "requirements.txt").read_text().split()
    )
    assert (folder / "model.skops").exists()
    assert not list(folder.glob("*.pkl"))


def test_nobody_serves_until_promoted_and_after_retirement(registry: ModelRegistry, version: ModelVersion) -> None:
    assert registry.champion("recorded.unheard.of") is None
    assert registry.versions("recorded.unheard.of") == []
    assert registry.champion(NAME) is None
    registry.promote(version)
    assert registry.champion(NAME) == version
    assert [(each.version, each.aliases) for each in registry.versions(NAME)] == [
        (version.version, (CHALLENGER, CHAMPION))
    ]
    registry.retire_champion(NAME)
    assert registry.champion(NAME) is None
    assert registry.holds(version)
    assert not registry.holds(ModelVersion(NAME, version.version, "another run"))
    assert not registry.holds(ModelVersion(NAME, "99", version.run_id))


def test_unreachable_registry_is_an_error_and_not_an_absent_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nobody = ModelRegistry("http://127.0.0.1:9")
    asked: list[Callable[[], Any]] = [
        lambda: nobody.champion(NAME),
        lambda: nobody.versions(NAME),
        lambda: nobody.holds(ModelVersion(NAME, "1", "run")),
    ]
    for ask in asked:
        with pytest.raises(mlflow.exceptions.MlflowException):
            ask()


def test_model_of_somebody_else_is_not_served(registry: ModelRegistry, trained: TrainedModel) -> None:
    client = registry._client()
    given = {
        "pip_requirements": ["scikit-learn"],
        "serialization_format": "skops",
        "skops_trusted_types": list(recipe(Target.LOG_RETURN, "boosting").trusted_types),
        "registered_model_name": "foreign",
    }
    with mlflow.start_run(experiment_id=registry._experiment(client)):
        info = mlflow.sklearn.log_model(trained.fitted.pipeline, name="model", **given)
    with pytest.raises(UnusableModelError, match="foreign version 1 was not registered by a training"):
        registry.load(ModelVersion("foreign", str(info.registered_model_version), ""))


def test_model_that_is_not_the_trained_one_is_not_served(
    registry: ModelRegistry, trained: TrainedModel, record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = replace(record, card="word " * 2_000)
    with monkeypatch.context() as patched:
        patched.setattr(FittedModel, "sha256", lambda model: "0" * 64)
        other = registry.log("other", trained, recipe(Target.LOG_RETURN, "boosting").trusted_types, long)
    description = registry._client().get_model_version("other", other.version).description
    assert len(description) == DESCRIPTION_LIMIT
    assert description.rstrip().endswith("model_card.md)")
    with pytest.raises(UnusableModelError, match="not the model that was trained"):
        registry.load(other)


@pytest.mark.parametrize("calibration", ["{", "{}", "[1]", '{"target": "log_return", "pending": [], "unheard_of": 1}'])
def test_calibration_of_another_release_makes_a_model_unusable(trained: TrainedModel, calibration: str) -> None:
    metadata = metadata_of(trained)
    assert from_metadata(metadata, lambda: trained.fitted.pipeline).calibration == trained.calibration
    with pytest.raises(UnusableModelError):
        from_metadata(metadata | {"calibration": calibration}, lambda: trained.fitted.pipeline)


def test_input_that_is_gone_makes_a_model_unusable(trained: TrainedModel, rows: ForecastRows) -> None:
    without = replace(rows, inputs=rows.inputs.drop(columns="rsi_14"))
    with pytest.raises(UnusableModelError, match="no longer computed: rsi_14"):
        trained.predict(without)


def test_a_model_expires(trained: TrainedModel) -> None:
    limit = UNTIL + timedelta(days=MODEL_AGE_LIMIT_DAYS)
    assert trained.expired(limit - timedelta(seconds=1)) is None
    assert trained.expired(limit) == "it learned until 2024-06-01, 90 days ago; the limit is 90"


def test_names_of_kinds() -> None:
    assert NAME == "recorded.binance.BTC-USDT.1h.24"
    volatility = ForecastKind(Target.VOLATILITY, 24)
    assert model_name("live", "kraken", "ETH/USD", "1h", volatility) == "live.kraken.ETH-USD.1h.24.volatility"
