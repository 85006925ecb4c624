"""The road from candles to a served model, in a real PostgreSQL and a real MLflow store."""

from __future__ import annotations

import itertools
import json
import random
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from include.candles.model import Candle
from include.clock import FixedClock
from include.config.markets import Market
from include.features.upsert import upsert_features
from include.forecasting import models_command
from include.forecasting.dataset import load_rows
from include.forecasting.dataset_check import UnknownTrainingError, check_dataset
from include.forecasting.inputs import INPUTS
from include.forecasting.known_rows import computed_rows, known_rows
from include.forecasting.ledger import TrainingOutcome
from include.forecasting.models import RollbackError, registered_models, roll_back
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.forecasting.targets import FORECASTS, ForecastKind, Target
from include.forecasting.training import ChampionChangedError, train_market
from include.forecasting.walkforward import NotEnoughHistoryError
from include.stack.report import print_report
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument

HOUR = timedelta(hours=1)
START = datetime(2023, 1, 1, tzinfo=UTC)
HOUR_AHEAD, DAY_AHEAD = ForecastKind(Target.LOG_RETURN, 1), ForecastKind(Target.LOG_RETURN, 24)
VOLATILITY = ForecastKind(Target.VOLATILITY, 24)
names = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def registry(store: Path) -> ModelRegistry:
    return ModelRegistry(f"sqlite:///{store}/mlflow.db", artifact_location=(store / "artifacts").as_uri())


@pytest.fixture
def plots() -> None:
    """Asked for by tests that want a training's pictures drawn, which takes longer than the training."""


@pytest.fixture(autouse=True)
def few_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "plots" not in request.fixturenames:
        monkeypatch.setattr("include.forecasting.training_record.training_plots", lambda judgement: {})


@pytest.fixture
def market() -> Market:
    """A market of its own for each test, as the registry outlives them."""
    number = next(names)
    return Market("binance", f"COIN{number}/USDT", f"COIN{number}USDT", START)


def prices(momentum: float, seed: int = 11) -> Iterator[Candle]:
    """Hourly candles without end whose returns carry on by the given share; 0 is a random walk."""
    drawn, close, change = random.Random(seed), Decimal(20_000), 0.0
    for place in itertools.count():
        change = momentum * change + drawn.gauss(0, 0.004)
        opened, close = close, (close * Decimal(repr(1 + change))).quantize(Decimal("0.0001"))
        high, low = max(opened, close), min(opened, close)
        yield Candle(START + place * HOUR, opened, high, low, close, Decimal(7), None, 5, None, Decimal(3))


def put(connection: Connection, market: Market, candles: list[Candle]) -> datetime:
    """Store candles and their features; one minute after the newest one's close."""
    now = candles[-1].opened_at + HOUR + timedelta(minutes=1)
    instrument_id = ensure_instrument(connection, market)
    upsert_candles(connection, instrument_id, "1h", candles, source="test", world="synthetic", recorded_at=now)
    upsert_features(connection, now)
    return now


def train(
    connection: Connection, registry: ModelRegistry, market: Market, now: datetime, kind: ForecastKind = HOUR_AHEAD
) -> TrainingOutcome:
    return train_market(connection, registry, market, "1h", kind, now)


@pytest.mark.usefixtures("plots")
def test_model_with_skill_is_promoted(
    writer: Connection, owner: Connection, registry: ModelRegistry, market: Market
) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 1_700)))
    outcome = train(writer, registry, market, now)
    assert (outcome.verdict, outcome.champion_version) == ("promoted", outcome.model_version)
    assert outcome.skill > 0.05
    assert outcome.p_value_adjusted < 0.05
    champion = registry.champion(outcome.registered_model)
    assert champion is not None
    assert champion.version == outcome.model_version

    (row,) = writer.execute(
        "select decision, champion_before, champion_after, mlflow_run_id, p.skill = t.skill, t.skill, t.tries,"
        " t.model_sha256, t.dataset_sha256, t.code_version, t.features, t.trained_at, t.known_at, t.test_rows"
        " from ml.promotion as p join ml.training_run as t using (training_run_id) where t.registered_model = %s",
        (outcome.registered_model,),
    ).fetchall()
    assert row[:3] == ("promoted", None, champion.version)
    assert row[3:7] == (champion.run_id, True, outcome.skill, outcome.tries)
    loaded = registry.load(champion)
    assert row[7:11] == (
        loaded.fitted.sha256(), loaded.dataset_sha256, loaded.code_version, list(loaded.fitted.inputs)
    )  # fmt: skip
    assert row[11:] == (now, now, outcome.test_rows)
    client = registry._client()
    files = {each.path for folder in ("", "plots") for each in client.list_artifacts(champion.run_id, folder)}
    assert {"model_card.md", *(f"plots/{name}_over_time.png" for name in ("skill", "coverage"))} <= files
    assert "plots/reliability.png" in files
    run = client.get_run(champion.run_id).data
    assert run.params["dataset_sha256"] == row[8]
    assert run.metrics["skill"] == outcome.skill
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("update ml.promotion set reason = 'better'")


def test_random_walk_leaves_the_baseline_serving(
    writer: Connection, registry: ModelRegistry, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.0), 1_800)))
    for kind in FORECASTS:
        outcome = train(writer, registry, market, now, kind)
        assert (outcome.verdict, outcome.champion_version) == ("naive", None)
        assert f"does not beat {outcome.baseline} beyond luck" in outcome.reason
        assert registry.champion(outcome.registered_model) is None
        assert outcome.registered_model.endswith(
            {HOUR_AHEAD: "USDT.1h.1", DAY_AHEAD: "USDT.1h.24", VOLATILITY: "USDT.1h.24.volatility"}[kind]
        )
    (loss, rmse) = writer.execute("select loss, rmse from ml.training_run where target = 'volatility'").fetchone() or ()
    assert loss != pytest.approx(rmse**2)
    decided = writer.execute("select target, count(*), count(champion_after) from ml.promotion group by 1 order by 1")
    assert decided.fetchall() == [("log_return", 2, 0), ("volatility", 1, 0)]
    print_report(writer, now, 1.0)
    reported = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith("the baseline")]
    assert [line[2:4] for line in reported] == [["log_return", "+1"], ["log_return", "+24"], ["volatility", "+24"]]


def test_repeat_does_nothing(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 1_700)))
    first = train(writer, registry, market, now)
    again = train(writer, registry, market, now + timedelta(minutes=30))
    assert (again.verdict, again.model_version, again.champion_version) == (
        "unchanged",
        first.model_version,
        first.champion_version,
    )
    assert first.reason in again.reason
    assert writer.execute("select count(*) from ml.training_run").fetchone() == (1,)
    assert [each.version for each in registry.versions(first.registered_model)] == ["1"]


def test_same_data_and_code_make_the_same_model(writer: Connection, registry: ModelRegistry) -> None:
    made = []
    for _ in range(2):
        market = Market("binance", f"TWIN{next(names)}/USDT", f"TWIN{next(names)}USDT", START)
        now = put(writer, market, list(itertools.islice(prices(0.4), 1_700)))
        outcome = train(writer, registry, market, now)
        champion = registry.champion(outcome.registered_model)
        assert champion is not None
        rows = load_rows(writer, ensure_instrument(writer, market), "1h", HOUR_AHEAD, now=now)
        loaded = registry.load(champion)
        made.append((loaded.predict(rows).tobytes(), loaded.calibration, loaded.dataset_sha256))
    assert made[0] == made[1]
    hashes = writer.execute("select count(*), count(distinct model_sha256) from ml.training_run").fetchone()
    assert hashes == (2, 1)


def test_failure_of_the_registry_records_nothing(
    writer: Connection, registry: ModelRegistry, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(version: ModelVersion) -> None:
        raise ConnectionError("the registry is gone")

    now = put(writer, market, list(itertools.islice(prices(0.4), 1_700)))
    with monkeypatch.context() as patched:
        patched.setattr(registry, "promote", broken)
        with pytest.raises(ConnectionError):
            train(writer, registry, market, now)
    assert writer.execute("select count(*) from ml.training_run").fetchone() == (0,)
    assert train(writer, registry, market, now).verdict == "promoted"


def test_of_two_trainings_at_once_one_does_nothing(warehouse: Any, registry: ModelRegistry, market: Market) -> None:
    """The second waits for the first, holding no transaction, and finds its data trained on."""
    outcomes: list[TrainingOutcome] = []

    def run(connection: Connection, now: datetime) -> None:
        outcomes.append(train(connection, registry, market, now))

    with connect(warehouse.writer) as first, connect(warehouse.writer) as second:
        now = put(first, market, list(itertools.islice(prices(0.4), 1_700)))
        threads = [threading.Thread(target=run, args=(each, now)) for each in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(each.verdict for each in outcomes) == ["promoted", "unchanged"]
        assert first.execute("select count(*) from ml.promotion").fetchone() == (1,)
        assert first.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


def test_rollback_during_a_training_wins(
    writer: Connection, registry: ModelRegistry, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    candles = list(itertools.islice(prices(0.4), 1_800))
    first = train(writer, registry, market, put(writer, market, candles[:1_700]))
    now, logged = put(writer, market, candles), registry.log

    def log(*given: Any) -> ModelVersion:
        version = logged(*given)
        roll_back(writer, registry, first.registered_model, "log_return", to="naive", reason="odd", who="ann", now=now)
        return version

    with monkeypatch.context() as patched:
        patched.setattr(registry, "log", log)
        with pytest.raises(ChampionChangedError, match="changed during its training"):
            train(writer, registry, market, now)
    assert registry.champion(first.registered_model) is None
    assert writer.execute("select decision from ml.promotion order by promotion_id").fetchall() == [
        ("promoted",), ("rolled_back",)
    ]  # fmt: skip
    assert writer.execute("select count(*) from ml.training_run").fetchone() == (1,)


def test_champion_is_compared_kept_and_retired(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    candles = list(itertools.islice(prices(0.4), 2_300))
    first = train(writer, registry, market, put(writer, market, candles[:1_700]))
    assert first.verdict == "promoted"
    second = train(writer, registry, market, put(writer, market, candles))
    assert (second.verdict, second.champion_version) == ("kept", first.model_version)
    assert second.tries == 2 * first.tries

    # From here on moves are taken back: what the champion learned is wrong, and the new model learned it too.
    drawn, close, change = random.Random(4), candles[-1].close, 0.0
    for _ in range(1_300):
        change = -0.4 * change + drawn.gauss(0, 0.004)
        opened, close = close, (close * Decimal(repr(1 + change))).quantize(Decimal("0.0001"))
        at, high, low = candles[-1].opened_at + HOUR, max(opened, close), min(opened, close)
        candles.append(Candle(at, opened, high, low, close, Decimal(7), None, 5, None, Decimal(3)))
    third = train(writer, registry, market, put(writer, market, candles))
    assert (third.verdict, third.champion_version) == ("retired", None)
    assert third.tries == 3 * first.tries
    assert registry.champion(third.registered_model) is None
    decisions = writer.execute(
        "select decision, champion_before, champion_after, champion_skill > 0, p_value_over_champion is null"
        " from ml.promotion order by promotion_id"
    ).fetchall()
    version = first.model_version
    assert decisions == [
        ("promoted", None, version, None, True),
        ("kept", version, version, True, False),
        ("retired", version, None, False, False),
    ]


def test_champion_that_expires_before_the_next_training_is_no_bar(
    writer: Connection, registry: ModelRegistry, market: Market
) -> None:
    candles = list(itertools.islice(prices(0.4), 1_700 + 84 * 24))
    first = train(writer, registry, market, put(writer, market, candles[:1_700]))
    second = train(writer, registry, market, put(writer, market, candles))
    assert (first.verdict, second.verdict) == ("promoted", "promoted")
    assert f"champion {first.model_version} cannot be served: it learned until" in second.reason
    assert "expires before the next training" in second.reason


def test_too_little_history(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 300)))
    with pytest.raises(NotEnoughHistoryError, match="299 rows"):
        train(writer, registry, market, now)
    with pytest.raises(NotEnoughHistoryError, match="no features"):
        train(writer, registry, market, START)


class TestRollback:
    """Two versions, of which the first was promoted."""

    @pytest.fixture
    def now(self, writer: Connection, registry: ModelRegistry, market: Market) -> datetime:
        candles = list(itertools.islice(prices(0.4), 1_800))
        train(writer, registry, market, put(writer, market, candles[:1_700]))
        now = put(writer, market, candles)
        assert train(writer, registry, market, now).verdict == "kept"
        return now

    def test_back_and_forth(
        self, writer: Connection, owner: Connection, registry: ModelRegistry, market: Market, now: datetime
    ) -> None:
        (model,) = registered_models(writer, registry)
        assert (model.market, model.champion, model.challenger) == (market.key, "1", "2")
        assert [each.version for each in model.versions] == ["2", "1"]

        def back(to: str | None) -> tuple[str | None, str | None]:
            return roll_back(writer, registry, model.name, "log_return", to=to, reason="drift", who="ann", now=now)

        with pytest.raises(RollbackError, match="version 2 was never promoted"):
            back("2")
        promoted = next(each for each in registry.versions(model.name) if each.version == "2")
        # As if the second had beaten the first.
        owner.execute("alter table ml.promotion disable trigger promotion_is_sealed")
        owner.execute("update ml.promotion set decision = 'promoted', champion_after = '2' where decision = 'kept'")
        registry.promote(ModelVersion(model.name, "2", promoted.run_id))
        assert back("2") == ("2", "2")
        assert back(None) == ("2", "1")
        assert back(None) == ("1", None)
        assert registry.champion(model.name) is None
        with pytest.raises(RollbackError, match="who served before the baseline"):
            back(None)
        assert back("1") == (None, "1")
        champion = registry.champion(model.name)
        assert champion is not None
        assert champion.version == "1"
        (model,) = registered_models(writer, registry)
        assert [(each.decision, each.champion_after, each.decided_by) for each in model.history] == [
            ("rolled_back", "1", "ann"),
            ("rolled_back", None, "ann"),
            ("rolled_back", "1", "ann"),
            ("promoted", "2", None),
            ("promoted", "1", None),
        ]
        with pytest.raises(RollbackError, match="version 2 cannot serve: it learned until"):
            roll_back(
                writer, registry, model.name, "log_return",
                to="2", reason="", who="ann", now=now + timedelta(days=91),
            )  # fmt: skip

    def test_command(
        self, warehouse: Any, store: Path, market: Market, now: datetime,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        monkeypatch.setattr("include.forecasting.models_command.market_by_key", lambda key: market)
        environ = {
            "WAREHOUSE_DSN": warehouse.writer,
            "AIRFLOW_CONN_MLFLOW": json.dumps({"host": f"sqlite:///{store}/mlflow.db"}),
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
            "USER": "eve",
        }

        def command(*arguments: str) -> tuple[int, str]:
            parser = ArgumentParser()
            models_command.add_arguments(parser)
            capsys.readouterr()
            status = models_command.run(parser.parse_args(arguments), environ, FixedClock(now))
            return status, capsys.readouterr().out

        status, text = command("list")
        assert status == 0
        assert "champion    version 1" in text
        assert "0 of 90 days old; boosting over" in text
        status, text = command("rollback", "M", "log_return/1", "--who", "bob", "--reason", "odd", "--json")
        assert (status, json.loads(text)["before"], json.loads(text)["after"]) == (0, "1", None)
        assert "rolled_back by bob, served 1 -> baseline: odd" in command("list")[1]
        (listed,) = json.loads(command("list", "--json")[1])
        assert (listed["champion"], listed["history"][0]["decided_by"]) == (None, "bob")
        assert command("rollback", "M", "log_return/1")[0] == 1
        assert command("rollback", "M", "log_return/1", "--to", "1")[0] == 0
        assert "rolled_back by eve, served baseline -> 1: rolled back by hand" in command("list")[1]
        assert command("rollback", "M", "log_return/7")[0] == 2
        assert command("dataset", "1")[0] == 0
        assert command("dataset", "99")[0] == 2
        del environ["AIRFLOW_CONN_MLFLOW"], environ["MLFLOW_TRACKING_URI"]
        assert command("list")[0] == 2


def drop(connection: Connection, market: Market, candles: int, at: datetime) -> None:
    """Take the first candles, those of January, out of the table as archival does."""
    until = START + candles * HOUR
    connection.execute("delete from market.candle where opened_at < %s", (until,))
    connection.execute(
        "insert into ops.archive_manifest values (%s, '1h', %s, 'x', %s, %s, %s, 'f', 'c', %s, %s)",
        (ensure_instrument(connection, market), START.date(), candles, START, until - HOUR, at, at),
    )


class TestKnowledgeTime:
    def test_dataset_is_found_again_after_corrections_and_late_arrivals(
        self, writer: Connection, registry: ModelRegistry, market: Market
    ) -> None:
        candles = list(itertools.islice(prices(0.4), 1_750))
        late, hole = candles[:20], candles[900]
        now = put(writer, market, [each for each in candles[20:1_700] if each is not hole])
        train(writer, registry, market, now)
        ((number, stored),) = writer.execute("select training_run_id, dataset_sha256 from ml.training_run").fetchall()
        check = check_dataset(writer, number)
        assert (check.is_equal, check.rows, check.why) == (True, 1_677, [])

        corrected = candles[1_200]._replace(close=candles[1_200].high, base_volume=Decimal(9))
        put(writer, market, [*late, hole, corrected, *candles[1_700:]])
        instrument_id = ensure_instrument(writer, market)
        assert load_rows(writer, instrument_id, "1h", HOUR_AHEAD, now=now).matured().sha256() != stored
        assert check_dataset(writer, number).found_sha256 == stored

        # Sentiment that became known later is not in it either, and a candle changed without a trace is found out.
        writer.execute(
            "insert into market.fear_greed values (%s, 50, 'Neutral', %s, %s, 'test')",
            (START.date(), START, now + HOUR),
        )
        assert check_dataset(writer, number).is_equal
        writer.execute(
            "update market.candle set close = close * 1.0001, high = high * 1.01 where opened_at = %s",
            (candles[1_000].opened_at,),
        )
        check = check_dataset(writer, number)
        assert not check.is_equal
        assert check.why == [
            "values of that time were changed without a revision, or months came back from the archive since"
        ]

    def test_archived_months_are_named(
        self, writer: Connection, registry: ModelRegistry, market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = put(writer, market, list(itertools.islice(prices(0.4), 1_700)))
        train(writer, registry, market, now)
        ((number,),) = writer.execute("select training_run_id from ml.training_run").fetchall()
        drop(writer, market, 744, now + HOUR)
        monkeypatch.setattr("include.forecasting.dataset_check.code_version", lambda: "f" * 64)
        check = check_dataset(writer, number)
        assert not check.is_equal
        assert check.why[0] == "candles left the table since and are in the archive alone: 2023-01"
        assert check.why[1].startswith("the code is another: ffffffffffff, then ")
        with pytest.raises(UnknownTrainingError):
            check_dataset(writer, 99)

    def test_features_of_dropped_candles_stay_as_they_were_stored(self, writer: Connection, market: Market) -> None:
        now = put(writer, market, list(itertools.islice(prices(0.1), 2_200)))
        drop(writer, market, 744, now)
        instrument_id = ensure_instrument(writer, market)
        stored = load_rows(writer, instrument_id, "1h", DAY_AHEAD, now=now)
        again = computed_rows(writer, instrument_id, "1h", DAY_AHEAD, known_at=now, since=START)
        assert len(again) == 2_200 - 744
        assert again.sha256() == stored.sha256()

    @pytest.mark.parametrize("kind", FORECASTS, ids=str)
    def test_computed_again_is_what_is_stored(self, writer: Connection, market: Market, kind: ForecastKind) -> None:
        candles = list(itertools.islice(prices(0.1), 1_500))
        now = put(writer, market, candles[:700] + candles[760:])
        instrument_id = ensure_instrument(writer, market)
        for since in (START, START + 900 * HOUR):
            stored = known_rows(writer, instrument_id, "1h", kind, known_at=now, since=since)
            again = computed_rows(writer, instrument_id, "1h", kind, known_at=now, since=since)
            assert len(stored) == 1_440 - (since > START) * 840
            assert again.sha256() == stored.sha256()
            assert stored.sha256() == load_rows(writer, instrument_id, "1h", kind, now=now, since=since).sha256()


class TestLoadRows:
    def test_outcome_is_looked_up_by_time(self, writer: Connection, market: Market) -> None:
        """A missing candle takes away the outcomes that need it, and moves no other."""
        candles = list(itertools.islice(prices(0.0), 60))
        now = put(writer, market, candles[:30] + candles[31:])
        instrument_id = ensure_instrument(writer, market)
        rows = load_rows(writer, instrument_id, "1h", ForecastKind(Target.LOG_RETURN, 5), now=now)
        as_of = [START + (place + 1) * HOUR for place in range(60) if place != 30]
        assert [at.replace(tzinfo=UTC) for at in rows.as_of.tolist()] == as_of
        for at, outcome in zip(as_of, rows.outcome, strict=True):
            place = (at - START) // HOUR - 1
            if place == 25 or place >= 55:
                assert np.isnan(outcome)
            else:
                assert outcome == pytest.approx(float(np.log(float(candles[place + 5].close / candles[place].close))))
        assert len(rows.matured()) == 53

    def test_the_past_does_not_move(self, writer: Connection, market: Market) -> None:
        """Rows as of T are the same whether or not the warehouse knows what came after T."""
        candles = list(itertools.islice(prices(0.0), 300))
        now = put(writer, market, candles[:200])
        instrument_id = ensure_instrument(writer, market)
        before = load_rows(writer, instrument_id, "1h", DAY_AHEAD, now=now)
        put(writer, market, candles)
        after = load_rows(writer, instrument_id, "1h", DAY_AHEAD, now=now)
        assert after.sha256() == before.sha256()
        assert list(after.inputs.columns) == list(INPUTS)
        assert load_rows(writer, instrument_id, "1h", DAY_AHEAD, now=now + HOUR).sha256() != before.sha256()

    def test_nothing_there(self, writer: Connection, market: Market) -> None:
        assert len(load_rows(writer, ensure_instrument(writer, market), "1h", HOUR_AHEAD, now=START)) == 0
