from datetime import UTC, datetime, timedelta

import pytest

from include.candles.normalise import is_finished

OPENED = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timeframe", "after", "finished"),
    [
        ("1h", timedelta(minutes=59, seconds=59), False),
        ("1h", timedelta(hours=1), True),
        ("1d", timedelta(hours=23), False),
    ],
)
def test_a_candle_is_finished_once_its_length_has_passed(timeframe: str, after: timedelta, finished: bool) -> None:
    assert is_finished(OPENED, timeframe, OPENED + after) is finished
