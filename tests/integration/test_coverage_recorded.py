"""Seven years of recorded hours of four markets: the equation closes with just the venue's outages, no deletion goes
unnoticed, and one repair over HTTP brings back the same table."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from include.candles.batch import CandleBatch
from include.clock import FixedClock
from include.config.markets import Market
from include.coverage import command
from include.coverage.attest import attest
from include.coverage.equation import coverage
from include.coverage.plan import plan
from include.coverage.repair import repair
from include.coverage.spans import Span, of_opens
from include.replay import bars as b
from include.replay.recorded import RecordedWorld
from include.stack.postgres import PostgresCluster
from include.venues.binance import Binance
from include.venues.http import RequestsTransport
from include.venues.model import CandlePage
from include.warehouse.bootstrap import WarehouseDsns, bootstrap
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.months import month_span, months_ended
from include.warehouse.staging import UpsertCounts
from tests.conftest import Serve, WarehouseTemplate

HOUR = timedelta(hours=1)
FROM, TO = datetime(2018, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
CLOCK = FixedClock(TO)
MARKETS = [
    Market("binance", "BTC/USDT", "BTCUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC)),
    Market("binance", "ETH/USDT", "ETHUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC)),
    Market("binance", "BNB/USDT", "BNBUSDT", datetime(2017, 11, 6, 3, tzinfo=UTC)),
    Market("binance", "XRP/USDT", "XRPUSDT", datetime(2018, 5, 4, 8, tzinfo=UTC)),
]
# Rows of CandleBatch.columns out of the replay's matrix.
BAR_COLUMNS = [b.OPEN_TIME, b.OPEN, b.HIGH, b.LOW, b.CLOSE, b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE]
CONTENT = """
    select encode(sha256(convert_to(string_agg(
        concat_ws('|', opened_at, open, high, low, close, base_volume, quote_volume, trade_count, taker_buy_base_volume,
            taker_buy_quote_volume, vwap, source), E'\\n' order by opened_at), 'UTF8')), 'hex')
    from market.candle where instrument_id = %s and timeframe = '1h'
"""


@pytest.fixture(scope="module")
def dsns(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate, recorded_world: RecordedWorld
) -> Iterator[WarehouseDsns]:
    """A warehouse with all recorded hours of 2018-01 to 2025-01, attested month by month."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{warehouse_template.name}"')
    dsns = bootstrap(cluster.dsn(), name, warehouse_template.passwords)
    with connect(dsns.writer) as connection:
        for market in MARKETS:
            load(connection, recorded_world, market)
    yield dsns
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def loaded(dsns: WarehouseDsns) -> Iterator[Connection]:
    with connect(dsns.writer) as connection:
        yield connection


def load(connection: Connection, world: RecordedWorld, market: Market) -> None:
    instrument_id = ensure_instrument(connection, market)
    for month in months_ended(FROM, TO):
        start, end = month_span(month)
        if end <= market.listed_at:
            continue
        first, last = (int(at.timestamp() * 1000) for at in (start, end))
        matrix = world.closed(market.venue_symbol, "1h", first, last, 1000, False)
        batch = CandleBatch(np.ascontiguousarray(matrix[:, BAR_COLUMNS].T))
        window = max(start, market.listed_at), end
        sha256 = hashlib.sha256(batch.columns.tobytes()).hexdigest()
        page = CandlePage(batch, [], "recorded", "binance-rest", f"{market.symbol} {month:%Y-%m}", sha256, *window)
        put(connection, instrument_id, page)


def put(connection: Connection, instrument_id: int, page: CandlePage) -> UpsertCounts:
    with connection.transaction():
        counts = upsert_candles(
            connection,
            instrument_id,
            "1h",
            page.candles,
            source=page.source,
            world=page.world,
            recorded_at=TO,
        )
        attest(connection, instrument_id, "1h", page, venue="binance", now=TO)
    return counts


def run(dsns: WarehouseDsns, *arguments: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([*arguments, "--dsn", dsns.reader]), environ={}, clock=CLOCK)


def content_sha256(connection: Connection, instrument_id: int) -> str:
    """Hash of a series' values to the last zero, and of where they came from."""
    row = connection.execute(CONTENT, (instrument_id,)).fetchone()
    return str(row and row[0])


@pytest.mark.parametrize("symbol", ["BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT"])
def test_the_equation_closes_with_exactly_the_recorded_outages(
    dsns: WarehouseDsns, capsys: pytest.CaptureFixture[str], symbol: str
) -> None:
    arguments = ("--market", f"binance:{symbol}", "--from", "2018-01-01", "--to", "2025-02-01", "--months", "--json")
    assert run(dsns, *arguments) == 0
    (series,) = json.loads(capsys.readouterr().out)
    outage, expected = (88, 59152) if symbol == "XRP/USDT" else (122, 62112)
    assert series["complete"] is True
    assert series["equation"] == {
        "expected": expected,
        "observed": expected - outage,
        "archived": 0,
        "empty": 0,
        "outage": outage,
        "out_of_reach": 0,
        "pending": 0,
        "unknown": 0,
    }
    assert len(series["months"]) == (81 if symbol == "XRP/USDT" else 85)
    for month in series["months"]:
        assert month["expected"] == month["observed"] + month["outage"], month


def test_the_ledger_view_is_the_whole_equation_in_one_query(loaded: Connection) -> None:
    rows = loaded.execute("select symbol, state, sum(candles)::int from market.coverage_ledger group by 1, 2")
    found = {(symbol, state): candles for symbol, state, candles in rows}
    assert found["BTC/USDT", "observed"] + found["BTC/USDT", "outage"] == (TO - FROM) // HOUR
    assert {key: n for key, n in found.items() if key[1] not in ("observed", "outage")} == {}


def test_filled_candles_are_flagged_and_end_with_the_newest(loaded: Connection) -> None:
    rows = loaded.execute(
        "select opened_at, open, high, low, close, volume, is_filled from ohlcv_filled"
        " where venue = 'binance' and symbol = 'BTC/USDT' and timeframe = '1h'"
        " and opened_at between '2020-02-09 01:00+00' and '2020-02-09 03:00+00' order by opened_at"
    ).fetchall()
    assert [row[6] for row in rows] == [False, True, False]
    assert rows[1][1:6] == (*[rows[0][4]] * 4, 0)
    whole = loaded.execute(
        "select count(*), count(*) filter (where is_filled), count(distinct opened_at), max(opened_at)"
        " from ohlcv_filled where symbol = 'XRP/USDT'"
    ).fetchone()
    assert whole == (59152, 88, 59152, TO - HOUR)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("candle", 1), ("candle", 2), ("candle", 3), ("page", 4), ("page", 5), ("month", 6), ("month", 7)],
)
def test_any_deletion_is_named_and_one_repair_restores_the_table(
    dsns: WarehouseDsns,
    loaded: Connection,
    serve: Serve,
    recorded_world: RecordedWorld,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    seed: int,
) -> None:
    chosen = random.Random(seed)
    market = chosen.choice(MARKETS)
    instrument_id = ensure_instrument(loaded, market)
    before = content_sha256(loaded, instrument_id)
    hour = max(FROM, market.listed_at) + chosen.randrange((TO - max(FROM, market.listed_at)) // HOUR) * HOUR
    start, end = {
        "candle": (hour, hour + HOUR),
        "page": (hour, hour + 1000 * HOUR),
        "month": month_span(date(hour.year, hour.month, 1)),
    }[kind]
    rows = loaded.execute(
        "delete from market.candle where instrument_id = %s and opened_at >= %s and opened_at < %s returning opened_at",
        (instrument_id, start, end),
    ).fetchall()
    holes = of_opens((row[0] for row in rows), HOUR)
    assert holes, "the seed has chosen an outage"

    assert run(dsns) == 1
    printed = capsys.readouterr().out
    for hole in holes:
        assert f"unknown: {hole} (" in printed
        assert "deleted, answer " in printed
    assert [each.span for series in coverage(loaded, TO) for each in series.unknown] == holes

    with serve(recorded_world, TO) as url:
        client = Binance(RequestsTransport(f"{url}/binance"))

        def fetch(market: Market, timeframe: str, start: datetime, end: datetime, purpose: str) -> UpsertCounts:
            counts = UpsertCounts()
            for page in client.candles(market.venue_symbol, timeframe, start, end, TO):
                counts = counts.plus(put(loaded, instrument_id, page))
            return counts

        found = plan(loaded, TO)
        steps = [step for step in found.steps if step.purpose == "unknown"]
        assert [Span(step.start, step.end) for step in steps] == [Span(holes[0].start, holes[-1].end)]
        assert sum(step.requests for step in steps) == 1
        (explanation,) = repair(loaded, found._replace(steps=steps), fetch, CLOCK)
    assert f"{len(rows)} new, 0 changed; complete now" in explanation
    assert content_sha256(loaded, instrument_id) == before
    assert run(dsns) == 0


def test_a_certificate_holds_until_a_candle_changes(
    dsns: WarehouseDsns, loaded: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "certificate.json"
    only = ("--market", "binance:XRP/USDT", "--market", "binance:BTC/USDT")
    assert run(dsns, *only, "--certificate", str(file)) == 0
    document = json.loads(file.read_text())
    assert (document["world"], document["complete"], len(document["series"])) == ("recorded", True, 2)
    ledger = document["series"][0]["ledger"]
    assert sum((datetime.fromisoformat(e["to"]) - datetime.fromisoformat(e["from"])) // HOUR for e in ledger) == 122
    assert all(len(entry["response_sha256"]) == 64 for entry in ledger)
    assert run(dsns, "--check", str(file)) == 0
    spoilt = datetime(2021, 5, 5, 5, tzinfo=UTC)
    query = "select instrument_id, close from market.candle where opened_at = %s"
    closes = loaded.execute(query, (spoilt,)).fetchall()
    loaded.execute("update market.candle set close = high where opened_at = %s", (spoilt,))
    capsys.readouterr()
    assert run(dsns, "--check", str(file)) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in told] == [f"binance:{coin}/USDT 1h 2021-05" for coin in ("BTC", "XRP")]
    assert all("candles_sha256 is " in line for line in told)
    for instrument_id, close in closes:
        loaded.execute(
            "update market.candle set close = %s where instrument_id = %s and opened_at = %s",
            (close, instrument_id, spoilt),
        )
    assert run(dsns, "--check", str(file)) == 0
    file.write_text(file.read_text().replace('"outage": 122', '"outage": 121'))
    assert run(dsns, "--check", str(file)) == 2
    assert "changed after it was issued" in capsys.readouterr().err
