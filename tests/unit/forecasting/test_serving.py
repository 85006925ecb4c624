"""A forecast in prices, around the price it starts at."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from include.forecasting.serving import NAIVE, Prediction, priced

PRICE = Decimal("102312.32000000")


def test_naive_is_the_price_itself_to_the_last_digit() -> None:
    found = priced(Prediction(0.0, 0.01, NAIVE, None), PRICE)
    assert str(found["predicted_price"]) == "102312.32000000"
    assert (found["model"], found["model_version"]) == (NAIVE, None)


def test_models_price_and_interval() -> None:
    found = priced(Prediction(0.02, 0.01, "live.binance.BTC-USDT.1h.1", "3"), PRICE)
    for column, log_return in (("lower_price", 0.01), ("predicted_price", 0.02), ("upper_price", 0.03)):
        assert float(str(found[column])) == pytest.approx(float(PRICE) * math.exp(log_return), rel=1e-11)


@pytest.mark.parametrize("price", ["0.00000123", "102312.32"])
def test_an_interval_always_holds_its_forecast(price: str) -> None:
    for model, log_return in ((NAIVE, 0.0), ("m", 1e-13)):
        found = priced(Prediction(log_return, 1e-15, model, None), Decimal(price))
        assert Decimal(0) < found["lower_price"] <= found["predicted_price"] <= found["upper_price"]  # type: ignore[operator]
