"""Sealed forecasts are chained by the database and verified by computing again: what an owner tampers with is named."""

from __future__ import annotations

import json
import random
import re
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.forecasting import verify_command
from include.forecasting.chain import COLUMNS, GENESIS, SealedRow, sealed_bytes
from include.forecasting.scoring import score_matured
from include.forecasting.verify import Verification
from include.forecasting.verify_chain import Finding
from include.forecasting.verify_heads import describe, parse
from include.metrics.fact_queries import QUERIES
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from include.warehouse.migrations import migrate
from include.warehouse.sql import statement
from tests.integration.conftest import Before

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
ROWS = 6
BTC, ETH = MARKETS[0], MARKETS[1]
MODEL: dict[str, Any] = {"model": "a model, longer than naïve\n=9:", "model_version": "3"}
NAIVE: dict[str, Any] = {"model": "naive", "model_version": None, "model_trained_until": None}
# Columns that came with 0014, as on the row of a day ahead.
DISTRIBUTION: dict[str, Any] = {
    "lower_price_95": "59000.5",
    "upper_price_95": "62000.75",
    "up_probability": 0.625,
    "drift_log_return": 0.0001,
    "seasonal_log_return": -0.0002,
    "model_trained_until": START - timedelta(days=9),
    "predicted_volatility": 0.031,
    "lower_volatility": 0.021,
    "upper_volatility": 0.045,
    "lower_volatility_95": 0.012,
    "upper_volatility_95": 0.082,
    "volatility_model": "a volatility model",
    "volatility_model_version": "7",
    "volatility_trained_until": START - timedelta(days=8),
    "ewma_volatility": 0.033,
    "har_volatility": 0.034,
}
VOLATILITY = [name for name in DISTRIBUTION if "volatility" in name]


def seal(connection: Connection, place: int, *, instrument_id: int, horizon: int = 1, **changed: Any) -> None:
    """One forecast as the product seals it; `place` counts hours."""
    as_of = START + place * HOUR
    row = {
        "instrument_id": instrument_id,
        "timeframe": "1h",
        "horizon_bars": horizon,
        "as_of": as_of,
        "target_at": as_of + horizon * HOUR,
        "made_at": as_of + timedelta(microseconds=61_000_001),
        "as_of_price": "60000.10",
        "predicted_log_return": 0.0123456789 / (place + 1),
        "predicted_price": "60603.5",
        "lower_price": "59500",
        "upper_price": "61800.25",
        "coverage": 0.8,
        **MODEL,
        **DISTRIBUTION,
    }
    connection.execute(statement("forecast/insert_forecast.sql"), row | changed)


def seal_as_before(connection: Connection, place: int, **changed: Any) -> None:
    """One forecast as it was sealed before 0014."""
    row = {"horizon": 1, "at": START + place * HOUR, **MODEL, **changed}
    connection.execute(
        "insert into ml.forecast (instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,"
        " predicted_log_return, predicted_price, lower_price, upper_price, coverage, model, model_version)"
        " values (%(instrument_id)s, '1h', %(horizon)s, %(at)s, %(at)s + interval '1 hour', %(at)s, 60000.10,"
        " 0.01, 60603.5, 59500, 61800.25, 0.8, %(model)s, %(model_version)s)",
        row,
    )


@pytest.fixture
def chained(writer: Connection) -> Connection:
    """Six forecasts of one series and two each of two others."""
    btc, eth = ensure_instrument(writer, BTC), ensure_instrument(writer, ETH)
    for place in range(ROWS):
        seal(writer, place, instrument_id=btc)
    for place in range(2):
        seal(writer, place, instrument_id=btc, horizon=24, **NAIVE, predicted_log_return=0.0)
        seal(writer, place, instrument_id=eth)
    return writer


@pytest.fixture
def tamperer(owner: Connection, chained: Connection) -> Connection:
    """An owner who has put all rules of the table aside."""
    constraints = owner.execute(
        "select conname, conrelid::regclass::text from pg_constraint"
        " where (conrelid = 'ml.forecast'::regclass and contype in ('c', 'f', 'u'))"
        " or (confrelid = 'ml.forecast'::regclass)"
    ).fetchall()
    for name, table in constraints:
        owner.execute(f"alter table {table} drop constraint {name}")
    owner.execute("alter table ml.forecast alter column forecast_id drop identity")
    owner.execute("alter table ml.forecast alter column is_naive drop expression")
    for name in ("predicted_price", "chain_position", "previous_sha256", "row_sha256"):
        owner.execute(f"alter table ml.forecast alter column {name} drop not null")
    return owner


def tamper(owner: Connection, change: str) -> None:
    """Do what the seal forbids, and put the seal back."""
    owner.execute("alter table ml.forecast disable trigger user")
    assert owner.execute(change).rowcount > 0
    owner.execute("alter table ml.forecast enable trigger user")


def verify(connection: Connection, *noted: str) -> tuple[list[Finding], Verification]:
    verification = Verification([parse(text) for text in noted])
    return list(verification.findings(connection)), verification


def findings(connection: Connection, *noted: str) -> list[Finding]:
    return verify(connection, *noted)[0]


def heads(connection: Connection, *, world: str = "recorded") -> str:
    """What `--json` prints of the heads, at the present."""
    found, verification = verify(connection)
    assert found == []
    assert verification.noted_at is not None
    noted_at = verification.noted_at.isoformat()
    return json.dumps({"noted_at": noted_at, "world": world, "heads": describe(verification.heads)})


def btc_row(position: int) -> str:
    return (
        f"chain_position = {position} and horizon_bars = 1"
        " and instrument_id = (select instrument_id from market.instrument order by 1 limit 1)"
    )


def rehash(owner: Connection, rows: str) -> None:
    """Make the hashes of rows right again, as an owner who knows the code would."""
    hashed = "encode(sha256(convert_to(ml.sealed_text(f), 'UTF8')), 'hex')"
    tamper(owner, f"update ml.forecast as f set row_sha256 = {hashed} where {rows}")


def rehash_chain(owner: Connection, since: int) -> None:
    """Compute the whole chain anew from a row on."""
    rehash(owner, btc_row(since))
    for position in range(since + 1, ROWS + 1):
        before = f"select row_sha256 from ml.forecast where {btc_row(position - 1)}"
        tamper(owner, f"update ml.forecast set previous_sha256 = ({before}) where {btc_row(position)}")
        rehash(owner, btc_row(position))


class TestChain:
    def test_each_row_names_the_one_before(self, chained: Connection) -> None:
        rows = chained.execute(
            "select instrument_id, horizon_bars, chain_position, previous_sha256, row_sha256 from ml.forecast"
            " order by instrument_id, horizon_bars, chain_position"
        ).fetchall()
        assert [row[2] for row in rows] == [1, 2, 3, 4, 5, 6, 1, 2, 1, 2]
        for before, row in zip([None, *rows], rows, strict=False):
            assert row[3] == (GENESIS if row[2] == 1 else before and before[4])
        assert len({row[4] for row in rows}) == len(rows)

    def test_sealed_form_is_the_databases(self, chained: Connection) -> None:
        """Python's own text, byte by byte what the database hashed, from values as the verification reads them."""
        texts: dict[int, str] = dict(
            chained.execute("select forecast_id, ml.sealed_text(f) from ml.forecast as f").fetchall()
        )
        cursor = chained.cursor(binary=True)
        cursor.execute(statement("forecast/select_chain.sql"))
        rows = cursor.fetchall()
        assert len(rows) == len(texts) == ROWS + 4
        for row in rows:
            sealed = SealedRow(dict(zip(COLUMNS, row, strict=False)), row[-1])
            assert sealed_bytes(sealed.fields).decode() == texts[sealed.values["forecast_id"]]
            assert sealed.is_whole

    def test_every_column_is_sealed(self, owner: Connection) -> None:
        columns = owner.execute(
            "select column_name from information_schema.columns where table_schema = 'ml' and table_name = 'forecast'"
        ).fetchall()
        assert {name for (name,) in columns} == set(COLUMNS) - {"venue", "symbol"} | {"row_sha256"}

    def test_nobody_names_his_own_place(self, chained: Connection) -> None:
        chained.execute(
            "insert into ml.forecast (instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,"
            " predicted_log_return, predicted_price, lower_price, upper_price, coverage, model,"
            " chain_position, previous_sha256, row_sha256)"
            " select instrument_id, timeframe, 1, as_of + interval '1 day', target_at + interval '1 day',"
            " made_at + interval '1 day', 1, 0, 1, 1, 1, 0.8, 'naive', 77, repeat('1', 64), repeat('2', 64)"
            f" from ml.forecast where {btc_row(6)}"
        )
        assert findings(chained) == []
        assert verify(chained)[1].heads[("binance:BTC/USDT", "1h", 1)].position == ROWS + 1  # type: ignore[index]

    def test_a_refused_repeat_leaves_the_chain(self, chained: Connection) -> None:
        before = chained.execute("select * from ml.forecast order by 1").fetchall()
        seal(chained, 2, instrument_id=ensure_instrument(chained, BTC), predicted_log_return=0.5)
        assert chained.execute("select * from ml.forecast order by 1").fetchall() == before
        assert findings(chained) == []

    def test_several_rows_of_one_statement_follow_each_other(self, chained: Connection) -> None:
        chained.execute(
            "insert into ml.forecast (instrument_id, timeframe, horizon_bars, as_of, target_at, made_at, as_of_price,"
            " predicted_log_return, predicted_price, lower_price, upper_price, coverage, model)"
            " select instrument_id, timeframe, 1, as_of + interval '1 day', target_at + interval '1 day',"
            " made_at + interval '1 day', 1, 0, 1, 1, 1, 0.8, 'naive' from ml.forecast where horizon_bars = 1"
        )
        found, verification = verify(chained)
        assert found == []
        assert sorted(head.position for head in verification.heads.values()) == [2, 4, 12]

    def test_two_writers_at_once(self, warehouse: WarehouseDsns, chained: Connection) -> None:
        """The second waits for the first to end, and follows it; many more make one chain too."""
        btc = ensure_instrument(chained, BTC)
        with connect(warehouse.writer) as first, first.transaction():
            seal(first, 10, instrument_id=btc)
            second = threading.Thread(target=_seal_all, args=(warehouse.writer, btc, range(11, 12)))
            second.start()
            second.join(0.3)
            assert second.is_alive()
        second.join()
        writers = [
            threading.Thread(target=_seal_all, args=(warehouse.writer, btc, range(20 + k, 60, 4))) for k in range(4)
        ]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        found, verification = verify(chained)
        assert found == []
        assert verification.rows == ROWS + 4 + 2 + 40

    def test_an_older_snapshot_cannot_fork(self, warehouse: WarehouseDsns, chained: Connection) -> None:
        btc = ensure_instrument(chained, BTC)
        with connect(warehouse.writer) as late, late.transaction():
            late.execute("set transaction isolation level repeatable read")
            late.execute("select count(*) from ml.forecast")
            seal(chained, 10, instrument_id=btc)
            with pytest.raises(psycopg.errors.UniqueViolation, match="forecast_chain_has_one_head"), late.transaction():
                seal(late, 11, instrument_id=btc)
        assert findings(chained) == []


def _seal_all(dsn: str, instrument_id: int, places: range) -> None:
    with connect(dsn) as connection:
        for place in places:
            seal(connection, place, instrument_id=instrument_id)


class TestMigration:
    @pytest.fixture
    def before(self, warehouse_before: Before) -> Iterator[Callable[[str], Connection]]:
        """The owner's connection to a warehouse of before a migration, by its number."""
        with ExitStack() as opened:
            yield lambda number: opened.enter_context(connect(warehouse_before(number).owner))

    def test_old_rows_are_chained_in_order(self, before: Callable[[str], Connection]) -> None:
        unchained = before("0013")
        btc, eth = ensure_instrument(unchained, BTC), ensure_instrument(unchained, ETH)
        for place in (3, 1, 2):
            seal_as_before(unchained, place, instrument_id=btc)
            seal_as_before(unchained, place, instrument_id=eth, model="naive", model_version=None)
        assert "0013_forecast_chain.sql" in migrate(unchained)
        assert unchained.execute(
            "select (extract(epoch from as_of - %s) / 3600)::integer from ml.forecast where instrument_id = %s"
            " order by chain_position",
            (START, btc),
        ).fetchall() == [(3,), (1,), (2,)]
        seal(unchained, 4, instrument_id=btc)
        found, verification = verify(unchained)
        assert found == []
        assert sorted(head.position for head in verification.heads.values()) == [3, 4]
        with pytest.raises(psycopg.errors.RestrictViolation, match="is sealed"):
            unchained.execute("update ml.forecast set predicted_price = 1")

    def test_columns_that_came_later_leave_old_hashes(self, before: Callable[[str], Connection]) -> None:
        old = before("0014")
        btc = ensure_instrument(old, BTC)
        for place in range(3):
            seal_as_before(old, place, instrument_id=btc)
        hashes = old.execute("select row_sha256 from ml.forecast order by 1").fetchall()
        assert "0014_forecast_distribution.sql" in migrate(old)
        assert old.execute("select row_sha256 from ml.forecast order by 1").fetchall() == hashes
        seal(old, 3, instrument_id=btc)
        found, verification = verify(old)
        assert found == []
        assert [head.position for head in verification.heads.values()] == [4]
        tamper(old, "update ml.forecast set up_probability = 0.7 where chain_position = 2")
        assert [(f.kind, f.position) for f in findings(old)] == [("altered", 2)]


# Each column, and the smallest change of it.
BYTES = {
    "forecast_id": "0",
    "instrument_id": "instrument_id + 1",
    "timeframe": "'2h'",
    "horizon_bars": "2",
    "as_of": "as_of + interval '1 microsecond'",
    "target_at": "target_at - interval '1 microsecond'",
    "made_at": "made_at - interval '1 microsecond'",
    "sealed_at": "sealed_at + interval '1 microsecond'",
    "as_of_price": "60000.11",
    "predicted_log_return": "predicted_log_return * (1::float8 + 2.220446049250313e-16::float8)",
    "predicted_price": "60603.4",
    "lower_price": "59501",
    "upper_price": "61800.35",
    "coverage": "0.9",
    "model": "replace(model, 'ï', 'i')",
    "model_version": "'4'",
    "is_naive": "true",
    "lower_price_95": "59001.5",
    "upper_price_95": "62000.85",
    "up_probability": "0.625 + 1.1102230246251565e-16::float8",
    "drift_log_return": "-drift_log_return",
    "seasonal_log_return": "-seasonal_log_return",
    "model_trained_until": "model_trained_until + interval '1 microsecond'",
    "predicted_volatility": "predicted_volatility * (1::float8 + 2.220446049250313e-16::float8)",
    "lower_volatility": "-lower_volatility",
    "upper_volatility": "-upper_volatility",
    "lower_volatility_95": "-lower_volatility_95",
    "upper_volatility_95": "-upper_volatility_95",
    "volatility_model": "replace(volatility_model, 'v', 'w')",
    "volatility_model_version": "'8'",
    "volatility_trained_until": "volatility_trained_until + interval '1 microsecond'",
    "ewma_volatility": "-ewma_volatility",
    "har_volatility": "-har_volatility",
    "chain_position": "4",
    "previous_sha256": "translate(previous_sha256, '0123456789abcdef', '1023456789abcdef')",
    "row_sha256": "translate(row_sha256, '0123456789abcdef', '1023456789abcdef')",
}
# Changes whose column cannot be told: the row moved into another chain, or more than one character has changed.
UNTOLD = {"instrument_id", "timeframe", "horizon_bars", "made_at", "sealed_at", "model", "row_sha256"}


class TestTampering:
    def test_there_is_nothing_to_find(self, chained: Connection, reader: Connection) -> None:
        before = chained.execute("select * from ml.forecast order by 1").fetchall()
        assert findings(reader) == []
        found, verification = verify(reader, heads(reader))
        assert (found, verification.rows, len(verification.heads)) == ([], ROWS + 4, 3)
        assert chained.execute("select * from ml.forecast order by 1").fetchall() == before

    def test_one_byte_of_each_column(self, tamperer: Connection) -> None:
        (row_id,) = tamperer.execute(f"select forecast_id from ml.forecast where {btc_row(3)}").fetchone() or ()
        tamperer.execute("create temporary table kept as select * from ml.forecast")
        assert set(BYTES) == set(COLUMNS) - {"venue", "symbol"} | {"row_sha256"}
        for column, changed in BYTES.items():
            tamper(tamperer, f"update ml.forecast set {column} = {changed} where {btc_row(3)}")
            self._is_named(findings(tamperer), column, row_id)
            tamper(tamperer, "delete from ml.forecast; insert into ml.forecast select * from kept")
        assert findings(tamperer) == []

    def _is_named(self, found: list[Finding], column: str, row_id: int) -> None:
        named = 0 if column == "forecast_id" else row_id
        assert {finding.forecast_id for finding in found} - {None} == {named}, column
        (finding,) = (finding for finding in found if finding.forecast_id == named)
        assert finding.series is not None
        if column not in {"instrument_id", "timeframe", "horizon_bars", "chain_position"}:
            assert found == [finding], column
            assert finding.series == ("binance:BTC/USDT", "1h", 1)
            assert finding.position == 3
            assert finding.kind == "altered"
            assert finding.target_at is not None
            assert abs(finding.target_at - (START + 3 * HOUR)) <= timedelta(microseconds=1)
        if column not in UNTOLD:
            assert finding.column == column

    @pytest.mark.parametrize("position", [1, ROWS])
    def test_ends_of_a_chain(self, chained: Connection, owner: Connection, position: int) -> None:
        tamper(owner, f"update ml.forecast set lower_price = 59501 where {btc_row(position)}")
        (found,) = findings(owner)
        assert (found.kind, found.position, found.column) == ("altered", position, "lower_price")
        assert found.detail == "lower_price was 59500 and is 59501 in the sealed form"

    def test_one_bit_of_a_float_is_told(self, chained: Connection, owner: Connection) -> None:
        tamper(owner, f"update ml.forecast set predicted_log_return = -predicted_log_return where {btc_row(2)}")
        assert [(f.position, f.column) for f in findings(owner)] == [(2, "predicted_log_return")]

    def test_a_market_by_another_name(self, chained: Connection, owner: Connection) -> None:
        owner.execute("update market.instrument set symbol = 'BTC/USDC' where symbol = 'BTC/USDT'")
        found = findings(owner)
        assert len(found) == ROWS + 2
        assert {(f.kind, f.column) for f in found} == {("altered", "symbol")}

    def test_a_row_in_the_middle_is_removed(self, chained: Connection, owner: Connection) -> None:
        tamper(owner, f"delete from ml.forecast where {btc_row(3)}")
        (found,) = findings(owner)
        assert (found.kind, found.series, found.position) == ("removed", ("binance:BTC/USDT", "1h", 1), 3)
        assert "after the target 2024-03-01 02:00 UTC, before the target 2024-03-01 04:00 UTC" in found.detail

    def test_rows_at_the_beginning_are_removed(self, chained: Connection, owner: Connection) -> None:
        tamper(owner, f"delete from ml.forecast where {btc_row(1)} or {btc_row(2)}")
        (found,) = findings(owner)
        assert (found.kind, found.position) == ("removed", 1)
        assert found.detail.startswith("rows 1 to 2 are not there: from the beginning")

    def test_a_row_at_the_end_is_found_by_a_noted_head(self, chained: Connection, owner: Connection) -> None:
        noted = heads(owner)
        tamper(owner, f"delete from ml.forecast where {btc_row(ROWS)}")
        assert findings(owner) == []
        (found,) = findings(owner, noted)
        assert (found.kind, found.series, found.position) == ("removed", ("binance:BTC/USDT", "1h", 1), ROWS)

    def test_a_whole_chain_is_found_by_a_noted_head(self, chained: Connection, owner: Connection) -> None:
        noted = heads(owner)
        tamper(owner, "delete from ml.forecast where horizon_bars = 24")
        (found,) = findings(owner, noted)
        assert (found.kind, found.series, found.position) == ("removed", ("binance:BTC/USDT", "1h", 24), 1)

    def test_a_row_is_inserted(self, tamperer: Connection) -> None:
        tamper(
            tamperer,
            "insert into ml.forecast select (jsonb_populate_record(f, jsonb_build_object('forecast_id', 99,"
            f" 'predicted_price', 60700))).* from ml.forecast as f where {btc_row(3)}",
        )
        (found,) = findings(tamperer)
        assert (found.kind, found.position, found.forecast_id) == ("inserted", 3, 99)
        rehash(tamperer, "forecast_id = 99")
        (found,) = findings(tamperer)
        assert (found.kind, found.position, found.forecast_id) == ("inserted", 3, 99)

    def test_a_row_of_the_past_is_appended(self, chained: Connection, owner: Connection) -> None:
        """By the trigger itself, which knows no better: its target had passed when the head was noted."""
        before, recorded = heads(owner, world="live"), heads(owner)
        seal(chained, ROWS, instrument_id=ensure_instrument(chained, BTC))
        assert findings(owner) == []
        assert findings(owner, recorded) == []
        (found,) = findings(owner, before)
        assert (found.kind, found.position) == ("inserted", ROWS + 1)

    def test_a_live_row_that_was_sealed_late(self, chained: Connection, owner: Connection) -> None:
        """With the one trigger out of the way that looks at the clock."""
        assert findings(owner) == []
        owner.execute("insert into ops.world (world) values ('live')")
        assert {(f.kind, "its target had passed" in f.detail) for f in findings(owner)} == {("inserted", True)}
        assert len(findings(owner)) == ROWS + 4

    def test_two_rows_change_places(self, chained: Connection, owner: Connection) -> None:
        owner.execute("alter table ml.forecast drop constraint forecast_chain_has_one_head")
        first, second = btc_row(3), btc_row(4)
        tamper(owner, f"update ml.forecast set chain_position = 7 - chain_position where {first} or {second}")
        found = findings(owner)
        assert [(f.kind, f.position, f.column) for f in found] == [
            ("reordered", 3, "chain_position"),
            ("reordered", 4, "chain_position"),
        ]
        assert [f.detail for f in found] == ["it was row 4 of its chain", "it was row 3 of its chain"]

    def test_a_row_whose_hash_was_computed_anew(self, chained: Connection, owner: Connection) -> None:
        tamper(owner, f"update ml.forecast set upper_price = 61900 where {btc_row(3)}")
        rehash(owner, btc_row(3))
        (found,) = findings(owner)
        assert (found.kind, found.position) == ("altered", 3)
        assert "computed anew" in found.detail

    def test_a_chain_computed_anew_is_found_between_two_notes(self, chained: Connection, owner: Connection) -> None:
        noted = json.loads(heads(owner))
        early = json.loads(heads(owner))
        (row,) = (row for row in early["heads"] if row["position"] == ROWS)
        row["position"] = 2
        (row["row_sha256"],) = owner.execute(f"select row_sha256 from ml.forecast where {btc_row(2)}").fetchone() or ()
        tamper(owner, f"update ml.forecast set upper_price = 61900 where {btc_row(3)}")
        rehash_chain(owner, 3)
        assert findings(owner) == []
        assert findings(owner, json.dumps(early)) == []
        (found,) = findings(owner, json.dumps(early), json.dumps(noted))
        assert (found.kind, found.position) == ("rewritten", ROWS)

    @pytest.mark.parametrize(
        "name", ["forecast_in_time", "forecast_is_chained", "forecast_is_kept", "forecast_is_sealed"]
    )
    def test_a_seal_that_is_off(self, chained: Connection, owner: Connection, name: str) -> None:
        owner.execute(f"alter table ml.forecast disable trigger {name}")
        (found,) = findings(owner)
        assert (found.kind, name in found.detail, "switched off" in found.detail) == ("unsealed", True, True)
        owner.execute(f"drop trigger {name} on ml.forecast")
        assert ["not there" in each.detail for each in findings(owner)] == [True]

    def test_times_beyond_any_calendar(self, tamperer: Connection) -> None:
        tamper(tamperer, f"update ml.forecast set target_at = 'infinity', made_at = '20000-01-01' where {btc_row(3)}")
        (found,) = findings(tamperer)
        assert (found.kind, found.position, found.target_at, found.made_at) == ("altered", 3, None, None)

    def test_lost_places_and_hashes(self, tamperer: Connection) -> None:
        tamper(
            tamperer,
            "update ml.forecast set chain_position = null, previous_sha256 = null, row_sha256 = null,"
            f" predicted_price = null where {btc_row(3)}",
        )
        assert [(f.kind, f.position) for f in findings(tamperer)] == [("removed", 3), ("altered", 0)]


CLOSES = {BTC: ["60500", "59000.5", "90000", "60000.10", "61000", "60001"], ETH: ["3000"]}


def put(connection: Connection, closes: dict[Any, list[str]], at: datetime) -> None:
    """Hourly candles from START on."""
    for market, prices in closes.items():
        candles = [
            Candle(START + place * HOUR, price, price, price, price, Decimal(1))
            for place, price in enumerate(map(Decimal, prices))
        ]
        instrument_id = ensure_instrument(connection, market)
        upsert_candles(connection, instrument_id, "1h", candles, source="test", world="recorded", recorded_at=at)


@pytest.fixture
def scored(chained: Connection) -> Connection:
    """Forecasts of which eight have matured, seven have a candle and a score."""
    put(chained, CLOSES, START + 7 * HOUR)
    assert score_matured(chained, START + 12 * HOUR).new == 7
    return chained


def row_id(connection: Connection, position: int) -> int:
    (found,) = connection.execute(f"select forecast_id from ml.forecast where {btc_row(position)}").fetchone() or ()
    return int(found)


class TestScores:
    def test_served_scores_are_what_they_come_to(self, scored: Connection, reader: Connection) -> None:
        found, verification = verify(reader)
        assert found == []
        assert (verification.scores.scores, verification.scores.without_candle) == (7, 0)
        assert reader.execute(
            "select target, baseline, sum(forecasts), sum(days), bool_and(skill_lower is null) from ml.scoreboard"
            " where time_window = 'all' group by target, baseline order by 1, 2"
        ).fetchall() == [
            ("log_return", "drift", 7, 2, True),
            ("log_return", "random_walk", 7, 2, True),
            ("log_return", "seasonal_hour", 7, 2, True),
            ("volatility", "ewma", 7, 2, True),
            ("volatility", "har", 7, 2, True),
        ]

    def test_an_altered_score_is_named(self, scored: Connection) -> None:
        altered = row_id(scored, 2)
        scored.execute("create temporary table kept as select * from ml.forecast_score")
        for column, value in [
            ("actual_price", "actual_price + 0.01"),
            ("actual_log_return", "actual_log_return + 1e-9"),
            ("error_log_return", "error_log_return / 2"),
            ("absolute_error", "absolute_error - 0.01"),
            ("naive_absolute_error", "naive_absolute_error + 0.01"),
            ("is_covered", "not is_covered"),
            ("is_covered_95", "not is_covered_95"),
            ("is_covered_95", "null"),
            ("is_direction_right", "not is_direction_right"),
            ("is_direction_right", "null"),
            ("actual_volatility", "actual_volatility * 1.000001"),
            ("is_volatility_covered", "not is_volatility_covered"),
            ("is_volatility_covered_95", "not is_volatility_covered_95"),
        ]:
            scored.execute(f"update ml.forecast_score set {column} = {value} where forecast_id = %s", (altered,))
            found = findings(scored)
            assert [f.column for f in found if f.kind == "score"] == [column]
            assert {f.forecast_id for f in found if f.kind == "score"} == {altered}
            assert {f.kind for f in found} <= {"score", "scoreboard"}
            back = f"update ml.forecast_score as s set {column} = k.{column} from kept as k"
            scored.execute(f"{back} where s.forecast_id = k.forecast_id")
        assert findings(scored) == []

    def test_a_score_that_was_taken_away_is_missed(self, scored: Connection, owner: Connection) -> None:
        row = f"select forecast_id from ml.forecast where {btc_row(2)}"
        owner.execute(f"delete from ml.forecast_score where forecast_id = ({row})")
        (found,) = findings(scored)
        assert (found.kind, found.position) == ("score", 2)
        assert "not scored" in found.detail

    def test_a_volatility_that_was_not_scored_is_missed(self, scored: Connection) -> None:
        scored.execute(
            "update ml.forecast_score set actual_volatility = null, is_volatility_covered = null,"
            " is_volatility_covered_95 = null where forecast_id = %s",
            (row_id(scored, 2),),
        )
        found = findings(scored)
        assert {f.column for f in found if f.kind == "score"} == {
            "actual_volatility", "is_volatility_covered", "is_volatility_covered_95",
        }  # fmt: skip

    def test_a_scoreboard_that_flatters(self, scored: Connection, owner: Connection) -> None:
        (definition,) = owner.execute("select pg_get_viewdef('ml.scoreboard'::regclass)").fetchone() or ()
        for honest, flattering, column in [
            (r"\(1\)::double precision -|1::double precision -", "1.001::double precision -", "skill"),
            (r"sum\(c\.absolute_error\) /", "0.9 * sum(c.absolute_error) /", "mae"),
            (r"count\(\*\) AS days", "count(*) + 1 AS days", "days"),
            (r"WHERE p\.is_compared", "WHERE p.is_compared AND p.loss < 0.1", None),
        ]:
            changed = re.sub(honest, flattering, definition)
            assert changed != definition
            owner.execute(f"create or replace view ml.scoreboard as {changed}")
            assert {(f.kind, f.column) for f in findings(owner)} == {("scoreboard", column)}

    def test_a_revised_candle_is_no_fault_and_an_archived_one_neither(
        self, scored: Connection, owner: Connection
    ) -> None:
        scored.execute(
            "update market.candle set high = high + 1, close = close + 1, recorded_at = recorded_at + interval '1 day'"
            " where opened_at = %s",
            (START,),
        )
        scored.execute("delete from market.candle where opened_at = %s", (START + 2 * HOUR,))
        found, verification = verify(owner)
        assert found == []
        assert (verification.scores.outdated, verification.scores.without_candle) == (2, 1)


class TestScoreboard:
    def test_every_line_of_many_days_is_made_again(self, writer: Connection, owner: Connection) -> None:
        """Two models in turn over seventy days, so that every window has another length, and intervals of skill."""
        btc, drawn = ensure_instrument(writer, BTC), random.Random(8)
        price, closes = Decimal(60_000), []
        for _ in range(70 * 24):
            price = (price * Decimal(repr(1 + drawn.gauss(0, 0.005)))).quantize(Decimal("0.01"))
            closes.append(str(price))
        put(writer, {BTC: closes}, START + 1710 * HOUR)
        for place in range(0, 68 * 24, 5):
            model = NAIVE if place < 800 else MODEL
            seal(
                writer,
                place + 1,
                instrument_id=btc,
                horizon=24,
                **model,
                as_of_price=closes[place],
                predicted_log_return=0.0 if place < 800 else drawn.gauss(0, 0.004),
                predicted_volatility=drawn.uniform(0.022, 0.03),
                drift_log_return=None if place % 10 else 0.0003,
            )
        assert score_matured(writer, START + 1720 * HOUR).new == 327
        found, verification = verify(owner)
        assert found == []
        assert verification.scores.scores == 327
        rows = owner.execute(
            "select time_window, forecasts, days, skill_lower < skill and skill < skill_upper from ml.scoreboard"
            " where model <> 'naive' and baseline = 'random_walk' order by 1"
        ).fetchall()
        assert rows == [("30 days", 144, 30, True), ("7 days", 34, 7, None), ("90 days", 167, 35, True),
                        ("all", 167, 35, True)]  # fmt: skip
        assert owner.execute(
            "select distinct skill, skill_lower, skill_upper from ml.scoreboard"
            " where model = 'naive' and baseline = 'random_walk' and time_window = 'all'"
        ).fetchall() == [(0.0, 0.0, 0.0)]
        self._gauges_are_of_the_model_that_serves(owner)

    def _gauges_are_of_the_model_that_serves(self, owner: Connection) -> None:
        served = owner.execute(
            "select skill, skill_upper, interval_coverage, interval_coverage_95, target from ml.scoreboard"
            " where time_window = '90 days' and (baseline, model) in (('random_walk', %s), ('ewma', %s))",
            (MODEL["model"], DISTRIBUTION["volatility_model"]),
        ).fetchall()
        assert len(served) == 2
        owner.execute(statement("metrics/store_served_skill.sql"))
        gauges = {
            (query.metrics[0].name, target, *interval): value
            for query in QUERIES
            if query.metrics[0].name.startswith(("crypto.forecast.skill", "crypto.forecast.coverage"))
            for symbol, horizon, target, *interval, value in owner.execute(statement(f"facts/{query.file}.sql"))
            if (symbol, horizon) == ("BTC/USDT", "24")
        }
        for skill, upper, inner, outer, target in served:
            assert gauges.pop(("crypto.forecast.skill_ratio", target)) == pytest.approx(skill, rel=1e-12)
            assert gauges.pop(("crypto.forecast.skill_upper_ratio", target)) == pytest.approx(upper, rel=1e-12)
            assert gauges.pop(("crypto.forecast.coverage_ratio", target, "80")) == pytest.approx(inner, rel=1e-12)
            assert gauges.pop(("crypto.forecast.coverage_ratio", target, "95")) == pytest.approx(outer, rel=1e-12)
        assert gauges == {}
        unchanged = "select xmin::text, skill from ops.served_skill order by 1, 2"
        kept = owner.execute(unchanged).fetchall()
        owner.execute(statement("metrics/store_served_skill.sql"))
        assert owner.execute(unchanged).fetchall() == kept, "what is as it was is not written again"


def run(dsn: str, *arguments: str) -> int:
    parser = ArgumentParser()
    verify_command.add_arguments(parser)
    return verify_command.run(parser.parse_args(["--dsn", dsn, *arguments]), {})


class TestCommand:
    def test_quiet_and_with_heads(
        self, warehouse: WarehouseDsns, scored: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(warehouse.reader) == 0
        text = capsys.readouterr().out
        assert "10 forecasts in 3 chains, 7 scores" in text
        assert text.count("head binance:") == 3
        assert run(warehouse.reader, "--json") == 0
        document = capsys.readouterr().out
        assert json.loads(document)["findings"] == []
        file = tmp_path / "heads.json"
        file.write_text(document)
        assert run(warehouse.reader, "--heads", str(file)) == 0

    def test_names_the_row(
        self, warehouse: WarehouseDsns, chained: Connection, owner: Connection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tamper(owner, f"update ml.forecast set coverage = 0.9 where {btc_row(3)}")
        assert run(warehouse.reader) == 1
        text = capsys.readouterr().out
        assert "altered binance:BTC/USDT 1h horizon 1 row 3 target 2024-03-01 03:00:00 made 2024-03-01 02:01:01" in text
        assert "1 FINDINGS" in text
        assert run(warehouse.reader, "--json") == 1
        (found,) = json.loads(capsys.readouterr().out)["findings"]
        assert (found["kind"], found["position"], found["column"]) == ("altered", 3, "coverage")
        assert found["target_at"] == "2024-03-01T03:00:00+00:00"

    def test_no_answer(self, warehouse: WarehouseDsns, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "heads.json"
        assert run(warehouse.reader, "--heads", str(file)) == 2
        file.write_text('{"heads": [{}]}')
        assert run(warehouse.reader, "--heads", str(file)) == 2
        assert run(make_conninfo(warehouse.reader, dbname="nowhere")) == 2
        assert capsys.readouterr().out == ""
