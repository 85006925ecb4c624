"""Where a live run begins to heal: the first open time with neither a candle nor a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.coverage.attest import record_out_of_reach
from include.coverage.missing import first_missing
from include.warehouse.archive import archive_month, drop_archived_month
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
JANUARY = date(2024, 1, 1)


def put(connection: Connection, hours: Sequence[int]) -> int:
    """Candles opening so many hours after START; the instrument's id."""
    instrument_id = ensure_instrument(connection, MARKETS[0])
    one = Decimal(1)
    candles = [Candle(START + hour * HOUR, one, one, one, one, one) for hour in hours]
    upsert_candles(
        connection, instrument_id, "1h", candles, source="test", world="synthetic", recorded_at=START + 1000 * HOUR
    )
    return instrument_id


def test_it_is_the_earliest_hole_since_the_first_candle(writer: Connection) -> None:
    instrument_id = ensure_instrument(writer, MARKETS[0])
    assert first_missing(writer, instrument_id, "1h", START, START + 9 * HOUR) is None  # no candle, no series
    put(writer, [2, 3, 5, 6])
    assert first_missing(writer, instrument_id, "1h", START, START + 7 * HOUR) == START + 4 * HOUR
    assert first_missing(writer, instrument_id, "1h", START + 5 * HOUR, START + 7 * HOUR) is None
    assert first_missing(writer, instrument_id, "1h", START + 5 * HOUR, START + 8 * HOUR) == START + 7 * HOUR


def test_what_has_a_reason_is_not_asked_for_again(writer: Connection) -> None:
    instrument_id = put(writer, [0, 5, 9])
    record_out_of_reach(writer, instrument_id, "1h", START, START + 5 * HOUR, "720 candles", START + 1000 * HOUR)
    assert first_missing(writer, instrument_id, "1h", START, START + 10 * HOUR) == START + 6 * HOUR


def test_a_dropped_month_is_not_fetched_again(writer: Connection, tmp_path: Path) -> None:
    now, february = START + 30 * HOUR, START + 24 * HOUR
    instrument_id = put(writer, [*range(-800, -740), *range(20), *range(24, 26)])  # some of December, January, February
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    since = START - 20 * 24 * HOUR
    assert first_missing(writer, instrument_id, "1h", since, now) == since
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    assert first_missing(writer, instrument_id, "1h", since, now) == february + 2 * HOUR
