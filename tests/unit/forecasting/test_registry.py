"""The handle on MLflow, against a real store: what is logged comes back to the bit, and who serves is told apart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from include.forecasting import model
from include.forecasting.evaluation import evaluate
from include.forecasting.registry import (
    CHALLENGER,
    ModelRegistry,
    ModelVersion,
    RunRecord,
    TrainedModel,
    UnusableModelError,
    model_name,
)
from include.forecasting.report import TrainingFacts, metrics_of, model_card, plots

NAME = model_name("recorded", "binance", "BTC/USDT", "1h", 24)
UNTIL = datetime(2024, 6, 1, tzinfo=UTC)
FACTS = TrainingFacts(
    "recorded", "binance:BTC/USDT", "1h", 24, 2_000, datetime(2024, 1, 1, tzinfo=UTC), UNTIL, 1_000,
    datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC), "a" * 64, "b" * 64,
)  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    folder = tmp_path_factory.mktemp("mlflow")
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", artifact_location=(folder / "artifacts").as_uri())


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(1).standard_normal((2_000, 3)), columns=list("abc"))


@pytest.fixture(scope="module")
def trained(inputs: pd.DataFrame) -> TrainedModel:
    outcome = inputs["a"].to_numpy() * 0.1 + np.random.default_rng(2).standard_normal(2_000)
    pipeline = model.fit(inputs, outcome)
    evaluation = evaluate(outcome, model.predict(pipeline, inputs), np.ones(2_000), 1)
    return TrainedModel(pipeline, evaluation.interval, ("a", "b", "c"), UNTIL)


@pytest.fixture(scope="module")
def record(trained: TrainedModel, inputs: pd.DataFrame) -> RunRecord:
    outcome, predicted = inputs["a"].to_numpy(), trained.predict(inputs)
    evaluation = evaluate(outcome, predicted, np.ones(2_000), 1)
    as_of = np.datetime64("2024-01-01", "us") + np.arange(2_000) * np.timedelta64(1, "h")
    return RunRecord(
        "BTC +24", {"max_iter": "50"}, metrics_of(evaluation), {"world": "recorded"},
        model_card(FACTS, evaluation, "naive is served"), plots(as_of, outcome, predicted, evaluation), inputs.head(3),
    )  # fmt: skip


@pytest.fixture(scope="module")
def version(registry: ModelRegistry, trained: TrainedModel, record: RunRecord) -> ModelVersion:
    return registry.log(NAME, trained, record)


def test_model_comes_back_to_the_bit(
    registry: ModelRegistry, version: ModelVersion, trained: TrainedModel, inputs: pd.DataFrame
) -> None:
    loaded = registry.load(version)
    assert loaded.predict(inputs).tobytes() == trained.predict(inputs).tobytes()
    assert (loaded.interval, loaded.inputs, loaded.trained_until) == (trained.interval, ("a", "b", "c"), UNTIL)


def test_run_holds_figures_plots_and_card(registry: ModelRegistry, version: ModelVersion, record: RunRecord) -> None:
    client = registry._client()
    run = client.get_run(version.run_id)
    assert run.data.params == {"max_iter": "50"}
    assert run.data.metrics == pytest.approx(dict(record.metrics))
    assert run.data.tags["world"] == "recorded"
    files = {each.path for folder in ("", "plots") for each in client.list_artifacts(version.run_id, folder)}
    assert {"model_card.md", "plots/gain_over_naive.png", "plots/forecast_and_actual.png"} <= files
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
    assert registry.champion(NAME) is None
    registry.promote(version)
    assert registry.champion(NAME) == version
    registry.retire_champion(NAME)
    assert registry.champion(NAME) is None


def test_holds_only_what_it_has(registry: ModelRegistry, version: ModelVersion) -> None:
    assert registry.holds(version)
    assert not registry.holds(ModelVersion(NAME, version.version, "another run"))
    assert not registry.holds(ModelVersion(NAME, "999", version.run_id))


def test_unreachable_registry_is_an_error_and_not_an_absent_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nobody = ModelRegistry("http://127.0.0.1:9")
    with pytest.raises(mlflow.exceptions.MlflowException):
        nobody.champion(NAME)
    with pytest.raises(mlflow.exceptions.MlflowException):
        nobody.holds(ModelVersion(NAME, "1", "run"))


def test_model_of_somebody_else_is_not_served(registry: ModelRegistry, trained: TrainedModel) -> None:
    client = registry._client()
    with mlflow.start_run(experiment_id=registry._experiment(client)):
        info = mlflow.sklearn.log_model(
            trained.pipeline,
            name="model",
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
            registered_model_name="foreign",
        )
    foreign = ModelVersion("foreign", str(info.registered_model_version), "")
    with pytest.raises(UnusableModelError, match="not registered by a training"):
        registry.load(foreign)


def test_input_that_is_gone_makes_a_model_unusable(trained: TrainedModel, inputs: pd.DataFrame) -> None:
    with pytest.raises(UnusableModelError, match="no longer computed: b"):
        trained.predict(inputs[["a", "c"]])
