"""What a forecast of a price says of volatility, or why it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from include.serving.deadlines import MODEL_AGE
from include.serving.forecast_state import volatility_reason
from include.serving.selection import Snapshot
from include.warehouse.connection import Connection

NOW = datetime(2024, 3, 1, tzinfo=UTC)
NOBODY = cast(Connection, None)  # nothing is asked of it
MADE_AT = NOW - timedelta(minutes=30)
FORECAST: dict[str, Any] = {
    "predicted_volatility": 0.02,
    "volatility_trained_at": NOW - MODEL_AGE,
    "volatility_refused_at": None,
    "volatility_reason": None,
    "made_at": MADE_AT,
}
REFUSED = {"predicted_volatility": None, "volatility_reason": "its champion is too old"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"volatility_trained_at": None}, None),
        ({"predicted_volatility": None}, None),
        ({**REFUSED, "volatility_refused_at": MADE_AT}, "its champion is too old"),
        ({**REFUSED, "volatility_refused_at": MADE_AT - timedelta(hours=1)}, None),
    ],
    ids=["forecast", "never trained", "not forecast", "refused", "refused an hour before"],
)
def test_a_refusal_counts_that_is_no_older_than_the_forecast(changed: dict[str, Any], reason: str | None) -> None:
    assert volatility_reason(Snapshot(NOBODY, NOW, "live"), {**FORECAST, **changed}) == reason


def test_a_judgement_of_volatility_grows_old_too() -> None:
    later = Snapshot(NOBODY, NOW + timedelta(seconds=1), "live")
    assert "the deadline is 14 days" in (volatility_reason(later, FORECAST) or "")
