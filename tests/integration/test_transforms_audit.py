"""The audit of the schema mart: what it costs, and that its check asks once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from crypto_market.operators.transforms import CheckMartOperator, TransformMarketsOperator
from include.replay.synthetic import SyntheticWorld
from include.transforms.checks import MART_CHECKS, checks_statement
from include.transforms.run import CONSUMER, RANKING_CONSUMER, run_transforms
from include.warehouse.changes import acknowledge, pending_changes
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from tests.integration.mart import BINANCE, COINBASE, HOUR, KNOWN, KRAKEN, START, closes, put, walk

AUDIT = checks_statement("mart.audit", MART_CHECKS)
# Hours from 2019 on with a candle of each market, and what the transforms would make of them.
FILL = """
create temporary table hour as
select n, i, timestamptz '2019-01-01 00:00+00' + n * interval '1 hour' as at
from generate_series(0, %(hours)s - 1) as n, unnest(%(instruments)s::integer[]) as i;
insert into market.candle (
    instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, base_volume, source
) select i, '1h', at, at + interval '1 hour', 1, 1, 1, 1, 1, 'test' from hour;
insert into mart.hourly_price (crypto, quote, hour_at, mean_price, lowest, highest, venues, flagged, recorded_at)
select distinct m.base, m.quote, h.at, 1, 1, 1, 1, 0, h.at
from hour as h, market.instrument as m where m.instrument_id = h.i;
insert into mart.daily_volume select
    h.at::date, m.base, m.quote, 1, 1, 1, 24, 1, 24 * count(distinct h.i), 0, 0, 0, max(h.at)
from hour as h, market.instrument as m where m.instrument_id = h.i group by 1, 2, 3;
insert into mart.daily_ranking select distinct
    h.at::date, m.base, 1, 1, 1, 1, min(m.instrument_id), 1, null, max(h.at)
from hour as h, market.instrument as m where m.instrument_id = h.i group by 1, 2;
analyze;
"""


@pytest.fixture
def connected(serve: Callable[..., AbstractContextManager[str]], airflow_at: Callable[[str], None]) -> Iterator[None]:
    """Airflow's connections at the test's warehouse, and the clock at KNOWN."""
    with serve(SyntheticWorld(7, datetime(2024, 5, 1, tzinfo=UTC)), KNOWN) as url:
        airflow_at(url)
        yield


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


@pytest.mark.parametrize("markets", [[BINANCE], [BINANCE, KRAKEN, COINBASE]], ids=["one market", "three markets"])
def test_the_audit_reads_the_last_forty_days_by_their_keys(owner: Connection, markets: list[Any]) -> None:
    hours = 51_840 // len(markets)
    ids = [ensure_instrument(owner, each) for each in markets]
    with owner.cursor() as cursor:
        for command in FILL.split(";")[:-1]:
            cursor.execute(command, {"hours": hours, "instruments": ids} if "%(" in command else None)
    row = owner.execute(f"explain (analyze, format json) {AUDIT}").fetchone()
    assert row is not None
    found = list(nodes(row[0][0]["Plan"]))
    by_table = {table: [each for each in found if each.get("Relation Name") == table] for table in
                ("candle", "hourly_price", "daily_volume", "daily_ranking")}  # fmt: skip
    for table, reads in by_table.items():
        assert reads, table
        assert not [each for each in reads if each["Node Type"] == "Seq Scan"], table
    (candles,) = by_table["candle"]
    read = candles["Actual Loops"] * (candles["Actual Rows"] + candles.get("Rows Removed by Filter", 0))
    assert read == len(markets) * (40 * 24 + 1)


def test_what_is_wrong_is_named_and_the_table_is_read_once(writer: Connection, connected: None) -> None:
    put(writer, BINANCE, walk(100))
    run_transforms(writer, KNOWN)
    check = CheckMartOperator(task_id="check", conn_id="warehouse", table="mart.audit", checks=MART_CHECKS)
    check.execute({})
    assert [(each.name, each.success) for each in check.check_results] == [(name, True) for name in MART_CHECKS]
    assert str(check.sql).count("mart.audit") == 1
    writer.execute("update mart.hourly_price set mean_price = highest + 1 where hour_at = %s", (START,))
    writer.execute("delete from mart.hourly_price where hour_at > %s", (START + 90 * HOUR,))
    with pytest.raises(AirflowFailException):
        check.execute({})
    assert {each.name for each in check.check_results if not each.success} == {
        "no_means_out_of_range", "no_hours_unlike_candles", "not_behind_the_candles",
    }  # fmt: skip


def test_the_transform_task_forgets_what_all_have_dealt_with(writer: Connection, connected: None) -> None:
    put(writer, BINANCE, closes(range(100, 130)), KNOWN - timedelta(days=3))
    for consumer in ("features", CONSUMER, RANKING_CONSUMER):
        acknowledge(writer, consumer, pending_changes(writer, consumer))
    writer.execute(
        "insert into ops.change_range (dataset, starts_at, ends_at, recorded_at) "
        "select 'other', %s, %s, %s from generate_series(1, 10000)",
        (START, START + HOUR, KNOWN),
    )
    task = TransformMarketsOperator(task_id="transform")
    assert json.dumps(task.execute({}))
    counted = "select count(*) filter (where dataset = 'candle'), count(*) from ops.change_range"
    assert writer.execute(counted).fetchone() == (0, 10_000)
