"""The command's answers for a person and a script, and the certificate's canonical form."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.candles.model import Candle
from include.clock import FixedClock
from include.config.markets import Market
from include.coverage import command
from include.coverage.attest import attest
from include.coverage.certificate import issue
from include.coverage.equation import coverage
from include.venues.model import CandlePage
from include.warehouse.archive import archive_month, drop_archived_month
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import DSN_VARIABLE, Connection
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 1, 31, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + 8 * HOUR
BTC = Market("kraken", "BTC/USD", "XXBTZUSD", START)


@pytest.fixture
def instrument_id(writer: Connection) -> int:
    """Eight hours across two months, with and without the figures a venue may leave out."""
    instrument_id = ensure_instrument(writer, BTC)
    price = Decimal("42000.50")
    candles = [
        Candle(START, price, price, price, price, Decimal("0E-8")),
        Candle(START + HOUR, price, price + 1, price, price, Decimal("1E+2"), Decimal("1.100"), 7, Decimal("0.1200")),
        *(Candle(START + n * HOUR, price, price, price, price, Decimal(n), Decimal(0), 0) for n in range(2, 8)),
    ]
    page = CandlePage(candles, [], "synthetic", "kraken-rest", "x", "0" * 64, START, NOW)
    with writer.transaction():
        upsert_candles(writer, instrument_id, "1h", candles, source="kraken-rest", world="synthetic", recorded_at=NOW)
        attest(writer, instrument_id, "1h", page, venue="kraken", now=NOW)
    return instrument_id


def run(dsn: str, *arguments: str, now: datetime = NOW) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments), environ={DSN_VARIABLE: dsn}, clock=FixedClock(now))


def test_a_complete_series_ends_with_status_0(
    warehouse: WarehouseDsns, instrument_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(warehouse.reader, "--months") == 0
    assert capsys.readouterr().out.splitlines() == [
        "kraken:BTC/USD 1h, 2024-01-31 20:00 to 2024-02-01 04:00: complete",
        "  8 expected = 8 observed + 0 empty + 0 outage + 0 out of reach + 0 pending + 0 unknown",
        "      month  expected  observed  empty  outage  out of reach  pending  unknown",
        "    2024-01         4         4      0       0             0        0        0",
        "    2024-02         4         4      0       0             0        0        0",
    ]


def test_an_unknown_hour_is_named_and_ends_with_status_1(
    warehouse: WarehouseDsns, writer: Connection, instrument_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.execute("delete from market.candle where opened_at = %s", (START + 5 * HOUR,))
    assert run(warehouse.reader) == 1
    head, equation, unknown = capsys.readouterr().out.splitlines()
    assert head.endswith("NOT COMPLETE")
    assert "7 observed" in equation
    assert unknown.startswith("  unknown: 2024-02-01 01:00 to 2024-02-01 02:00 (1 candle): deleted, answer ")
    assert run(warehouse.reader, "--to", "2024-02-01T01:00") == 0
    assert run(warehouse.reader, "--from", "2024-02-01T02:00:00+00:00") == 0
    capsys.readouterr()
    assert run(warehouse.reader, "--json") == 1
    (series,) = json.loads(capsys.readouterr().out)
    assert series["unknown"][0]["from"] == "2024-02-01T01:00:00+00:00"
    assert run(warehouse.reader, now=NOW + timedelta(hours=3)) == 1


def test_a_late_hour_is_pending_first(warehouse: WarehouseDsns, instrument_id: int) -> None:
    assert run(warehouse.reader, now=NOW + timedelta(hours=2, minutes=29)) == 0
    assert run(warehouse.reader, now=NOW + timedelta(hours=2, minutes=30)) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--market", "kraken:DOGE/USD"], "nothing is known of kraken:DOGE/USD"),
        (["--timeframe", "1d"], "nothing is known"),
        (["--from", "2024-02-02", "--to", "2024-02-01"], "--from has to lie before --to"),
        (["--check", "/nowhere/certificate.json"], "No such file"),
        (["--dsn", "host=127.0.0.1 port=1 dbname=x connect_timeout=2"], "connection failed"),
    ],
)
def test_what_cannot_be_answered_ends_with_status_2(
    warehouse: WarehouseDsns,
    instrument_id: int,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    assert run(warehouse.reader, *arguments) == 2
    assert problem in capsys.readouterr().err


def test_wrong_usage_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--timeframe", "7h"], ["--from", "yesterday"], ["--nonsense"]):
        with pytest.raises(SystemExit) as raised:
            run("", *arguments)
        assert raised.value.code == 2
    assert run("") == 2
    assert "--dsn, or WAREHOUSE_DSN" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "coverage-certificate/1"}', "nonsense"])
def test_a_file_that_is_no_certificate_is_refused(
    warehouse: WarehouseDsns, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "certificate.json"
    file.write_text(text)
    assert run(warehouse.reader, "--check", str(file)) == 2
    assert capsys.readouterr().err


def test_a_certificate_without_its_fields_is_refused_whatever_its_hash(
    warehouse: WarehouseDsns, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"format": "coverage-certificate/1", "series": []}
    sha256 = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(body | {"sha256": sha256}))
    assert run(warehouse.reader, "--check", str(file)) == 2
    assert "a field is missing" in capsys.readouterr().err


def test_the_hash_is_over_the_documented_lines_and_is_the_archives(
    writer: Connection, instrument_id: int, tmp_path: Path
) -> None:
    lines = [
        "2024-01-31T20:00:00+00:00|42000.5|42000.5|42000.5|42000.5|0|||||",
        "2024-01-31T21:00:00+00:00|42000.5|42001.5|42000.5|42000.5|100|1.1|7|0.12||",
        "2024-01-31T22:00:00+00:00|42000.5|42000.5|42000.5|42000.5|2|0|0|||",
        "2024-01-31T23:00:00+00:00|42000.5|42000.5|42000.5|42000.5|3|0|0|||",
    ]
    expected = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    document = issue(writer, coverage(writer, NOW), NOW)
    january, february = document["series"][0]["months"]
    assert january["candles_sha256"] == expected
    assert document["series"][0]["answers"] == [{"source": "kraken-rest", "count": 1, "newest": NOW.isoformat()}]
    later = NOW + timedelta(days=40)
    assert archive_month(writer, tmp_path, instrument_id, "1h", date(2024, 1, 1), later).content_sha256 == expected
    drop_archived_month(writer, tmp_path, instrument_id, "1h", date(2024, 1, 1), later)
    archived = issue(writer, coverage(writer, NOW), NOW)["series"][0]["months"]
    assert [month["candles_sha256"] for month in archived] == [expected, february["candles_sha256"]]
    assert [month["archived"] for month in archived] == [4, 0]


def test_a_certificate_of_another_world_does_not_hold(
    warehouse: WarehouseDsns, owner: Connection, instrument_id: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "certificate.json"
    assert run(warehouse.reader, "--certificate", str(file)) == 0
    owner.execute("update ops.world set world = 'recorded'")
    capsys.readouterr()
    assert run(warehouse.reader, "--check", str(file)) == 1
    assert "of the synthetic world, the warehouse of the recorded one" in capsys.readouterr().out


def test_a_series_that_vanished_is_told(
    warehouse: WarehouseDsns, owner: Connection, instrument_id: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "certificate.json"
    assert run(warehouse.reader, "--certificate", str(file)) == 0
    owner.execute("truncate market.candle, market.attestation, market.coverage")
    capsys.readouterr()
    assert run(warehouse.reader, "--check", str(file)) == 1
    assert "kraken:BTC/USD 1h: nothing is known of it any more" in capsys.readouterr().out
