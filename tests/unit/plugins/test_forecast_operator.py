"""The operator that seals forecasts: what it counts and logs of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from crypto_market.operators import forecasting
from crypto_market.operators.forecasting import ForecastOperator
from include.forecasting.refusals import ReasonClass
from include.forecasting.serving import ForecastRun, Refusal
from include.forecasting.targets import Target
from include.metrics import emit

RUN = ForecastRun(
    written=4,
    already_sealed=1,
    refused=[
        Refusal("binance:BTC/USDT", 1, Target.LOG_RETURN, ReasonClass.LATE, "its target has passed"),
        Refusal("binance:ETH/USDT", 24, Target.VOLATILITY, ReasonClass.OLD_MODEL, "it is old"),
    ],
)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, dict[str, str]]]:
    found: list[tuple[str, float, dict[str, str]]] = []

    @contextmanager
    def warehouse(conn_id: str) -> Iterator[str]:
        yield conn_id

    def made(connection: str, registry: str, now: datetime) -> ForecastRun:
        assert (connection, registry, now.tzinfo) == ("warehouse", "registry", UTC)
        return RUN

    monkeypatch.setattr(forecasting, "warehouse", warehouse)
    monkeypatch.setattr("include.forecasting.serving.make_forecasts", made)
    monkeypatch.setattr(ForecastOperator, "registry", lambda self: "registry")
    monkeypatch.setattr(emit, "count", lambda name, value, **labels: found.append((name, value, labels)))
    return found


def test_rows_and_refusals_are_counted_apart(counted: list[tuple[str, float, dict[str, str]]]) -> None:
    context: Any = {}
    done = ForecastOperator(task_id="forecast").execute(context)
    assert done == {"written": 4, "already_sealed": 1, "refused": 1}
    assert counted == [
        ("crypto.forecast.refusals", 1, {"target": "log_return", "reason": "late"}),
        ("crypto.forecast.refusals", 1, {"target": "volatility", "reason": "old_model"}),
        ("crypto.forecast.rows", 4, {"result": "written"}),
        ("crypto.forecast.rows", 1, {"result": "already_sealed"}),
        ("crypto.forecast.rows", 1, {"result": "refused"}),
    ]
