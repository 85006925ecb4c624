"""How much history the demo loads: it must not grow by a month with every month that passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.forecasting.walkforward import FEWEST_TEST_ROWS, FEWEST_TRAINING_ROWS
from include.stack.demo import history_from


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (datetime(2026, 11, 21, 20, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, 59, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_world_without_end_is_loaded_for_a_year(now: datetime, first: datetime) -> None:
    assert history_from("synthetic", now) == first
    hours = (now - first).total_seconds() / 3600
    assert hours > 3 * (FEWEST_TRAINING_ROWS + FEWEST_TEST_ROWS), "enough to judge a model on more than one season"


def test_a_recorded_world_is_loaded_whole() -> None:
    assert history_from("recorded", datetime(2025, 1, 31, 20, tzinfo=UTC)) == datetime(2023, 1, 1, tzinfo=UTC)
