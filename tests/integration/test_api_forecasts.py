"""The data API's forecasts: as they were sealed, and abstaining where what they rest on is not right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.conninfo import conninfo_to_dict

from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import connect
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, serving
from tests.integration.served_world import FILLED, FORECAST_SINCE, HOUR, START, filled

LAST = START + FILLED * HOUR  # the close that the newest forecasts start from
NOW = LAST + timedelta(minutes=30)
SEALED = FILLED - FORECAST_SINCE + 1  # per horizon
SCORES = """
insert into ml.forecast_score (
    forecast_id, scored_at, actual_price, actual_log_return, error_log_return, absolute_error, naive_absolute_error,
    is_covered, is_covered_95
)
select forecast_id, target_at, 101, 0.01, 0.01, 0.5, 1, true, true from ml.forecast where target_at <= %s
"""

LOST = "instrument_id = 1 and opened_at = '2024-01-03 20:00Z'"
FORGED = "as_of = '2024-01-04Z' and horizon_bars = 24"
BEFORE = "as_of = '2024-01-03 23:00Z' and horizon_bars = 1"


class Fault(NamedTuple):
    """What a superuser does to the warehouse and how it is undone; the state and the reason of the rows it meets."""

    done: str
    undone: str
    state: str
    named: str
    rows_met: int = 1


FAULTS = {
    "a candle lost": Fault(
        f"delete from market.candle where {LOST}",
        """insert into market.candle (
            instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, base_volume, source
        ) values (1, '1h', '2024-01-03 20:00Z', '2024-01-03 21:01Z', 100, 130.5, 90.25, 120, 5, 'test')""",
        "incomplete",
        "in the last day of binance BTC/USDT, 1h: 1 of 24 candles are neither held nor explained",
        2,
    ),
    "features lost": Fault(
        f"delete from features.candle_feature where {LOST}",
        """insert into features.candle_feature (instrument_id, timeframe, opened_at, recorded_at)
        values (1, '1h', '2024-01-03 20:00Z', '2024-01-03 21:05Z')""",
        "incomplete",
        "1 of the last day's 1h candles of binance BTC/USDT lack features",
        2,
    ),
    "a refusal": Fault(
        """insert into ml.refusal (
            instrument_id, timeframe, horizon_bars, target, reason_class, reason, refused_at, last_refused_at
        ) values (1, '1h', 1, 'log_return', 'old_model', 'it learned long ago', '2024-01-04Z', '2024-01-04 00:26Z')""",
        "delete from ml.refusal",
        "refused",
        "it learned long ago",
    ),
    "a forged forecast": Fault(
        f"update ml.forecast set predicted_price = 101 where {FORGED}",
        f"update ml.forecast set predicted_price = 100.5 where {FORGED}",
        "unverified",
        "24 hours ahead is not what was sealed",
    ),
    "a forged predecessor": Fault(
        f"update ml.forecast set row_sha256 = repeat('a', 64) where {BEFORE}",
        f"""update ml.forecast as f set row_sha256 = encode(sha256(convert_to(ml.sealed_text(f), 'UTF8')), 'hex')
        where {BEFORE}""",
        "unverified",
        "an hour ahead is not what was sealed",
    ),
}


@pytest.fixture(scope="module")
def warehouse(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    with filled(cluster, warehouse_template) as (dsns, owner):
        owner.execute(SCORES, (LAST,))
        yield dsns


@pytest.fixture(scope="module")
def client(warehouse: WarehouseDsns) -> Iterator[TestClient]:
    with serving(warehouse.reader, NOW) as (client, _):
        yield client


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_rows_are_the_views(client: TestClient, warehouse: WarehouseDsns) -> None:
    answer = get(client, "forecasts")
    with connect(warehouse.reader) as reader:
        reader.execute("set intervalstyle to iso_8601")
        stored = reader.execute(
            "select row_to_json(p) from (select * from predictions order by timestamp, horizon) as p"
        ).fetchall()
    assert [{**row, "world": "recorded"} for row in answer["data"]] == [row for (row,) in stored]
    assert len(stored) == 2 * SEALED
    assert (answer["verdict"], answer["completeness_percent"]) == ("answered", 100)


def test_a_window_and_a_horizon_are_kept_to(client: TestClient) -> None:
    window = {"from": "2024-01-03T05:00:00Z", "to": "2024-01-03T08:00:00Z"}
    rows = get(client, "forecasts", horizon="PT1H", venue="binance", **window)["data"]
    assert [row["timestamp"][11:16] for row in rows] == ["05:00", "06:00", "07:00"]
    assert {(row["horizon"], row["actual_price"]) for row in rows} == {("PT1H", 101)}


def test_pages_go_on_where_two_horizons_meet(client: TestClient) -> None:
    whole = get(client, "forecasts")["data"]
    rows, answer = [], get(client, "forecasts", limit=7)
    while answer["next"]:
        rows += answer["data"]
        answer = client.get(answer["next"]).json()
    assert rows + answer["data"] == whole


def test_an_hour_without_a_forecast_is_no_complete_window(warehouse: WarehouseDsns) -> None:
    with serving(warehouse.reader, NOW + 3 * HOUR) as (client, _):
        answer = get(client, "forecasts", horizon="PT1H", untrusted=True)
    # Until two hours ago one an hour was due; one of them was not made.
    assert answer["completeness_percent"] == pytest.approx(100 * SEALED / (SEALED + 1))
    assert answer["complete_until"] == (LAST + 2 * HOUR).isoformat()


def test_the_newest_of_each_series_stands_with_its_numbers(client: TestClient) -> None:
    answer = get(client, "forecasts/latest")
    hour, day = answer["data"]
    assert (answer["verdict"], answer["completeness_percent"]) == ("answered", 100)
    assert [row["state"] for row in (hour, day)] == ["served", "served"]
    assert (hour["horizon"], hour["as_of"], hour["timestamp"]) == (
        "PT1H",
        LAST.isoformat(),
        (LAST + HOUR).isoformat(),
    )
    assert (hour["predicted_price"], hour["lower_price_95"], hour["upper_price"]) == (100.5, 90, 105)
    assert (hour["is_naive"], hour["model"], hour["model_version"], hour["is_past"]) == (True, "naive", None, False)
    assert (hour["volatility_state"], day["volatility_state"]) == ("none", "served")
    assert (day["predicted_volatility"], day["is_volatility_baseline"]) == (0.02, True)


def test_a_target_that_has_come_is_said_so(warehouse: WarehouseDsns) -> None:
    with serving(warehouse.reader, LAST + HOUR) as (client, _):
        rows = get(client, "forecasts/latest")["data"]
    assert [(row["state"], row["is_past"]) for row in rows] == [("served", True), ("served", False)]


def test_a_market_that_is_not_forecast_is_a_404(client: TestClient) -> None:
    for path in ("forecasts", "forecasts/latest"):
        answer = client.get(f"{API}/{path}", params={"venue": "kraken"})
        assert (answer.status_code, answer.json()["detail"]) == (404, "no forecast is made of kraken")


def test_a_horizon_that_is_none_is_refused(client: TestClient) -> None:
    for horizon in ("24", "PT0H", "P1D", "PT1H' or true --"):
        assert client.get(f"{API}/forecasts", params={"horizon": horizon}).status_code == 422


def test_without_any_forecast_the_answers_abstain(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate
) -> None:
    with serving(cluster.dsn(warehouse_template.name), NOW) as (client, _):
        for path in ("forecasts", "forecasts/latest", "coverage", "pipeline"):
            answer = get(client, path)
            assert (answer["verdict"], answer["data"]) == ("abstained", []), path
            assert [reason["code"] for reason in answer["reasons"]] == ["nothing_known"]


@contextmanager
def spoilt(dsn: str, fault: Fault) -> Iterator[None]:
    """As a superuser whom no trigger stops."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(fault.done)  # type: ignore[arg-type]
        try:
            yield
        finally:
            connection.execute(fault.undone)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FAULTS)
def test_a_forecast_that_does_not_stand_has_a_reason_and_no_numbers(
    name: str, cluster: PostgresCluster, warehouse: WarehouseDsns
) -> None:
    fault = FAULTS[name]
    superuser = cluster.dsn(str(conninfo_to_dict(warehouse.owner)["dbname"]))
    with serving(warehouse.reader, NOW) as (client, _):
        with spoilt(superuser, fault):
            answer = get(client, "forecasts/latest", untrusted=True)
            withheld = get(client, "forecasts")
        assert get(client, "forecasts/latest")["completeness_percent"] == 100
    bad = [row for row in answer["data"] if row["state"] != "served"]
    assert [row["state"] for row in bad] == [fault.state] * fault.rows_met
    assert all(fault.named in row["reason"] and row["predicted_price"] is None for row in bad)
    # One row that stands is an answer; a window that reaches beyond now is not answered in part.
    assert answer["verdict"] == ("abstained" if fault.rows_met == 2 else "answered")
    assert (withheld["verdict"], withheld["data"]) == ("abstained", [])
