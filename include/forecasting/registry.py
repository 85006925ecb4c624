"""The handle on MLflow: runs of trainings, model versions, and the aliases `challenger` and `champion`.

Everything is logged explicitly, with pinned requirements: autologging takes tens of seconds and logs by guess.
Models are stored as skops, which loads no code, so that a model file cannot run anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from include.forecasting.stored_model import TrainedModel as TrainedModel
from include.forecasting.stored_model import UnusableModelError as UnusableModelError
from include.forecasting.stored_model import from_metadata, metadata_of
from include.forecasting.targets import ForecastKind, Target

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

EXPERIMENT = "price_forecast"
CHAMPION, CHALLENGER = "champion", "challenger"
ARTIFACT = "model"
DESCRIPTION_LIMIT = 5_000  # characters MLflow's database holds of a version's description


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model."""

    name: str
    version: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version as the registry lists it, with the aliases it bears."""

    version: str
    run_id: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class RunRecord:
    """What one training leaves behind in MLflow beside the model; times and market are tags, figures are metrics.

    example: rows of the model's design, for its signature.
    """

    run_name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    card: str
    plots: Mapping[str, Figure]
    example: pd.DataFrame


def model_name(world: str, venue: str, symbol: str, timeframe: str, kind: ForecastKind) -> str:
    """Registered name, e.g. `live.binance.BTC-USDT.1h.24`, and `….1h.24.volatility` for another target than the return.

    MLflow allows no slash. Worlds never share a model.
    """
    parts = [world, venue, symbol.replace("/", "-"), timeframe, str(kind.horizon_bars)]
    return ".".join(parts if kind.target is Target.LOG_RETURN else [*parts, str(kind.target)])


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

    def log(self, name: str, trained: TrainedModel, trusted_types: Iterable[str], record: RunRecord) -> ModelVersion:
        """Log one training as a run and its model as the newest version of `name`, alias `challenger`.

        trusted_types: types in the pipeline that skops does not know by itself, and that loading may make.
        """
        import mlflow
        from mlflow.models import infer_signature

        client = self._client()
        with mlflow.start_run(experiment_id=self._experiment(client), run_name=record.run_name) as run:
            mlflow.log_params(dict(record.params))
            mlflow.set_tags(dict(record.tags))
            mlflow.log_text(record.card, "model_card.md")
            for file_name, figure in record.plots.items():
                mlflow.log_figure(figure, f"plots/{file_name}.png")
            info = mlflow.sklearn.log_model(
                trained.fitted.pipeline,
                name=ARTIFACT,
                serialization_format="skops",
                skops_trusted_types=list(trusted_types),
                pip_requirements=requirements(),
                signature=infer_signature(record.example, trained.fitted.pipeline.predict(record.example)),
                metadata=metadata_of(trained),
                registered_model_name=name,
            )
            # After the model: metrics that are there before are asked for one by one, to be copied to it.
            mlflow.log_metrics(dict(record.metrics), model_id=info.model_id)
        version = ModelVersion(name, str(info.registered_model_version), run.info.run_id)
        client.update_model_version(name, version.version, description=_shortened(record.card))
        client.set_registered_model_alias(name, CHALLENGER, version.version)
        return version

    def champion(self, name: str) -> ModelVersion | None:
        """The version that serves, or None where none was promoted."""
        client = self._client()
        model = self._found(lambda: client.get_registered_model(name))
        version = model.aliases.get(CHAMPION) if model else None
        if version is None:
            return None
        found = client.get_model_version(name, str(version))
        return ModelVersion(name, str(found.version), found.run_id)

    def versions(self, name: str) -> list[RegisteredVersion]:
        """Every version of a model, newest first; none where it is not registered."""
        client = self._client()
        model = self._found(lambda: client.get_registered_model(name))
        if model is None:
            return []
        bearers: dict[str, list[str]] = {}
        for alias, version in sorted(model.aliases.items()):
            bearers.setdefault(str(version), []).append(alias)
        found = [
            RegisteredVersion(str(each.version), each.run_id, tuple(bearers.get(str(each.version), ())))
            for each in client.search_model_versions(f"name = '{name}'")
        ]
        return sorted(found, key=lambda each: -int(each.version))

    def holds(self, version: ModelVersion) -> bool:
        """Whether the version is there and stems from that run."""
        client = self._client()
        found = self._found(lambda: client.get_model_version(version.name, version.version))
        return found is not None and bool(found.run_id == version.run_id)

    def load(self, version: ModelVersion) -> TrainedModel:
        """Fetch a version. Raises UnusableModelError where it was not registered by a training of ours."""
        import mlflow
        from mlflow.models import Model

        self._client()
        with TemporaryDirectory() as folder:
            path = mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}", dst_path=folder)
            try:
                return from_metadata(Model.load(path).metadata or {}, lambda: mlflow.sklearn.load_model(path))
            except UnusableModelError as error:
                raise UnusableModelError(f"{version.name} version {version.version} {error}") from error

    def promote(self, version: ModelVersion) -> None:
        """Make a version the champion."""
        self._client().set_registered_model_alias(version.name, CHAMPION, version.version)

    def retire_champion(self, name: str) -> None:
        """Leave the model without a champion: the baseline serves."""
        self._client().delete_registered_model_alias(name, CHAMPION)

    @staticmethod
    def _found(ask: Any) -> Any:
        """The answer, or None where what was asked for does not exist."""
        from mlflow.exceptions import MlflowException

        try:
            return ask()
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

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


def _shortened(card: str) -> str:
    """The card as a description; a long one ends where the whole is to be found."""
    if len(card) <= DESCRIPTION_LIMIT:
        return card
    rest = "\n\n... (the whole card is the run's artifact model_card.md)\n"
    return card[: DESCRIPTION_LIMIT - len(rest)] + rest


def requirements() -> list[str]:
    """What the stored model needs to be loaded, pinned to what it was trained with."""
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "pandas", "skops")]
