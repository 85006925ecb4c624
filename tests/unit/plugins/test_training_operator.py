"""What a task of `model_retraining` trains, and what it leaves to the others."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.operators import training
from crypto_market.operators.training import TrainModelOperator
from include.config.markets import FORECAST_MARKETS
from include.forecasting.kinds import UnknownKindError, kind_by_key
from include.forecasting.ledger import TrainingOutcome
from include.forecasting.walkforward import NotEnoughHistoryError

KEYS = [market.key for market in FORECAST_MARKETS]


def outcome(market: str, champion: str | None) -> TrainingOutcome:
    return TrainingOutcome(
        market, "1h", "volatility", 24, "name", "1", "promoted", "so", "har_ridge", "har", 0.1, 0.01, 2, 9, 9, champion
    )


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("include.metrics.emit.count", lambda name, value, **labels: found.append((name, labels)))
    monkeypatch.setattr(training, "warehouse", lambda connection_id: nullcontext("warehouse"))
    monkeypatch.setattr(TrainModelOperator, "registry", lambda self: "registry")
    return found


def operator(kind: str, kinds: list[str]) -> TrainModelOperator:
    return TrainModelOperator(task_id="train", markets=KEYS, kind=kind, kinds=kinds)


def test_each_market_is_trained_and_a_young_one_holds_up_none(
    emitted: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_market(connection: Any, registry: Any, market: Any, timeframe: str, kind: Any, now: Any) -> Any:
        assert (connection, registry, timeframe) == ("warehouse", "registry", "1h")
        assert kind == kind_by_key("volatility/24")
        if market is FORECAST_MARKETS[1]:
            raise NotEnoughHistoryError("299 rows")
        return outcome(market.key, "1" if market is FORECAST_MARKETS[0] else None)

    monkeypatch.setattr("include.forecasting.training.train_market", train_market)
    done = operator("volatility/24", ["log_return/1", "volatility/24"]).execute({})  # type: ignore[typeddict-item]
    assert [each["market"] for each in done] == [KEYS[0], *KEYS[2:]]
    counted = [labels for name, labels in emitted if name == "crypto.model.trainings"]
    assert [(each["symbol"], each["target"], each["horizon"], each["decision"]) for each in counted] == [
        (market.symbol, "volatility", 24, "model" if place == 0 else "naive")
        for place, market in enumerate(FORECAST_MARKETS)
        if place != 1
    ]


def test_nothing_to_train_on_is_skipped_with_the_reasons(
    emitted: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_market(*given: Any) -> Any:
        raise NotEnoughHistoryError("299 rows")

    monkeypatch.setattr("include.forecasting.training.train_market", train_market)
    with pytest.raises(AirflowSkipException, match=f"{KEYS[0]}: 299 rows; {KEYS[1]}: 299 rows"):
        operator("log_return/1", ["log_return/1"]).execute({})  # type: ignore[typeddict-item]
    assert emitted == []


def test_a_kind_that_was_not_asked_for_is_skipped(emitted: list[tuple[str, dict[str, Any]]]) -> None:
    with pytest.raises(AirflowSkipException, match="this run is about volatility/24"):
        operator("log_return/1", ["volatility/24"]).execute({})  # type: ignore[typeddict-item]
    with pytest.raises(UnknownKindError, match="there are log_return/1, log_return/24, volatility/24"):
        operator("log_return/2", ["log_return/2"]).execute({})  # type: ignore[typeddict-item]
    assert emitted == []
