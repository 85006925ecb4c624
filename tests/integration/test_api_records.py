"""The data API's records: decisions, trainings, scores, runs, rejected rows, budgets, and how fresh each dataset is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from include.api.access import Access
from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock
from include.serving.deadlines import MODEL_AGE
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import connect
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, everybody, serving, shape_of
from tests.integration.served_world import FILLED, HOUR, RECORDS, SCORES, START, filled

LAST = START + FILLED * HOUR
NOW = LAST + timedelta(minutes=30)

PATHS = (
    "budgets",
    "calibration",
    "calibration/direction",
    "coverage",
    "forecasts",
    "forecasts/latest",
    "models",
    "pipeline",
    "pipeline/latency",
    "pipeline/runs",
    "promotions",
    "quarantine",
    "scoreboard",
)


@pytest.fixture(scope="module")
def warehouse(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    with filled(cluster, warehouse_template) as (dsns, owner):
        owner.execute(SCORES, {"last": LAST})
        owner.execute(RECORDS)
        yield dsns


@pytest.fixture(scope="module")
def client(warehouse: WarehouseDsns) -> Iterator[TestClient]:
    with serving(warehouse.reader, NOW) as (client, _):
        yield client


def get(client: TestClient, path: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] == "answered"
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def test_the_scoreboard_is_the_views_window(client: TestClient, warehouse: WarehouseDsns) -> None:
    rows = get(client, "scoreboard", window="30 days")
    with connect(warehouse.reader) as reader:
        stored = reader.execute(
            "select horizon_bars, baseline, skill, forecasts, interval_coverage from ml.scoreboard"
            " where time_window = '30 days' order by horizon_bars, baseline"
        ).fetchall()
    told = [(row["horizon"], row["baseline"], row["skill"], row["forecasts"], row["interval_coverage"]) for row in rows]
    assert told == [(f"PT{bars}H", *rest) for bars, *rest in stored]
    assert {row["time_window"] for row in rows} == {"30 days"}
    assert {row["horizon"] for row in get(client, "scoreboard", horizon="PT24H")} == {"PT24H"}


def test_calibration_counts_outcomes_within_the_intervals(client: TestClient) -> None:
    narrow, wide = get(client, "calibration", horizon="PT1H")
    assert (narrow["nominal"], narrow["forecasts"], wide["nominal"], wide["inside"]) == (0.8, 24, 0.95, 1)
    assert narrow["inside"] == pytest.approx(19 / 24)
    # Wilson's interval of 19 in 24, from a table.
    assert (narrow["inside_lower"], narrow["inside_upper"]) == (
        pytest.approx(0.595, abs=1e-3),
        pytest.approx(0.908, abs=1e-3),
    )
    assert wide["inside_upper"] == pytest.approx(1)


def test_calibration_of_direction_counts_rises_by_their_probability(client: TestClient) -> None:
    (row,) = get(client, "calibration/direction", horizon="PT1H")
    assert (row["lower"], row["upper"], row["forecasts"]) == (0.5, 0.6, 24)
    assert row["mean_probability"] == pytest.approx(0.55)
    assert row["share_up"] == pytest.approx(18 / 24, abs=0.05)


def test_every_decision_comes_with_its_statistics_the_newest_first(client: TestClient) -> None:
    back, promoted, naive = get(client, "promotions")
    assert (back["decision"], back["decided_by"], back["champion_after"]) == ("rolled_back", "ada", None)
    # A rollback to the baseline has no training: its market is that of the model.
    assert (back["venue"], back["symbol"], back["horizon"]) == ("binance", "BTC/USDT", "PT24H")
    assert (promoted["p_value_adjusted"], promoted["test_rows"], promoted["recipe"]) == (0.002, 7, "ridge")
    assert (naive["decision"], naive["reason"]) == ("naive", "does not beat it")
    first = client.get(f"{API}/promotions", params={"limit": 2}).json()
    assert [row["decision"] for row in client.get(first["next"]).json()["data"]] == ["naive"]


def test_models_say_who_serves_and_how_old_the_judgement_is(warehouse: WarehouseDsns) -> None:
    with serving(warehouse.reader, LAST + MODEL_AGE) as (client, clock):
        rows = get(client, "models")
        assert [(row["horizon"], row["target"]) for row in rows] == [
            ("PT1H", "log_return"),
            ("PT24H", "log_return"),
            ("PT24H", "volatility"),
        ]
        # The promoted one was rolled back: the baseline serves.
        assert [row["serving_version"] for row in rows] == [None, None, None]
        assert {(row["age_seconds"], row["is_overdue"]) for row in rows} == {(MODEL_AGE.total_seconds(), False)}
        clock.at += timedelta(seconds=1)
        assert {row["is_overdue"] for row in get(client, "models")} == {True}


def test_runs_come_the_newest_first_page_by_page(client: TestClient) -> None:
    whole = get(client, "pipeline/runs")
    assert [(row["run_id"], row["map_index"]) for row in whole] == [
        ("r3", 1),
        ("r3", 0),
        ("r2", 1),
        ("r2", 0),
        ("r1", 1),
        ("r1", 0),
    ]
    assert (whole[0]["started_at"], whole[0]["finished_at"]) == (
        "2024-01-01T02:58:30+00:00",
        "2024-01-01T03:00:00+00:00",
    )
    first = client.get(f"{API}/pipeline/runs", params={"limit": 3}).json()
    assert first["data"] + client.get(first["next"]).json()["data"] == whole
    assert get(client, "pipeline/runs", dag_id="price_forecast") == []


def test_latency_is_from_the_close_to_the_seal(client: TestClient) -> None:
    rows = get(client, "pipeline/latency", **{"from": "2024-01-03T10:00:00Z", "to": "2024-01-03T12:00:00Z"})
    assert [(row["hour_at"][11:13], row["seconds"], row["forecasts"]) for row in rows] == [
        ("10", 1500, 2),
        ("11", 1500, 2),
    ]


def test_freshness_is_held_to_the_deadlines(client: TestClient) -> None:
    rows = {(row["dataset"], row["subject"]): row for row in get(client, "pipeline")}
    fresh = {
        ("candles", "binance BTC/USDT 1h"): (1800, 7200, False),
        ("features", "binance BTC/USDT 1h"): (0, 7200, False),
        ("tickers", "binance BTC/USDT"): (1800, 1800, False),
        ("sentiment", "all"): ((48 * 60 + 25) * 60, 50 * 3600, False),
        ("forecasts", "binance BTC/USDT PT24H"): (1800, 7200, False),
        ("models", "binance BTC/USDT volatility PT24H"): (1800, 14 * 86400, False),
    }
    for key, (age, deadline, is_stale) in fresh.items():
        assert (rows[key]["age_seconds"], rows[key]["deadline_seconds"], rows[key]["is_stale"]) == (
            age,
            deadline,
            is_stale,
        ), key


def test_what_was_rejected_is_shown_word_for_word(client: TestClient) -> None:
    ticker, candle = get(client, "quarantine")
    assert (ticker["dataset"], ticker["raw"], ticker["venue"]) == ("ticker", "<html>", None)
    assert (candle["reason"], candle["symbol"], candle["request"]) == (
        "low > high",
        "BTC/USDT",
        "https://api.binance.com/x",
    )
    assert get(client, "quarantine", venue="binance") == [candle]
    assert get(client, "quarantine", to="2024-01-02T12:00:00Z") == [candle]


def test_budgets_show_a_circuit_without_a_limit_too(client: TestClient) -> None:
    binance, kraken = get(client, "budgets")
    assert (binance["source"], binance["capacity"], binance["tokens_left"]) == ("binance", 50, 50)
    assert (kraken["circuit"], kraken["circuit_reason"], kraken["window_seconds"]) == ("open", "banned", None)


def test_the_machinery_is_for_who_may_see_it_and_the_rest_is_not_touched(warehouse: WarehouseDsns) -> None:
    def nobody() -> None:
        raise HTTPException(403, "not you")

    api = Warehouse(lambda: warehouse.reader, lambda: FixedClock(NOW))
    client = TestClient(create_app(api, Access(read=everybody, machinery=nobody, docs=everybody)))
    try:
        told = {
            path: client.get(f"{API}/{path}").status_code for path in ("quarantine", "budgets", "coverage", "models")
        }
    finally:
        api.close()
    assert told == {"quarantine": 403, "budgets": 403, "coverage": 200, "models": 200}


def test_runs_of_dags_that_are_hidden_from_who_asks_are_left_out(warehouse: WarehouseDsns) -> None:
    def told(*dag_ids: str) -> set[str]:
        api = Warehouse(lambda: warehouse.reader, lambda: FixedClock(NOW))
        access = Access(everybody, everybody, everybody, readable_dags=lambda: set(dag_ids))
        try:
            return {row["dag_id"] for row in get(TestClient(create_app(api, access)), "pipeline/runs")}
        finally:
            api.close()

    assert told("ohlcv_hourly", "price_forecast") == {"ohlcv_hourly"}
    assert told("price_forecast") == set()


@pytest.mark.parametrize("path", PATHS)
def test_bulk_forms_have_the_same_columns(client: TestClient, path: str) -> None:
    answer = client.get(f"{API}/{path}", headers={"Accept": "application/vnd.apache.arrow.stream"})
    table = pa.ipc.open_stream(answer.content).read_all()
    rows = get(client, path)
    assert table.num_rows == len(rows)
    assert table.column_names == list(rows[0])


@pytest.mark.parametrize("path", PATHS)
def test_answers_have_the_shape_that_is_described(client: TestClient, path: str) -> None:
    answer = client.get(f"{API}/{path}").json()
    assert answer["data"]
    shape_of(path).model_validate(answer)
