"""Whole DAGs run as `airflow dags test` runs them, on Airflow's own database: windows, mapping, XCom, skips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.config.markets import MARKETS, VENUES
from include.replay.synthetic import SyntheticWorld
from include.stack.layout import ROOT
from include.warehouse.connection import Connection

HOUR = timedelta(hours=1)
NOW = datetime(2024, 6, 1, 12, 40, tzinfo=UTC)
KEYS = [market.key for market in MARKETS]
LISTED = [market for market in MARKETS if market.listed_at < NOW]

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def bag() -> DagBag:
    """Every DAG, with a metadata database of the test session's own."""
    from airflow.utils.db import initdb

    initdb()
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(autouse=True)
def exchange(serve: Serve, airflow_at: Callable[[str], None]) -> Iterator[str]:
    """A replay exchange at NOW, to which Airflow is connected."""
    with serve(SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC)), NOW) as url:
        airflow_at(url)
        yield url


def run(bag: DagBag, dag_id: str, **given: Any) -> dict[str, list[str]]:
    """Run the DAG; the states of its task instances by task."""
    result = bag.dags[dag_id].test(**given)
    states: dict[str, list[str]] = {}
    for instance in result.get_task_instances():
        states.setdefault(instance.task_id, []).append(str(instance.state))
    return states


def windows(reader: Connection) -> set[tuple[Any, ...]]:
    return set(reader.execute("select task_id, window_starts_at, window_ends_at from ops.pipeline_run").fetchall())


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_a_date_names_the_hour_that_ends_by_it(bag: DagBag, reader: Connection) -> None:
    states = run(bag, "ohlcv_hourly", logical_date=at(2024, 6, 1, 5, 2))
    assert states == {f"load_{venue}": ["success"] for venue in VENUES}
    span = at(2024, 6, 1, 4, 2), at(2024, 6, 1, 5, 2)
    assert windows(reader) == {(f"load_{venue}", *span) for venue in VENUES}
    newest = reader.execute("select timeframe, max(opened_at), count(distinct symbol) from ohlcv group by 1").fetchall()
    assert ("1h", at(2024, 6, 1, 4), len({market.symbol for market in LISTED})) in newest


def test_a_date_names_the_month_that_ends_by_it_and_params_choose(bag: DagBag, reader: Connection) -> None:
    states = run(
        bag, "ohlcv_backfill", logical_date=at(2024, 6, 1), run_conf={"markets": KEYS[:2], "timeframes": ["1h"]}
    )
    assert states == {
        "plan_markets": ["success"],
        "load_binance": ["success"],
        "load_kraken": ["skipped"],
        "load_coinbase": ["skipped"],
    }
    assert windows(reader) == {("load_binance", at(2024, 5, 1), at(2024, 6, 1))}
    counts = reader.execute("select symbol, timeframe, count(*) from ohlcv group by 1, 2 order by 1").fetchall()
    assert counts == [("BTC/USDT", "1h", 31 * 24), ("ETH/USDT", "1h", 31 * 24)]


def test_an_explicit_window_wins_over_the_interval(bag: DagBag, reader: Connection) -> None:
    window = {"start": "2024-03-01T00:00:00Z", "end": "2024-03-01T06:00:00Z"}
    run(bag, "ohlcv_hourly", logical_date=at(2024, 6, 1, 5, 2), run_conf=window)
    assert windows(reader) == {(f"load_{venue}", at(2024, 3, 1), at(2024, 3, 1, 6)) for venue in VENUES}


def test_a_run_without_a_date_is_about_the_last_full_interval(bag: DagBag, reader: Connection) -> None:
    """What a manual or asset-triggered run without a data interval does."""
    states = run(bag, "ohlcv_backfill", logical_date=None, run_after=at(2024, 3, 10, 5), run_conf={"markets": KEYS[:1]})
    assert states["load_binance"] == ["success"]
    assert windows(reader) == {("load_binance", at(2024, 2, 1), at(2024, 3, 1))}


def test_a_month_before_every_listing_fails_and_loads_nothing(bag: DagBag, reader: Connection) -> None:
    states = run(bag, "ohlcv_backfill", logical_date=at(2017, 10, 1), run_conf={"markets": ["binance:BNB/USDT"]})
    assert states["plan_markets"] == ["failed"]
    assert "success" not in states["load_binance"]
    assert windows(reader) == set()


def test_what_a_source_keeps_no_history_of_is_skipped(bag: DagBag, reader: Connection) -> None:
    states = run(bag, "spot_sentiment_hourly", logical_date=at(2024, 5, 20, 7, 3))
    assert states == {
        **{f"tickers.{venue}": ["skipped"] for venue in VENUES},
        "coins.coingecko": ["success"],
        "coins.daily_history": ["success"],
        "sentiment.fear_greed": ["success"],
    }
    assert {task for task, *_ in windows(reader)} == {"coins.coingecko", "coins.daily_history", "sentiment.fear_greed"}
    # Midnights are of the daily history.
    hours = "select min(observed_at), max(observed_at) from market.coin_snapshot where observed_at::time <> '00:00'"
    observed = reader.execute(hours).fetchone()
    assert observed is not None
    assert at(2024, 5, 20, 6, 3) <= observed[0] <= observed[1] < at(2024, 5, 20, 7, 3)


def test_features_follow_whatever_the_runs_date_is_and_are_checked(
    bag: DagBag, reader: Connection, owner: Connection
) -> None:
    run(bag, "ohlcv_backfill", logical_date=at(2024, 6, 1), run_conf={"markets": KEYS[:1], "timeframes": ["1h"]})
    tasks = ("upsert_features", "check_ranges", "check_rows", "cross_check_indicators")
    for full_check in (False, True):
        states = run(bag, "feature_upsert", logical_date=at(2018, 1, 1), run_conf={"full_check": full_check})
        assert states == {task: ["success"] for task in tasks}
    assert reader.execute("select count(*) from crypto_prices").fetchone() == (31 * 24,)
    owner.execute("update features.candle_feature set rsi_14 = 101 where opened_at = '2024-05-31T20:00Z'")
    checked = {each.task_id: each for each in bag.dags["feature_upsert"].test().get_task_instances()}
    states = {task: str(each.state) for task, each in checked.items()}
    assert states == dict(zip(tasks, ("success", "failed", "success", "upstream_failed"), strict=True))
    assert checked["check_ranges"].try_number == 1, "trying again heals no data"


def test_a_venue_that_refuses_us_does_not_fail_the_others(
    bag: DagBag, reader: Connection, exchange_at: Any, exchange: str
) -> None:
    exchange_at(exchange).fail("binance", "geo_blocked", times=1000)
    states = run(bag, "ohlcv_hourly", logical_date=at(2024, 6, 1, 5, 2))
    assert states.pop("load_binance") != ["success"]
    assert states == {"load_kraken": ["success"], "load_coinbase": ["success"]}
    venues = reader.execute("select distinct venue from ohlcv order by 1").fetchall()
    assert venues == [("coinbase",), ("kraken",)]


def test_a_repair_makes_the_ledger_complete(bag: DagBag, reader: Connection, owner: Connection) -> None:
    run(bag, "ohlcv_backfill", logical_date=at(2024, 6, 1), run_conf={"markets": KEYS[:1], "timeframes": ["1h"]})
    owner.execute("delete from market.candle where opened_at between '2024-05-07T03:00Z' and '2024-05-07T09:00Z'")
    states = run(bag, "coverage_repair", logical_date=at(2024, 6, 1, 0, 40))
    assert set(map(tuple, states.values())) == {("success",)}, states
    assert reader.execute("select count(*) from ohlcv where opened_at < '2024-06-01'").fetchone() == (31 * 24,)
    assert reader.execute("select count(*) from ops.repair_step where purpose = 'unknown'").fetchone() == (1,)
