"""`budgets` on the command line."""

from __future__ import annotations

import argparse
import json

import pytest

from include.politeness import command
from include.politeness.gate import gate_for
from include.venues import errors
from include.warehouse.bootstrap import WarehouseDsns


def run(*arguments: str, environ: dict[str, str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments), environ or {})


@pytest.fixture
def used(warehouse: WarehouseDsns) -> WarehouseDsns:
    """A warehouse after three requests to Kraken, the last rate limited, and one to Binance that was blocked there."""
    with gate_for("kraken", "live", warehouse.writer) as gate:
        gate.enter(1)
        gate.enter(1)
        gate.leave(1, None, errors.RateLimitedError("kraken", "EAPI:Rate limit exceeded", 100))
    with gate_for("binance", "backfill", warehouse.writer) as gate:
        gate.enter(2)
        gate.leave(2, None, errors.GeoBlockedError("binance", "restricted location"))
    return warehouse


def test_a_table_says_what_is_left_and_why_nothing_is_sent(
    used: WarehouseDsns, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--dsn", used.reader) == 0
    heading, binance, kraken = capsys.readouterr().out.splitlines()
    assert heading.split() == ["source", "circuit", "limit", "left", "hour", "month", "note"]
    assert binance.split()[:6] == ["binance", "open", "1200", "in", "60", "s"]
    assert binance.split()[7:9] == ["1", "1"]
    assert "geo_blocked, next try 2" in binance
    assert binance.endswith("binance: restricted location")
    assert kraken.split()[:6] == ["kraken", "closed", "1", "in", "1", "s"]
    assert "rate_limited until 2" in kraken


def test_the_same_as_json(used: WarehouseDsns, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", environ={"WAREHOUSE_DSN": used.reader}) == 0
    binance, kraken = json.loads(capsys.readouterr().out)
    assert (binance["source"], binance["circuit"], binance["circuit_reason"]) == ("binance", "open", "geo_blocked")
    assert (binance["weight_this_month"], kraken["requests_this_hour"]) == (2, 2)
    assert 99 < kraken["blocked_for_seconds"] <= 101
    assert binance["retry_at"] > binance["opened_at"]


def test_a_circuit_is_closed_and_a_block_lifted_by_hand(
    used: WarehouseDsns, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in ("binance", "kraken"):
        assert run("--dsn", used.writer, "--reset-circuit", source) == 0
    assert "open" not in capsys.readouterr().out.splitlines()[-2]
    for source in ("binance", "kraken"):
        with gate_for(source, "live", used.writer) as gate:
            gate.enter(1)


def test_what_cannot_be_done_is_said(used: WarehouseDsns, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 1
    assert "WAREHOUSE_DSN" in capsys.readouterr().err
    assert run("--dsn", used.writer, "--reset-circuit", "mars") == 1
    assert "'mars'" in capsys.readouterr().err
    assert run("--dsn", used.reader, "--reset-circuit", "binance") == 1
    assert "read-only" in capsys.readouterr().err
    assert run("--dsn", "host=127.0.0.1 port=1 dbname=none") == 1
    assert "could not be read" in capsys.readouterr().err
