"""Predictions as columns of ml.forecast: log returns become prices, and an interval always holds its forecast."""

from __future__ import annotations

import math
from decimal import Context, Decimal

from include.forecasting.predicting import NAIVE, Prediction

COVERAGE = 0.80  # of the inner interval; the outer one is meant to hold 95 %

# Model prices are rounded to what a price's digits can mean; naive's price is the candle's close, exactly.
ROUNDED = Context(prec=12)

VOLATILITY_COLUMNS: tuple[str, ...] = (
    "predicted_volatility",
    "lower_volatility",
    "upper_volatility",
    "lower_volatility_95",
    "upper_volatility_95",
    "volatility_model",
    "volatility_model_version",
    "volatility_trained_until",
    "ewma_volatility",
    "har_volatility",
)


def priced(prediction: Prediction, price: Decimal) -> dict[str, object]:
    """The forecast of a log return in prices, from the price it starts at."""

    def at(log_return: float) -> Decimal:
        return ROUNDED.multiply(price, Decimal(math.exp(log_return)))

    expected = price if prediction.model == NAIVE else at(prediction.value)
    lower, upper = min(expected, at(prediction.lower_80)), max(expected, at(prediction.upper_80))
    return {
        "predicted_log_return": prediction.value,
        "predicted_price": expected,
        "lower_price": lower,
        "upper_price": upper,
        "lower_price_95": min(lower, at(prediction.lower_95)),
        "upper_price_95": max(upper, at(prediction.upper_95)),
        "coverage": COVERAGE,
        "up_probability": prediction.up_probability,
        "drift_log_return": prediction.baselines["drift"],
        "seasonal_log_return": prediction.baselines["seasonal_hour"],
        "model": prediction.model,
        "model_version": prediction.version,
        "model_trained_until": prediction.trained_until,
    }


def volatility_columns(prediction: Prediction | None) -> dict[str, object]:
    """The forecast of volatility; every column is None where there is none."""
    if prediction is None:
        return dict.fromkeys(VOLATILITY_COLUMNS)
    lower, upper = min(prediction.value, prediction.lower_80), max(prediction.value, prediction.upper_80)
    return {
        "predicted_volatility": prediction.value,
        "lower_volatility": lower,
        "upper_volatility": upper,
        "lower_volatility_95": min(lower, prediction.lower_95),
        "upper_volatility_95": max(upper, prediction.upper_95),
        "volatility_model": prediction.model,
        "volatility_model_version": prediction.version,
        "volatility_trained_until": prediction.trained_until,
        "ewma_volatility": prediction.baselines["ewma"],
        "har_volatility": prediction.baselines["har"],
    }
