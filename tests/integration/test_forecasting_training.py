"""The road from candles to a served model, in a real PostgreSQL and a real MLflow store."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest

from include.candles.model import Candle
from include.config.markets import Market
from include.features.upsert import upsert_features
from include.forecasting.dataset import load_rows
from include.forecasting.inputs import INPUTS
from include.forecasting.registry import ModelRegistry, ModelVersion
from include.forecasting.serving import make_forecasts
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.training import ChampionChangedError, train_market
from include.forecasting.walkforward import NotEnoughHistoryError
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

HOUR = timedelta(hours=1)
START = datetime(2023, 1, 1, tzinfo=UTC)
HOUR_AHEAD, DAY_AHEAD = ForecastKind(Target.LOG_RETURN, 1), ForecastKind(Target.LOG_RETURN, 24)
VOLATILITY = ForecastKind(Target.VOLATILITY, 24)
names = itertools.count()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    folder = tmp_path_factory.mktemp("mlflow")
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", artifact_location=(folder / "artifacts").as_uri())


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


def test_model_with_skill_is_promoted_and_serves(
    writer: Connection, owner: Connection, registry: ModelRegistry, market: Market
) -> None:
    candles = list(itertools.islice(prices(0.4), 3_000))
    now = put(writer, market, candles)
    outcome = train_market(writer, registry, market, "1h", HOUR_AHEAD, now)
    assert (outcome.verdict, outcome.champion_version) == ("promoted", outcome.model_version)
    assert outcome.skill > 0.05
    champion = registry.champion(outcome.registered_model)
    assert champion is not None
    assert champion.version == outcome.model_version

    (row,) = writer.execute(
        "select decision, champion_before, champion_after, mlflow_run_id, p.skill = t.skill, t.skill"
        " from ml.promotion as p join ml.training_run as t using (training_run_id) where t.registered_model = %s",
        (outcome.registered_model,),
    ).fetchall()
    assert row[:3] == ("promoted", None, champion.version)
    assert row[3:] == (champion.run_id, True, outcome.skill)

    run = make_forecasts(writer, registry, now, markets=[market], horizons=[1])
    assert run.written == 1
    served = writer.execute(
        "select model, model_version, is_naive, predicted_price <> as_of_price from predictions"
    ).fetchall()
    assert served == [(outcome.registered_model, champion.version, False, True)]
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("update ml.promotion set reason = 'better'")


def test_random_walk_leaves_naive_serving(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.0), 2_800)))
    for kind in (HOUR_AHEAD, DAY_AHEAD):
        outcome = train_market(writer, registry, market, "1h", kind, now)
        assert (outcome.verdict, outcome.champion_version) == ("naive", None)
        assert f"does not beat {outcome.baseline} beyond luck" in outcome.reason
        assert registry.champion(outcome.registered_model) is None
    make_forecasts(writer, registry, now, markets=[market])
    assert writer.execute("select distinct model from ml.forecast").fetchall() == [("naive",)]


def test_repeat_does_nothing(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 2_500)))
    first = train_market(writer, registry, market, "1h", HOUR_AHEAD, now)
    again = train_market(writer, registry, market, "1h", HOUR_AHEAD, now + timedelta(minutes=30))
    assert (again.verdict, again.model_version, again.champion_version) == (
        "unchanged",
        first.model_version,
        first.champion_version,
    )
    assert first.reason in again.reason
    assert writer.execute("select count(*) from ml.training_run").fetchone() == (1,)
    versions = registry._client().search_model_versions(f"name = '{first.registered_model}'")
    assert len(versions) == 1


def test_failure_of_the_registry_records_nothing(
    writer: Connection, registry: ModelRegistry, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(version: ModelVersion) -> None:
        raise ConnectionError("the registry is gone")

    now = put(writer, market, list(itertools.islice(prices(0.4), 2_500)))
    with monkeypatch.context() as patched:
        patched.setattr(registry, "promote", broken)
        with pytest.raises(ConnectionError):
            train_market(writer, registry, market, "1h", HOUR_AHEAD, now)
    assert writer.execute("select count(*) from ml.training_run").fetchone() == (0,)
    assert train_market(writer, registry, market, "1h", HOUR_AHEAD, now).verdict == "promoted"


def test_champion_is_compared_kept_and_retired(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    candles = list(itertools.islice(prices(0.4), 2_800))
    first = train_market(writer, registry, market, "1h", HOUR_AHEAD, put(writer, market, candles[:2_500]))
    assert first.verdict == "promoted"
    second = train_market(writer, registry, market, "1h", HOUR_AHEAD, put(writer, market, candles))
    assert (second.verdict, second.champion_version) == ("kept", first.model_version)

    # From here on nothing can be forecast: what the champion learned is wrong, and the new model learned it too.
    noise, last = random.Random(4), candles[-1].close
    for _ in range(2_000):
        close = (last * Decimal(repr(1 + noise.gauss(0, 0.004)))).quantize(Decimal("0.0001"))
        at = candles[-1].opened_at + HOUR
        candles.append(
            Candle(at, last, max(last, close), min(last, close), close, Decimal(7), None, 5, None, Decimal(3))
        )
        last = close
    third = train_market(writer, registry, market, "1h", HOUR_AHEAD, put(writer, market, candles))
    assert (third.verdict, third.champion_version) == ("retired", None)
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


def test_unusable_champion_is_refused_with_its_reason(
    writer: Connection, registry: ModelRegistry, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 2_500)))
    train_market(writer, registry, market, "1h", HOUR_AHEAD, now)
    monkeypatch.setattr("include.forecasting.dataset.model_inputs", lambda rows: rows[["rsi_14"]])
    run = make_forecasts(writer, registry, now, markets=[market], horizons=[1])
    assert run.written == 0
    assert "inputs that are no longer computed" in run.refused[0].reason


def test_too_little_history(writer: Connection, registry: ModelRegistry, market: Market) -> None:
    now = put(writer, market, list(itertools.islice(prices(0.4), 300)))
    with pytest.raises(NotEnoughHistoryError, match="299 rows"):
        train_market(writer, registry, market, "1h", HOUR_AHEAD, now)


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
