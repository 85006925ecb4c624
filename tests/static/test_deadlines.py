"""The deadlines after which answers abstain are those that the alerts wait for."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.serving import deadlines

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules" / "data.yml"
ALERTS = {
    "FeaturesBehind": "FEATURE_LAG",
    "TickerStale": "TICKER_AGE",
    "SentimentStale": "SENTIMENT_AGE",
    # Since the target, which lies ahead of what a forecast starts from: answers abstain before the alert.
    "ForecastsStale": "FORECAST_AGE",
    "ModelOld": "MODEL_AGE",
}
# CANDLE_GRACE is part of candle_age; of the others it is watched that what makes them runs (DagWithoutSuccess, checks).
UNWATCHED = {"CANDLE_GRACE", "RANKING_AGE", "TRANSFORM_LAG"}


def rules() -> dict[str, Any]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def threshold(expression: str) -> timedelta:
    """What `… > 2 * 3600 unless …` waits for."""
    factors = expression.split(" > ")[1].split(" unless ")[0].split(" * ")
    return timedelta(seconds=math.prod(int(factor) for factor in factors))


@pytest.mark.parametrize("alert", ALERTS)
def test_a_deadline_is_its_alerts_threshold(alert: str) -> None:
    assert threshold(rules()[alert]["expr"]) == getattr(deadlines, ALERTS[alert])


def test_the_deadline_of_hourly_candles_is_their_alerts_threshold() -> None:
    assert threshold(rules()["CandlesStale"]["expr"]) == deadlines.candle_age("1h")


def test_every_deadline_is_alerted_on_or_listed() -> None:
    spans = {name for name, value in vars(deadlines).items() if isinstance(value, timedelta)}
    assert set(ALERTS.values()) | UNWATCHED == spans
