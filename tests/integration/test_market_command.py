"""`python -m include.cli market`: what the warehouse holds, as tables and JSON, with an exit status for scripts."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.candles.model import Candle
from include.clock import FixedClock
from include.config.markets import MARKETS
from include.serving import market_command as command
from include.serving import terminal
from include.serving.selection import Snapshot
from include.serving.terminal import Section
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import DSN_VARIABLE, Connection
from include.warehouse.instruments import ensure_instrument
from tests.integration.api import API, serving

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + 6 * HOUR + timedelta(minutes=10)
BTC = ("--market", "binance:BTC/USDT")


def run(dsn: str, *arguments: str, now: datetime = NOW) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments), environ={DSN_VARIABLE: dsn}, clock=FixedClock(now))


@pytest.fixture
def filled(warehouse: WarehouseDsns, writer: Connection) -> str:
    """Connection string (reader) of a warehouse with six hours of one market."""
    price = Decimal("42000.50000000")
    some = [
        Candle(START + n * HOUR, price, price + n, price, price, Decimal("1.10000001"), Decimal(9), n or None)
        for n in range(6)
    ]
    instrument_id = ensure_instrument(writer, MARKETS[0])
    upsert_candles(writer, instrument_id, "1h", some, source="test", world="recorded", recorded_at=NOW)
    return warehouse.reader


def test_candles_are_a_table_under_their_verdict(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, *BTC, "--from", "2024-01-01T04:00", "--to", "2024-01-01T06:00") == 0
    assert capsys.readouterr().out.splitlines() == [
        "candles of binance BTC/USDT, 1h: answered",
        "  as of 2024-01-01 06:10 UTC, complete until 2024-01-01 06:00 UTC, 100.00 % complete, recorded world",
        "    opened_at                   open            high             low           close      volume  trade_count",
        "    2024-01-01 04:00  42000.50000000  42004.50000000  42000.50000000  42000.50000000  1.10000001            4",
        "    2024-01-01 05:00  42000.50000000  42005.50000000  42000.50000000  42000.50000000  1.10000001            5",
    ]


def test_what_abstains_says_why_has_no_rows_and_ends_with_status_1(
    filled: str, owner: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.execute("delete from market.candle where opened_at = %s", (START + 2 * HOUR,))
    since = ("--from", "2024-01-01")
    assert run(filled, *BTC, *since) == 1
    head, _, reason = capsys.readouterr().out.splitlines()
    assert head == "candles of binance BTC/USDT, 1h: ABSTAINED"
    assert reason.startswith("  incomplete: 1 of 6 candles")
    assert "2024-01-01 02:00" in reason
    assert run(filled, *BTC, *since, "--untrusted") == 1
    assert len(capsys.readouterr().out.splitlines()) == 3 + 1 + 5
    assert run(filled, *BTC, *since, "--to", "2024-01-01T02:00") == 0
    assert run(filled, *BTC, "--from", "2024-01-01T03:00", now=NOW + 3 * HOUR) == 1


def test_json_is_what_the_data_api_answers(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(filled, NOW) as (client, _):
        asked = {"venue": "binance", "symbol": "BTC/USDT", "from": "2024-01-01T00:00:00Z"}
        envelope = client.get(f"{API}/candles", params=asked).json(parse_float=Decimal)
    assert run(filled, *BTC, "--from", "2024-01-01", "--json") == 0
    printed = capsys.readouterr().out
    told = json.loads(printed, parse_float=Decimal)["candles"]
    assert {**told, "next": None} == envelope
    assert len(told["data"]) == 6
    assert '"volume":1.10000001' in printed


def test_without_a_market_everything_is_told_each_with_its_own_verdict(
    filled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(filled) == 1
    heads = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ") and line]
    assert heads == [
        "markets: answered",
        "newest tickers: ABSTAINED",
        "Fear & Greed index (alternative.me): ABSTAINED",
        "coins by the day's change: ABSTAINED",
        "price alerts: ABSTAINED",
    ]
    assert run(filled, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["instruments", "tickers", "sentiment", "rankings", "alerts"]
    assert [row["symbol"] for row in told["instruments"]["data"]] == ["BTC/USDT"]
    assert told["tickers"]["reasons"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--market", "binance:DOGE/USDT"], "there is no market DOGE/USDT at binance; known: binance BTC/USDT"),
        (["--market", "nonsense"], "known: binance BTC/USDT"),
        (["--from", "2024-02-02", "--to", "2024-02-01"], "--from has to lie before --to"),
        (["--dsn", "host=127.0.0.1 port=1 dbname=x connect_timeout=2"], "connection failed"),
    ],
)
def test_what_could_not_be_asked_ends_with_status_2(
    filled: str, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert run(filled, *arguments) == 2
    said = capsys.readouterr()
    assert problem in said.err
    assert said.out == ""


def test_who_asks_cannot_write_whatever_the_role_may(
    warehouse: WarehouseDsns, capsys: pytest.CaptureFixture[str]
) -> None:
    def questions(look: Snapshot) -> list[Section]:
        look.connection.execute("delete from market.candle")
        return []

    options = Namespace(start=None, end=None, dsn=warehouse.owner, untrusted=False, json=False)
    assert terminal.answer(questions, options, {}, FixedClock(NOW)) == 2
    assert "read-only transaction" in capsys.readouterr().err
