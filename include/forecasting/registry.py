"""The handle on MLflow: runs of trainings, model versions, and the aliases `challenger` and `champion`.

Everything is logged explicitly, with pinned requirements: autologging takes tens of seconds and logs by guess.
Models are stored as skops, which loads no code, so that a model file cannot run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from include.forecasting import model
from include.forecasting.conformal import Interval
from include.forecasting.significance import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

EXPERIMENT = "price_forecast"
CHAMPION, CHALLENGER = "champion", "challenger"
ARTIFACT = "model"

# The one type in our pipelines that skops does not know by itself: scikit-learn's own tree, without code of ours.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


class UnusableModelError(RuntimeError):
    """A registered model cannot be served, e.g. as it lacks what our trainings store with it."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model."""

    name: str
    version: str
    run_id: str


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A pipeline with what is needed to serve it.

    trained_until: when the last outcome it was fitted on was known (UTC).
    """

    pipeline: Any
    interval: Interval
    inputs: tuple[str, ...]
    trained_until: datetime

    def predict(self, inputs: pd.DataFrame) -> FloatArray:
        """Forecasts of log returns. Raises UnusableModelError where an input it was fitted on no longer exists."""
        missing = [name for name in self.inputs if name not in inputs.columns]
        if missing:
            raise UnusableModelError(f"inputs that are no longer computed: {', '.join(missing)}")
        return model.predict(self.pipeline, inputs[list(self.inputs)])


@dataclass(frozen=True)
class RunRecord:
    """What one training leaves behind in MLflow beside the model; times and market are tags, figures are metrics."""

    run_name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    card: str
    plots: Mapping[str, Figure]
    example: pd.DataFrame


def model_name(world: str, venue: str, symbol: str, timeframe: str, horizon_bars: int) -> str:
    """Registered name, e.g. `live.binance.BTC-USDT.1h.24`; MLflow allows no slash. Worlds never share a model."""
    return ".".join((world, venue, symbol.replace("/", "-"), timeframe, str(horizon_bars)))


class ModelRegistry:
    """Runs and models in one MLflow; what it raises where that does not answer is mlflow.exceptions.MlflowException."""

    def __init__(self, tracking_uri: str, *, artifact_location: str | None = None) -> None:
        """tracking_uri: of a server or `sqlite:///…`; artifact_location: a folder's URI, where there is no server."""
        self._uri = tracking_uri
        self._artifact_location = artifact_location

    def _client(self) -> Any:
        import mlflow

        # The parts of MLflow that have no client of their own read these.
        mlflow.set_tracking_uri(self._uri)
        mlflow.set_registry_uri(self._uri)
        return mlflow.MlflowClient(self._uri, self._uri)

    def log(self, name: str, trained: TrainedModel, record: RunRecord) -> ModelVersion:
        """Log one training as a run and its model as the newest version of `name`, alias `challenger`."""
        import mlflow
        from mlflow.models import infer_signature

        client = self._client()
        with mlflow.start_run(experiment_id=self._experiment(client), run_name=record.run_name) as run:
            mlflow.log_params(dict(record.params))
            mlflow.log_metrics(dict(record.metrics))
            mlflow.set_tags(dict(record.tags))
            mlflow.log_text(record.card, "model_card.md")
            for file_name, figure in record.plots.items():
                mlflow.log_figure(figure, f"plots/{file_name}.png")
            info = mlflow.sklearn.log_model(
                trained.pipeline,
                name=ARTIFACT,
                serialization_format="skops",
                skops_trusted_types=TRUSTED_TYPES,
                pip_requirements=requirements(),
                signature=infer_signature(record.example, trained.predict(record.example)),
                metadata={
                    "interval": asdict(trained.interval),
                    "inputs": list(trained.inputs),
                    "trained_until": trained.trained_until.isoformat(),
                },
                registered_model_name=name,
            )
        version = ModelVersion(name, str(info.registered_model_version), run.info.run_id)
        client.update_model_version(name, version.version, description=record.card)
        client.set_registered_model_alias(name, CHALLENGER, version.version)
        return version

    def champion(self, name: str) -> ModelVersion | None:
        """The version that serves, or None where none was promoted."""
        from mlflow.exceptions import MlflowException

        client = self._client()
        try:
            version = client.get_registered_model(name).aliases.get(CHAMPION)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        if version is None:
            return None
        found = client.get_model_version(name, str(version))
        return ModelVersion(name, str(found.version), found.run_id)

    def holds(self, version: ModelVersion) -> bool:
        """Whether the version is there and stems from that run."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._client().get_model_version(version.name, version.version).run_id == version.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    def load(self, version: ModelVersion) -> TrainedModel:
        """Fetch a version. Raises UnusableModelError where it was not registered by a training of ours."""
        import mlflow
        from mlflow.models import Model

        self._client()
        with TemporaryDirectory() as folder:
            path = mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}", dst_path=folder)
            metadata = Model.load(path).metadata or {}
            if not {"interval", "inputs", "trained_until"} <= set(metadata):
                raise UnusableModelError(f"{version.name} version {version.version} was not registered by a training")
            return TrainedModel(
                pipeline=mlflow.sklearn.load_model(path),
                interval=Interval(**metadata["interval"]),
                inputs=tuple(metadata["inputs"]),
                trained_until=datetime.fromisoformat(metadata["trained_until"]),
            )

    def promote(self, version: ModelVersion) -> None:
        """Make a version the champion."""
        self._client().set_registered_model_alias(version.name, CHAMPION, version.version)

    def retire_champion(self, name: str) -> None:
        """Leave the model without a champion: naive serves."""
        self._client().delete_registered_model_alias(name, CHAMPION)

    def _experiment(self, client: Any) -> str:
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            try:
                return str(client.create_experiment(EXPERIMENT, artifact_location=self._artifact_location))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = client.get_experiment_by_name(EXPERIMENT)  # another training was quicker
        return str(found.experiment_id)


def requirements() -> list[str]:
    """What the stored model needs to be loaded, pinned to what it was trained with."""
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "pandas", "skops")]
