"""Models that never served go from a real MLflow, files included; champions and whatever spoke stay whole."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from include.config.markets import MARKETS
from include.forecasting.registry import EXPERIMENT
from include.maintenance.models import remove_models
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

NAME = "synthetic.binance.BTC-USDT.1h.24"
NOW = datetime.now(UTC)
LIMIT = NOW - timedelta(days=182)
OLD = LIMIT - timedelta(days=1)


class Store:
    """A real MLflow with trainings in it, and the warehouse that knows of them."""

    def __init__(self, database: Path, folder: Path, owner: Connection) -> None:
        shutil.copy(database, folder / "mlflow.db")
        self.uri, self.artifacts, self.owner = f"sqlite:///{folder}/mlflow.db", folder / "artifacts", owner
        self.client = MlflowClient(self.uri, self.uri)
        self.experiment = self.client.create_experiment(EXPERIMENT, artifact_location=self.artifacts.as_uri())
        self.client.create_registered_model(NAME)
        self.instrument = ensure_instrument(owner, MARKETS[0])

    def train(self, trained_at: datetime | None) -> tuple[str, str]:
        """A run with a file, a logged model with a file and a version; its run and version. None: never recorded."""
        run = self.client.create_run(self.experiment)
        self.client.log_text(run.info.run_id, "card", "model_card.md")
        model = self.client.create_logged_model(self.experiment, source_run_id=run.info.run_id)
        file = Path(model.artifact_location.removeprefix("file://")) / "model.skops"
        file.parent.mkdir(parents=True)
        file.write_text("pipeline")
        version = self.client.create_model_version(NAME, model.artifact_location, run.info.run_id).version
        if trained_at:
            self.owner.execute(
                "insert into ml.training_run (instrument_id, timeframe, target, horizon_bars, trained_at, known_at,"
                " mlflow_run_id, registered_model, model_version, dataset_sha256, definition_sha256, training_rows,"
                " training_starts_at, training_ends_at, test_rows, test_starts_at, test_ends_at, mae, baseline_mae,"
                " rmse, baseline_rmse, skill, p_value_over_baseline, p_value_adjusted, loss, baseline_loss, recipe,"
                " baseline, tries, folds) values (%s, '1h', 'log_return', 24, %s, %s, %s, %s, %s, 'd', 'e',"
                " 9, '2020-01-01', '2020-02-01', 9, '2020-02-02', '2020-03-01', 1, 1, 1, 1, 0, 1, 1, 1, 1, 'r', 'b',"
                " 1, 1)",
                (self.instrument, trained_at, trained_at, run.info.run_id, NAME, version),
            )
        return run.info.run_id, str(version)

    def decided(self, before: str | None, after: str | None) -> None:
        self.owner.execute(
            "insert into ml.promotion (registered_model, target, decided_at, decision, reason, champion_before,"
            " champion_after, decided_by) values (%s, 'log_return', now(), 'rolled_back', 'so', %s, %s, 'me')",
            (NAME, before, after),
        )

    def runs(self) -> set[str]:
        return {run.info.run_id for run in self.client.search_runs([self.experiment])}

    def files(self) -> int:
        return sum(path.is_file() for path in self.artifacts.rglob("*"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: making one takes MLflow seconds, copying it none."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}", f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(database: Path, tmp_path: Path, owner: Connection) -> Store:
    return Store(database, tmp_path, owner)


def test_only_what_never_served_and_is_old_goes_with_its_files(store: Store, writer: Connection) -> None:
    gone, _ = store.train(OLD)
    young, _ = store.train(LIMIT)
    (was, was_version), (serves, serving_version) = store.train(OLD), store.train(OLD)
    store.decided(was_version, serving_version)
    challenger, version = store.train(OLD)
    store.client.set_registered_model_alias(NAME, "challenger", version)
    told = remove_models(writer, store.uri, LIMIT)
    assert [each.number for each in told] == [1, 1]
    assert store.files() == 10, "a dry run is the default"
    assert remove_models(writer, store.uri, LIMIT, dry_run=False) == told
    assert told[0].bytes == len("card") + len("pipeline")
    assert store.runs() == {young, was, serves, challenger}
    assert gone not in store.runs()
    assert store.files() == 8
    assert len(store.client.search_model_versions(f"name = '{NAME}'")) == 4
    assert [each.number for each in remove_models(writer, store.uri, LIMIT, dry_run=False)] == [0, 0]


def test_who_spoke_in_a_sealed_forecast_stays(store: Store, writer: Connection) -> None:
    spoke, version = store.train(OLD)
    store.owner.execute("alter table ml.forecast disable trigger forecast_in_time")
    store.owner.execute(
        "insert into ml.forecast (instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,"
        " predicted_log_return, predicted_price, lower_price, upper_price, coverage, model, model_version) values"
        " (%s, '1h', 24, '2020-01-01', '2020-01-02', '2020-01-01', 1, 0, 1, 1, 1, 0.8, 'r', %s)",
        (store.instrument, version),
    )
    assert [each.number for each in remove_models(writer, store.uri, LIMIT, dry_run=False)] == [0, 0]
    assert store.runs() == {spoke}


def test_a_run_nobody_recorded_goes_by_its_own_age(store: Store, writer: Connection) -> None:
    store.train(None)
    assert [each.number for each in remove_models(writer, store.uri, NOW - timedelta(hours=1))] == [0, 0]
    assert [each.number for each in remove_models(writer, store.uri, NOW + timedelta(hours=1), dry_run=False)] == [1, 1]
    assert (store.runs(), store.files()) == (set(), 0)


def test_what_was_killed_midway_is_taken_up(store: Store, writer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    store.train(OLD)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "delete_run", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_models(writer, store.uri, LIMIT, dry_run=False)
    assert [each.number for each in remove_models(writer, store.uri, LIMIT, dry_run=False)] == [1, 0]
    assert (store.runs(), store.files()) == (set(), 0)
