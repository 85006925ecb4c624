"""A forecast in prices, around the price it starts at; a forecast of volatility as it is."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from include.forecasting.predicting import NAIVE, Prediction
from include.forecasting.sealed_columns import VOLATILITY_COLUMNS, priced, volatility_columns

PRICE = Decimal("102312.32000000")
TRAINED = datetime(2024, 3, 1, tzinfo=UTC)
MODEL = Prediction(
    value=0.02, lower_80=0.01, upper_80=0.03, lower_95=-0.01, upper_95=0.05, up_probability=0.9,
    model="live.binance.BTC-USDT.1h.1", version="3", trained_until=TRAINED,
    baselines={"random_walk": 0.0, "drift": 0.001, "seasonal_hour": None},
)  # fmt: skip
HAR = replace(MODEL, model="har", version=None, trained_until=None, baselines={"ewma": 0.021, "har": 0.02})


def test_naive_is_the_price_itself_to_the_last_digit() -> None:
    naive = replace(MODEL, value=0.0, lower_80=-0.01, upper_80=0.01, model=NAIVE, version=None, trained_until=None)
    found = priced(naive, PRICE)
    assert str(found["predicted_price"]) == "102312.32000000"
    assert (found["model"], found["model_version"], found["model_trained_until"]) == (NAIVE, None, None)


def test_models_price_and_intervals() -> None:
    found = priced(MODEL, PRICE)
    expected = {
        "lower_price_95": -0.01, "lower_price": 0.01, "predicted_price": 0.02, "upper_price": 0.03,
        "upper_price_95": 0.05,
    }  # fmt: skip
    for column, log_return in expected.items():
        assert float(str(found[column])) == pytest.approx(float(PRICE) * math.exp(log_return), rel=1e-11)
    assert found["up_probability"] == 0.9
    assert (found["drift_log_return"], found["seasonal_log_return"]) == (0.001, None)
    assert (found["model_version"], found["model_trained_until"]) == ("3", TRAINED)


@pytest.mark.parametrize("price", ["0.00000123", "102312.32"])
@pytest.mark.parametrize("value", [0.0, 1e-13, 0.2, -0.2])
def test_intervals_hold_each_other_and_the_forecast(price: str, value: float) -> None:
    odd = replace(MODEL, value=value, lower_80=-1e-15, upper_80=1e-15, lower_95=0.0, upper_95=0.0)
    found: dict[str, Any] = priced(odd, Decimal(price))
    assert Decimal(0) < found["lower_price_95"] <= found["lower_price"] <= found["predicted_price"]
    assert found["predicted_price"] <= found["upper_price"] <= found["upper_price_95"]
    moving: dict[str, Any] = volatility_columns(replace(HAR, value=abs(value) + 1e-3, lower_80=0.01, upper_80=0.011,
                                                        lower_95=0.012, upper_95=0.009))  # fmt: skip
    assert moving["lower_volatility_95"] <= moving["lower_volatility"] <= moving["predicted_volatility"]
    assert moving["predicted_volatility"] <= moving["upper_volatility"] <= moving["upper_volatility_95"]


def test_volatility_is_all_or_nothing() -> None:
    found = volatility_columns(HAR)
    assert set(found) == set(VOLATILITY_COLUMNS)
    assert (found["volatility_model"], found["volatility_model_version"]) == ("har", None)
    assert (found["ewma_volatility"], found["har_volatility"]) == (0.021, 0.02)
    assert volatility_columns(None) == dict.fromkeys(VOLATILITY_COLUMNS)
