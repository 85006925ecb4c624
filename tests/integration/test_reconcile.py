"""Recorded hours of four venues in the warehouse: read, judged, stored once, and shown by the command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from include.cli import main
from include.reconcile.command import add_arguments, run
from include.reconcile.judge import judge
from include.reconcile.run import reconcile
from include.reconcile.thresholds import CONTEXT
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from tests.unit.reconcile.recorded import HOUR, PRICES, SOURCES, Series, at_hour, hour_of, panels, read

START = datetime(2021, 4, 10, tzinfo=UTC)
END = datetime(2021, 4, 27, tzinfo=UTC)
FILLED_FROM = START - 2 * CONTEXT * HOUR
NOW = datetime(2021, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def series(market_data_dir: Path) -> list[Series]:
    """What was recorded around April 2021: Binance, Kraken and Bitstamp for BTC, two of them for ETH."""
    found = []
    for source in SOURCES:
        each = read(market_data_dir, source)
        within = (each.hours >= hour_of(FILLED_FROM)) & (each.hours < hour_of(NOW))
        if within.any():
            columns = {name: values[within] for name, values in each.columns.items()}
            found.append(Series(source, each.hours[within], columns))
    return found


def load(connection: Connection, series: Iterable[Series]) -> dict[str, int]:
    """The series as instruments with candles; `venue symbol` -> instrument_id."""
    ids = {}
    for each in series:
        source = each.source
        row = connection.execute(
            """
            insert into market.instrument (venue, symbol, venue_symbol, listed_at) values (%s, %s, %s, %s)
            returning instrument_id
            """,
            (source.venue, source.symbol, source.symbol, at_hour(int(each.hours[0]))),
        ).fetchone()
        assert row is not None
        ids[f"{source.venue} {source.symbol}"] = row[0]
        copy = """
            copy market.candle (
                instrument_id, timeframe, opened_at, recorded_at,
                open, high, low, close, base_volume, quote_volume, source
            ) from stdin
        """
        with connection.cursor() as cursor, cursor.copy(copy) as lines:
            for place, hour in enumerate(each.hours.tolist()):
                values = [Decimal(repr(float(each.columns[name][place]))) for name in (*PRICES, "base_volume")]
                quote_volume = float(each.columns["quote_volume"][place])
                lines.write_row(
                    (
                        row[0],
                        "1h",
                        at_hour(hour),
                        NOW,
                        *values,
                        None if np.isnan(quote_volume) else quote_volume,
                        "test",
                    )
                )
    return ids


@pytest.fixture
def ids(writer: Connection, series: list[Series]) -> dict[str, int]:
    return load(writer, series)


def stored(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select r.*, r.xmin from market.reconciliation as r order by opened_at, instrument_id"
    ).fetchall()


def test_the_warehouse_gives_what_the_arrays_give(
    writer: Connection, series: list[Series], ids: dict[str, int]
) -> None:
    found = reconcile(writer, START, END, NOW)
    expected = set()
    for each in judge(panels(series, FILLED_FROM, END + HOUR, set())):
        for finding in each.findings.values():
            at = at_hour(each.panel.first + finding.row)
            if START <= at < END:
                instrument = each.panel.instruments[finding.column]
                expected.add((at, instrument.venue, instrument.symbol, finding.verdict, finding.reason))
    assert expected
    assert {(v.opened_at, v.venue, v.symbol, v.verdict, v.reason) for v in found.verdicts} == expected
    named = {(v.opened_at, v.venue) for v in found.verdicts if v.verdict == "outlier" and v.is_attributed}
    assert (datetime(2021, 4, 14, 9, tzinfo=UTC), "bitstamp") in named
    absent = [v.opened_at for v in found.verdicts if v.verdict == "missing" and v.symbol == "BTC/USDT"]
    first = datetime(2021, 4, 20, 2, tzinfo=UTC)
    assert absent == [first, first + HOUR, *(datetime(2021, 4, 25, hour, tzinfo=UTC) for hour in (5, 6, 7))]


def test_a_repeated_reconciliation_writes_nothing(writer: Connection, ids: dict[str, int]) -> None:
    first = reconcile(writer, START, END, NOW, keep=True)
    kept, days = stored(writer), writer.execute("select d.*, d.xmin from market.reconciliation_day as d").fetchall()
    assert len(kept) == len(first.verdicts)
    assert len(days) == len(first.days)
    reconcile(writer, START + timedelta(days=3), END, NOW + HOUR, keep=True)
    assert stored(writer) == kept
    assert writer.execute("select d.*, d.xmin from market.reconciliation_day as d").fetchall() == days


def test_days_count_every_candle(writer: Connection, ids: dict[str, int]) -> None:
    reconcile(writer, START, END, NOW, keep=True)
    rows = writer.execute(
        """
        select d.instrument_id, sum(agree + quote_basis + outlier + uncompared), sum(missing), sum(agree)
        from market.reconciliation_day as d group by d.instrument_id
        """
    ).fetchall()
    hours = (END - START) // HOUR
    assert {row[0] for row in rows} == set(ids.values())
    for instrument_id, present, absent, agree in rows:
        held = writer.execute(
            "select count(*) from market.candle where instrument_id = %s and opened_at >= %s and opened_at < %s",
            (instrument_id, START, END),
        ).fetchone()
        assert held == (present,)
        assert present + absent == hours
        assert agree > 0.98 * hours


def test_a_repaired_candle_loses_its_verdict_and_a_wrong_one_gets_it(writer: Connection, ids: dict[str, int]) -> None:
    at = datetime(2021, 4, 12, 15, tzinfo=UTC)
    change = (
        "update market.candle set close = %s, high = greatest(high, %s) where instrument_id = %s and opened_at = %s"
    )
    sound = writer.execute(
        "select close, high from market.candle where instrument_id = %s and opened_at = %s", (ids["kraken BTC/USD"], at)
    ).fetchone()
    assert sound is not None
    reconcile(writer, START, END, NOW, keep=True)
    before = [row[:-1] for row in stored(writer)]
    writer.execute(change, (sound[0] * 2, sound[0] * 2, ids["kraken BTC/USD"], at))
    reconcile(writer, at, at + HOUR, NOW, keep=True)
    (found,) = writer.execute(
        "select verdict::text, reason, is_attributed, suspects from market.reconciliation where opened_at = %s", (at,)
    ).fetchall()
    assert found == ("outlier", "level", True, ["kraken BTC/USD"])
    writer.execute(
        "update market.candle set close = %s, high = %s where instrument_id = %s and opened_at = %s",
        (*sound, ids["kraken BTC/USD"], at),
    )
    reconcile(writer, at, at + HOUR, NOW, keep=True)
    assert [row[:-1] for row in stored(writer)] == before


def test_what_the_ledger_explains_is_not_missing(writer: Connection, ids: dict[str, int]) -> None:
    outage = datetime(2021, 4, 25, 5, tzinfo=UTC)
    writer.execute(
        """
        insert into market.coverage (instrument_id, timeframe, covers, state, reason, recorded_at)
        values (%s, '1h', tstzrange(%s, %s), 'out_of_reach', 'test', %s)
        """,
        (ids["binance BTC/USDT"], outage, outage + 2 * HOUR, NOW),
    )
    found = reconcile(writer, outage, outage + HOUR, NOW, ["BTC"])
    absent = [v.opened_at for v in found.verdicts if v.verdict == "missing"]
    assert absent == [outage + 2 * HOUR]
    assert {v.base for v in found.verdicts} | {d.base for d in found.days} == {"BTC"}


def test_only_settled_hours_of_whole_days_are_judged(writer: Connection, ids: dict[str, int]) -> None:
    now = datetime(2021, 4, 20, 9, 30, tzinfo=UTC)
    found = reconcile(writer, datetime(2021, 4, 19, 17, tzinfo=UTC), datetime(2021, 4, 20, 1, tzinfo=UTC), now)
    assert (found.start, found.end) == (datetime(2021, 4, 19, tzinfo=UTC), datetime(2021, 4, 20, 8, tzinfo=UTC))
    assert {day.day for day in found.days} == {datetime(2021, 4, 19, tzinfo=UTC), datetime(2021, 4, 20, tzinfo=UTC)}
    assert all(found.start <= v.opened_at < found.end for v in found.verdicts)


def test_pieces_of_any_size_give_the_same(
    writer: Connection, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reconcile(writer, START, END, NOW)
    monkeypatch.setattr("include.reconcile.run.PIECE", 48)
    assert reconcile(writer, START, END, NOW) == whole


def test_an_empty_warehouse_has_nothing_to_compare(writer: Connection) -> None:
    found = reconcile(writer, START, END, NOW, keep=True)
    assert (found.verdicts, found.days) == ([], [])


def test_the_command_shows_and_stores(
    warehouse: WarehouseDsns,
    reader: Connection,
    ids: dict[str, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["reconcile", "--from", "2021-04-13", "--to", "2021-04-16", "--base", "BTC", "--dsn", warehouse.writer]
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert "bitstamp BTC/USD" in text
    assert "2021-04-14 09:00  outlier" in text
    assert stored(reader) == []
    assert main([*arguments, "--store", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert [v["reason"] for v in body["verdicts"]] == [row[5] for row in stored(reader)]
    assert {market["symbol"] for market in body["markets"]} == {"BTC/USDT", "BTC/USD"}
    quiet = ["reconcile", "--from", "2021-04-16", "--to", "2021-04-18", "--dsn", warehouse.reader]
    assert main([*quiet, "--base", "BTC"]) == 0
    capsys.readouterr()
    assert main(quiet) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("2021-")]
    assert lines == ["2021-04-17 04:00  outlier       binance ETH/USDT or kraken ETH/USD  low  -557 bps"]


def test_the_command_says_what_it_lacks(warehouse: WarehouseDsns, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args([]), {}) == 2
    assert "WAREHOUSE_DSN" in capsys.readouterr().err
    nowhere = ["--dsn", "postgresql://nobody@127.0.0.1:1/nothing"]
    assert run(parser.parse_args(nowhere), {}) == 2
    assert "could not be reconciled" in capsys.readouterr().err
    backwards = ["--from", "2021-04-16", "--to", "2021-04-15", "--dsn", warehouse.reader]
    assert run(parser.parse_args(backwards), {}) == 2
    assert "is not before" in capsys.readouterr().err


def test_the_reader_may_look_and_the_writer_write(reader: Connection) -> None:
    rights = """
        select role, right_, table_
        from unnest(%s::text[]) as role, unnest(%s::text[]) as right_, unnest(%s::text[]) as table_
        where has_table_privilege(role, table_, right_)
    """
    tables = ["market.reconciliation", "market.reconciliation_day"]
    held = reader.execute(
        rights, (["warehouse_reader", "warehouse_writer"], ["select", "insert", "delete"], tables)
    ).fetchall()
    assert {(role, right) for role, right, _ in held} == {
        ("warehouse_reader", "select"),
        *(("warehouse_writer", right) for right in ("select", "insert", "delete")),
    }
    assert len(held) == 4 * len(tables)
