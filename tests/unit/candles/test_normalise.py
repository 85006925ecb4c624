from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.candles.model import Candle
from include.candles.normalise import drop_unfinished

ONE = Decimal(1)
OPENED = datetime(2024, 3, 1, 12, tzinfo=UTC)
CANDLE = Candle(OPENED, ONE, ONE, ONE, ONE, ONE)


@pytest.mark.parametrize(
    ("timeframe", "now", "kept"),
    [
        ("1h", OPENED + timedelta(minutes=59, seconds=59), False),
        ("1h", OPENED + timedelta(hours=1), True),
        ("1d", OPENED + timedelta(hours=23), False),
    ],
)
def test_a_candle_is_final_once_its_length_has_passed(timeframe: str, now: datetime, kept: bool) -> None:
    assert drop_unfinished([CANDLE], timeframe, now) == ([CANDLE] if kept else [])
