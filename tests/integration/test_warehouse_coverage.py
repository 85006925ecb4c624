"""Coverage adds up: expected = observed + archived + missing, and the missing ranges are named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.warehouse.archive import archive_month, drop_archived_month
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.coverage import Coverage, MissingRange, coverage_summary, first_missing
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


def summary(connection: Connection, now: datetime) -> Coverage:
    (only,) = coverage_summary(connection, now)
    assert only.expected == only.observed + only.archived + only.missing_count
    return only


def test_no_candles_no_series(writer: Connection) -> None:
    assert coverage_summary(writer, START) == []


def test_complete_series_misses_nothing_while_an_hour_is_in_progress(writer: Connection) -> None:
    put(writer, range(5))
    found = summary(writer, START + 5 * HOUR + timedelta(minutes=59))
    assert (found.venue, found.symbol, found.timeframe) == ("binance", "BTC/USDT", "1h")
    assert (found.expected, found.observed, found.missing, found.ratio) == (5, 5, [], 1.0)


def test_holes_and_the_tail_are_named(writer: Connection) -> None:
    put(writer, [0, 1, 4, 6])
    found = summary(writer, START + 9 * HOUR)
    assert found.missing == [
        MissingRange(START + 2 * HOUR, START + 4 * HOUR, 2),
        MissingRange(START + 5 * HOUR, START + 6 * HOUR, 1),
        MissingRange(START + 7 * HOUR, START + 9 * HOUR, 2),
    ]
    assert (found.expected, found.observed, found.missing_count) == (9, 4, 5)


def test_candles_after_now_do_not_count(writer: Connection) -> None:
    put(writer, range(10))
    found = summary(writer, START + 3 * HOUR)
    assert (found.expected, found.observed) == (3, 3)


def test_archived_month_is_not_missing(writer: Connection, tmp_path: Path) -> None:
    now = START + 30 * HOUR
    instrument_id = put(writer, [0, 1, *range(5, 30)])  # 24 hours of January, of which 3 are missing
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    found = summary(writer, now)
    assert (found.first_opened_at, found.expected) == (START, 30)
    assert (found.observed, found.archived, found.missing_count, found.missing) == (6, 21, 3, [])
    put(writer, [0, 1])  # back in the table by a backfill: not counted twice
    found = summary(writer, now)
    assert (found.observed, found.archived, found.missing_count) == (8, 19, 3)


def test_first_missing_is_the_earliest_hole_since_the_first_candle(writer: Connection) -> None:
    instrument_id = ensure_instrument(writer, MARKETS[0])
    assert first_missing(writer, instrument_id, "1h", START, START + 9 * HOUR) is None  # no candle, no series
    put(writer, [2, 3, 5, 6])
    assert first_missing(writer, instrument_id, "1h", START, START + 7 * HOUR) == START + 4 * HOUR
    assert first_missing(writer, instrument_id, "1h", START + 5 * HOUR, START + 7 * HOUR) is None
    assert first_missing(writer, instrument_id, "1h", START + 5 * HOUR, START + 8 * HOUR) == START + 7 * HOUR


def test_a_dropped_month_is_not_fetched_again(writer: Connection, tmp_path: Path) -> None:
    now, february = START + 30 * HOUR, START + 24 * HOUR
    instrument_id = put(writer, [*range(-800, -740), *range(20), *range(24, 26)])  # some of December, January, February
    archive_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    since = START - 20 * 24 * HOUR
    assert first_missing(writer, instrument_id, "1h", since, now) == since
    drop_archived_month(writer, tmp_path, instrument_id, "1h", JANUARY, now)
    assert first_missing(writer, instrument_id, "1h", since, now) == february + 2 * HOUR
