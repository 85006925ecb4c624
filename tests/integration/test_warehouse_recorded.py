"""Recorded pages of the venue in the warehouse: every figure's text exact, every real outage named."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.candles.klines import candle
from include.config.markets import MARKETS
from include.coverage.equation import coverage
from include.coverage.spans import Span
from include.warehouse.archive import archive_month, drop_archived_month, restore_month
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

FEBRUARY = datetime(2020, 2, 1, tzinfo=UTC)
MARCH = datetime(2020, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEXTS = """
    select extract(epoch from opened_at)::bigint * 1000, open::text, high::text, low::text, close::text,
        base_volume::text, quote_volume::text, trade_count, taker_buy_base_volume::text, taker_buy_quote_volume::text
    from market.candle order by opened_at
"""


@pytest.fixture
def page(market_data_dir: Path) -> list[list[Any]]:
    """February 2020 of BTC/USDT as the venue sent it: 690 of 696 hours, six lost in two outages."""
    file = market_data_dir / "binance" / "raw_rest_pages" / "BTCUSDT_1h_2020-02-01.json.gz"
    rows = json.loads(gzip.decompress(file.read_bytes()))
    return [row for row in rows if FEBRUARY.timestamp() * 1000 <= row[0] < MARCH.timestamp() * 1000]


@pytest.fixture
def instrument_id(writer: Connection, page: list[list[Any]]) -> int:
    """The market with that month stored."""
    instrument_id = ensure_instrument(writer, MARKETS[0])
    candles = [candle(row) for row in page]
    upsert_candles(writer, instrument_id, "1h", candles, source="binance", world="recorded", recorded_at=MARCH)
    return instrument_id


def test_every_figure_is_stored_as_it_was_written(
    writer: Connection, page: list[list[Any]], instrument_id: int
) -> None:
    sent = [(row[0], *row[1:6], row[7], row[8], row[9], row[10]) for row in page]
    assert len(sent) == 690
    assert writer.execute(TEXTS).fetchall() == sent


def test_archive_and_restore_keep_every_figures_text(writer: Connection, instrument_id: int, tmp_path: Path) -> None:
    before = writer.execute(TEXTS).fetchall()
    archive_month(writer, tmp_path, instrument_id, "1h", FEBRUARY.date(), MARCH)
    assert drop_archived_month(writer, tmp_path, instrument_id, "1h", FEBRUARY.date(), MARCH) == 690
    assert restore_month(writer, tmp_path, instrument_id, "1h", FEBRUARY.date(), MARCH) == 690
    assert writer.execute(TEXTS).fetchall() == before


def test_the_venues_outages_are_what_is_missing(reader: Connection, instrument_id: int) -> None:
    (series,) = coverage(reader, MARCH)
    assert (series.equation.expected, series.equation.observed) == (696, 690)
    first, second = datetime(2020, 2, 9, 2, tzinfo=UTC), datetime(2020, 2, 19, 12, tzinfo=UTC)
    assert series.missing == [Span(first, first + HOUR), Span(second, second + 5 * HOUR)]
