"""MLflow runs and model versions that never served, with their files; whoever served stays, with all evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.forecasting.registry import EXPERIMENT
from include.maintenance.removed import Removed
from include.warehouse.connection import Connection
from include.warehouse.sql import statement

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE = 200


def remove_models(
    connection: Connection, tracking_uri: str, older_than: datetime, *, dry_run: bool = True
) -> list[Removed]:
    """Remove runs from before `older_than` (UTC), or by default count them.

    A run stays while a version of it bears an alias, was champion, spoke in a sealed forecast or was trained since.
    Its age is what the warehouse says, or MLflow's start time for a run of which no training is recorded (killed before
    its end). First the versions go, so that nobody loads one, then the files, last the run: what is killed midway is
    taken up again. MLflow keeps a small row of a deleted run until `mlflow gc`.
    Raises mlflow.exceptions.MlflowException where MLflow does not answer.
    """
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri, tracking_uri)
    kept = {
        row[0] for row in connection.execute(statement("maintenance/kept_models.sql"), {"trained_since": older_than})
    }
    recorded = {row[0] for row in connection.execute(statement("maintenance/recorded_runs.sql"))}
    aliased = _aliased(client)
    runs = versions = size = 0
    for run in _runs(client):
        run_id = run.info.run_id
        started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
        if run_id in kept or (run_id not in recorded and started >= older_than):
            continue
        found = list(client.search_model_versions(f"run_id = '{run_id}'"))
        if any((each.name, str(each.version)) in aliased for each in found):
            continue
        size += _remove(client, tracking_uri, run, found, dry_run)
        runs, versions = runs + 1, versions + len(found)
    return [Removed("MLflow runs", runs, size), Removed("model versions", versions)]


def _runs(client: MlflowClient) -> Iterator[Any]:
    """Every run that is not deleted; listed whole before the first goes, for pages shift under a deletion."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return
    found: list[Any] = []
    page = client.search_runs([experiment.experiment_id], max_results=PAGE)
    found += page
    while page.token:
        page = client.search_runs([experiment.experiment_id], max_results=PAGE, page_token=page.token)
        found += page
    yield from found


def _aliased(client: MlflowClient) -> set[tuple[str, str]]:
    return {
        (model.name, str(version))
        for model in client.search_registered_models(max_results=1000)
        for version in model.aliases.values()
    }


def _remove(client: MlflowClient, tracking_uri: str, run: Any, versions: list[Any], dry_run: bool) -> int:
    """Remove one run, or only look; the bytes of its files."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    models = client.search_logged_models([run.info.experiment_id], filter_string=f"source_run_id = '{run.info.run_id}'")
    stores = [
        get_artifact_repository(place, tracking_uri=tracking_uri)
        for place in (*(model.artifact_location for model in models), run.info.artifact_uri)
    ]
    size = sum(_size(store) for store in stores)
    if dry_run:
        return size
    for version in versions:
        client.delete_model_version(version.name, str(version.version))
    for store in stores:
        # Files that an earlier, killed try has removed already are no error.
        with suppress(FileNotFoundError, MlflowException):
            store.delete_artifacts()  # type: ignore[no-untyped-call]
    left = sum(_size(store) for store in stores)
    if left:
        raise MlflowException(f"{left} bytes of run {run.info.run_id} could not be removed; see MLflow's log")
    for model in models:
        client.delete_logged_model(model.model_id)
    client.delete_run(run.info.run_id)
    return size


def _size(store: Any, path: str | None = None) -> int:
    """Bytes below a place of an artifact store; 0 where it is not there."""
    with suppress(FileNotFoundError):
        return sum(
            _size(store, each.path) if each.is_dir else int(each.file_size or 0) for each in store.list_artifacts(path)
        )
    return 0
