"""Runs of the transforms: any order of work ends in the same rows, a repeat writes nothing, a crash loses nothing."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import Any

import pytest

from include.transforms import run
from include.transforms.model import TransformRun
from include.transforms.run import CONSUMER, RANKING_CONSUMER, run_transforms
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.changes import pending_changes
from include.warehouse.connection import Connection, connect
from tests.integration.mart import (
    BINANCE,
    COINBASE,
    DAY,
    HOUR,
    KNOWN,
    KRAKEN,
    START,
    TABLES,
    candle,
    everything,
    market,
    physical,
    put,
    rows,
    walk,
)

ETHER = market("binance", "ETH/USDT")
MARKETS = {BINANCE: 1, KRAKEN: 1, COINBASE: 7, ETHER: 9}  # and the seed of their walk


def computed_afresh(owner: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that one run over everything gives."""
    for table in [*TABLES, "definition"]:
        owner.execute(f"delete from mart.{table}")
    run_transforms(owner, KNOWN)
    return everything(owner)


def test_any_order_of_months_ends_in_the_same_rows_and_a_repeat_writes_nothing(
    writer: Connection, owner: Connection
) -> None:
    pages = [
        (where, candles[start : start + 300])
        for where, seed in MARKETS.items()
        for candles in [walk(1500, seed, step_share=0.02)]
        for start in range(0, 1500, 300)
    ]
    random.Random(2).shuffle(pages)
    for where, page in pages:
        put(writer, where, page)
        run_transforms(writer, KNOWN)
    shuffled = everything(writer)
    assert all(shuffled.values())
    before = physical(writer)
    assert run_transforms(writer, KNOWN + HOUR) == TransformRun()
    writer.execute("delete from ops.change_receipt")
    repeated = run_transforms(writer, KNOWN + HOUR)
    assert repeated._replace(coins=0, changes=0) == TransformRun()
    assert physical(writer) == before
    assert shuffled == computed_afresh(owner)


def test_hour_by_hour_equals_one_backfill(writer: Connection, owner: Connection) -> None:
    history = {where: walk(250, seed, step_share=0.02) for where, seed in MARKETS.items()}
    for where, candles in history.items():
        put(writer, where, candles[:214])
    run_transforms(writer, KNOWN)
    for place in range(214, 247):
        for where, candles in history.items():
            put(writer, where, candles[place : place + 1])
        run_transforms(writer, KNOWN)
    assert everything(writer) == computed_afresh(owner)


def test_a_revision_rewrites_what_it_reaches_and_nothing_else(writer: Connection, owner: Connection) -> None:
    for where, seed in MARKETS.items():
        put(writer, where, walk(1200, seed))
    run_transforms(writer, KNOWN)
    revised = walk(1200, 1)[605]
    put(writer, BINANCE, [revised._replace(close=revised.close * 2, high=revised.close * 2)], KNOWN + HOUR)
    done = run_transforms(writer, KNOWN + HOUR)
    assert done.coins == 1
    assert done.candle_flag.new > 0
    for table, at in (("candle_flag", "opened_at"), ("hourly_price", "hour_at")):
        touched = writer.execute(
            f"select min({at}), max({at}), count(*) from mart.{table} where recorded_at = %s", (KNOWN + HOUR,)
        ).fetchone()
        assert touched is not None
        assert revised.opened_at <= touched[0] <= touched[1] <= revised.opened_at + 2 * HOUR
    assert everything(writer) == computed_afresh(owner)


def test_another_definition_or_universe_makes_everything_be_computed_again(
    writer: Connection, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, BINANCE, walk(300))
    run_transforms(writer, KNOWN)
    right = everything(writer)
    writer.execute("update mart.hourly_price set mean_price = 1 where hour_at = %s", (START + 100 * HOUR,))
    assert run_transforms(writer, KNOWN) == TransformRun(), "nothing says that anything changed"
    monkeypatch.setattr(run, "definition_sha256", lambda: "other")
    done = run_transforms(writer, KNOWN)
    assert (done.coins, done.hourly_price) == (1, (0, 1, 0))
    assert everything(writer) == right
    owner.execute("update market.instrument set listed_at = %s", (START + 4 * DAY,))
    assert run_transforms(writer, KNOWN).daily_ranking == (0, 0, 4)


def test_rows_whose_candles_were_dropped_stay(writer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    instrument_id = put(writer, BINANCE, walk(24 * 60, step_share=0.02))
    run_transforms(writer, KNOWN)
    before = everything(writer)
    kept_from = START + 30 * DAY
    writer.execute("delete from market.candle where opened_at < %s", (kept_from,))
    writer.execute(
        "insert into ops.archive_manifest (instrument_id, timeframe, month, path, row_count, first_opened_at, "
        "last_opened_at, file_sha256, content_sha256, archived_at, dropped_at) "
        "values (%s, '1h', '2024-01-01', 'p', 700, %s, %s, 'f', 'c', %s, %s)",
        (instrument_id, START, kept_from - HOUR, KNOWN, KNOWN),
    )
    monkeypatch.setattr(run, "definition_sha256", lambda: "other")
    assert run_transforms(writer, KNOWN)._replace(coins=0) == TransformRun()
    assert everything(writer) == before
    first = next(each for each in walk(24 * 60, step_share=0.02) if each.opened_at >= kept_from + HOUR)
    put(writer, BINANCE, [first._replace(base_volume=first.base_volume + 1)])
    run_transforms(writer, KNOWN)
    assert everything(writer) == before, "too near to what was dropped"


def test_days_have_flags_and_nothing_else(writer: Connection) -> None:
    put(writer, BINANCE, [candle(START + place * DAY, 100, high=900 if place == 3 else 100) for place in range(6)],
        timeframe="1d")  # fmt: skip
    run_transforms(writer, KNOWN)
    assert [row[3] for row in rows(writer, "candle_flag")] == ["repeated", "repeated", "price_spike", "repeated"]
    assert {table: len(rows(writer, table)) for table in TABLES if table != "candle_flag"} == {
        table: 0 for table in TABLES if table != "candle_flag"
    }


def test_a_run_that_dies_keeps_what_was_finished_and_the_next_does_the_rest(
    writer: Connection, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in (BINANCE, ETHER):
        put(writer, where, walk(200))
    transform_coin = run.transform_coin

    def dying(connection: Connection, crypto: str, *rest: Any, **named: Any) -> TransformRun:
        done = transform_coin(connection, crypto, *rest, **named)
        if crypto == "ETH":
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(run, "transform_coin", dying)
        with pytest.raises(KeyboardInterrupt):
            run_transforms(writer, KNOWN)
    assert {row[0] for row in rows(writer, "hourly_price")} == {"BTC"}
    assert len(pending_changes(writer, CONSUMER)) == 1
    run_transforms(writer, KNOWN)
    assert pending_changes(writer, CONSUMER) == pending_changes(writer, RANKING_CONSUMER) == []
    assert everything(writer) == computed_afresh(owner)


def test_a_change_is_ranked_only_once_its_coin_is_done(writer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    put(writer, BINANCE, walk(60))
    run_transforms(writer, KNOWN)
    put(writer, BINANCE, walk(80)[60:])
    run._ranking(writer, KNOWN, run.definition_sha256())
    assert len(pending_changes(writer, RANKING_CONSUMER)) == 1
    run_transforms(writer, KNOWN)
    assert pending_changes(writer, RANKING_CONSUMER) == []


def test_two_runs_at_once_end_in_the_same_rows(writer: Connection, owner: Connection, warehouse: WarehouseDsns) -> None:
    for where, seed in MARKETS.items():
        put(writer, where, walk(400, seed))
    done: list[TransformRun] = []

    def work() -> None:
        with connect(warehouse.writer) as connection:
            done.append(run_transforms(connection, KNOWN))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = everything(writer)
    assert sum(each.hourly_price.new for each in done) == len(together["hourly_price"])
    assert sum(each.hourly_price.changed for each in done) == 0
    assert together == computed_afresh(owner)


def test_what_arrives_between_run_and_check_is_no_fault(writer: Connection) -> None:
    def audit() -> dict[str, Any]:
        row = writer.execute("select row_to_json(a) from mart.audit as a").fetchone()
        assert row is not None
        return {name: value for name, value in row[0].items() if value not in (0, "00:00:00")}

    assert audit() == {}
    for where, seed in MARKETS.items():
        put(writer, where, walk(24 * 50, seed, step_share=0.02))
    run_transforms(writer, KNOWN)
    assert audit() == {}
    put(writer, BINANCE, walk(24 * 50 + 3, 1, step_share=0.02))
    put(writer, KRAKEN, [candle(START + 24 * 49 * HOUR, 41_000)])
    assert audit() == {}
    writer.execute(
        "insert into ops.change_receipt select %s, change_id from ops.change_range on conflict do nothing", (CONSUMER,)
    )
    assert audit() == {"behind_the_candles": "03:00:00", "hours_unlike_candles": 3, "volumes_unlike_candles": 3}


def test_nothing_to_do_in_an_empty_warehouse(writer: Connection) -> None:
    assert run_transforms(writer, KNOWN + timedelta(days=1)) == TransformRun()
