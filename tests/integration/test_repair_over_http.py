"""What is deleted is named by `coverage`, and one `coverage_repair` over HTTP brings back the same table, whatever the
venue does meanwhile."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests

from include.coverage import command
from include.coverage.spans import Span, of_opens
from include.replay.synthetic import SyntheticWorld
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from include.warehouse.months import month_span
from tests.conftest import Serve
from tests.integration.collector import Collector

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 31, tzinfo=UTC)
NOW = END + timedelta(hours=20, minutes=40)  # long after the last hour was read, as the daily run comes
MARKETS = ["binance:BTC/USDT", "coinbase:BTC/USD"]
LIMITS = {source: [[200, 1]] for source in ("binance", "binance_archive", "coinbase")}
TABLE = """
    select encode(sha256(string_agg(convert_to(concat_ws('|', instrument_id, timeframe, opened_at, open, high, low,
        close, base_volume, quote_volume, trade_count, vwap, taker_buy_base_volume, taker_buy_quote_volume), 'UTF8'),
        E'\\n'::bytea order by instrument_id, timeframe, opened_at)), 'hex')
    from market.candle
"""
FAULTS = {
    "cut": 0.05,
    "unavailable": 0.05,
    "duplicate": 0.05,
    "out_of_order": 0.05,
    "rate_limited": {"at": [3], "retry_after": 0},
}


@contextmanager
def collected(warehouse: WarehouseDsns, serve: Serve) -> Iterator[tuple[str, Collector]]:
    """Ninety days of two venues, as a backfill leaves them, and the rest of the day, as live runs do."""
    with serve(SyntheticWorld(31, START), NOW) as url, Collector(url, warehouse.writer, LIMITS, NOW) as collector:
        for market in MARKETS:
            window = {"start": START.isoformat(), "end": NOW.isoformat()}
            venue = market.split(":")[0]
            collector.do({"purpose": "backfill", "venue": venue, "markets": [market], **window})
            collector.do({"purpose": "repair", "venue": venue})
        yield url, collector


def run(warehouse: WarehouseDsns, collector: Collector) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(["--dsn", warehouse.reader]), environ={}, clock=collector.clock)


def delete(connection: Connection, market: str, kind: str, chosen: random.Random) -> list[Span]:
    """Delete a random candle, page or month of the market; the spans without candles that leaves."""
    hour = START + chosen.randrange((END - START) // HOUR) * HOUR
    page = {"binance": 1000, "coinbase": 290}[market.split(":")[0]]
    start, end = {
        "candle": (hour, hour + HOUR),
        "page": (hour, hour + page * HOUR),
        "month": month_span(hour.date().replace(day=1)),
    }[kind]
    rows = connection.execute(
        "delete from market.candle using market.instrument as i where i.instrument_id = candle.instrument_id"
        " and i.venue || ':' || i.symbol = %s and opened_at >= %s and opened_at < %s returning opened_at",
        (market, start, end),
    )
    return of_opens((row[0] for row in rows), HOUR)


@pytest.mark.parametrize("market", MARKETS)
def test_any_deletion_is_named_and_one_repair_restores_the_table(
    market: str, warehouse: WarehouseDsns, writer: Connection, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    venue = market.split(":")[0]
    chosen = random.Random(market)
    with collected(warehouse, serve) as (url, collector):
        before = writer.execute(TABLE).fetchone()
        assert run(warehouse, collector) == 0
        requests.post(f"{url}/fault_plan", json={"seed": 3, "hosts": {venue: FAULTS}}, timeout=5).raise_for_status()
        for kind in ("candle", "candle", "page", "page", "month", "month"):
            (hole,) = delete(writer, market, kind, chosen)
            capsys.readouterr()
            assert run(warehouse, collector) == 1
            printed = capsys.readouterr().out
            assert f"{market} 1h" in printed
            assert f"unknown: {hole} (" in printed
            assert "deleted, answer " in printed
            collector.do({"purpose": "repair", "venue": venue})
            assert run(warehouse, collector) == 0
            assert writer.execute(TABLE).fetchone() == before, (kind, hole)
