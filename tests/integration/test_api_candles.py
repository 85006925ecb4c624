"""The data API's candles: equal to the warehouse's, paged, in four forms, and honest about what is missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from include.candles.model import Candle
from include.config.markets import MARKETS
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection, connect
from include.warehouse.instruments import ensure_instrument
from tests.conftest import WarehouseTemplate, fresh_warehouse
from tests.integration.api import API, serving

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + 100 * HOUR + timedelta(minutes=10)
BTC = {"venue": "binance", "symbol": "BTC/USDT", "from": "2024-01-01T00:00:00Z"}


def fill(writer: Connection, hours: range) -> None:
    some = [
        Candle(
            START + hour * HOUR,
            Decimal("100.10000000"),
            Decimal("110.00000000"),
            Decimal("90.00000001"),
            Decimal(100 + hour % 7),
            Decimal("12.34567890"),
            Decimal("1234.50000000"),
            42,
            None,
            Decimal("6.00000000"),
            Decimal("600.00000000"),
        )
        for hour in hours
    ]
    instrument_id = ensure_instrument(writer, MARKETS[0])
    upsert_candles(writer, instrument_id, "1h", some, source="test", world="recorded", recorded_at=NOW)


@pytest.fixture(scope="module")
def read_only(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    """A filled warehouse that nobody changes."""
    with fresh_warehouse(cluster, warehouse_template) as dsns:
        with connect(dsns.writer) as writer:
            fill(writer, range(100))
        yield dsns


@pytest.fixture(scope="module")
def client(read_only: WarehouseDsns) -> Iterator[TestClient]:
    with serving(read_only.reader, NOW) as (client, _):
        yield client


@pytest.fixture
def own(warehouse: WarehouseDsns, writer: Connection) -> Iterator[TestClient]:
    """A client of a filled warehouse that the test may change."""
    fill(writer, range(100))
    with serving(warehouse.reader, NOW) as (client, _):
        yield client


def get(client: TestClient, **asked: Any) -> Any:
    answer = client.get(f"{API}/candles", params={**BTC, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_rows_are_the_views_and_keep_every_digit(client: TestClient, read_only: WarehouseDsns) -> None:
    answer = client.get(f"{API}/candles", params=BTC)
    with connect(read_only.reader) as reader:
        stored = reader.execute("select row_to_json(o) from (select * from ohlcv order by opened_at) as o").fetchall()
    assert [{**row, "world": "recorded"} for row in answer.json()["data"]] == [row for (row,) in stored]
    assert len(stored) == 100
    assert b'"low":90.00000001' in answer.content
    assert b'"volume":12.34567890' in answer.content


def test_an_answer_says_how_far_it_can_be_trusted(client: TestClient) -> None:
    answer = get(client)
    assert (answer["verdict"], answer["reasons"], answer["world"]) == ("answered", [], "recorded")
    assert answer["completeness_percent"] == 100
    assert answer["complete_until"] == "2024-01-05T04:00:00+00:00"
    assert answer["as_of"] == "2024-01-05T04:10:00+00:00"


def test_pages_join_to_the_whole(client: TestClient) -> None:
    whole, pages = get(client)["data"], []
    answer = get(client, limit=33)
    pages += answer["data"]
    while answer["next"]:
        answer = client.get(answer["next"]).json()
        pages += answer["data"]
    assert pages == whole


def test_a_cursor_of_another_question_is_refused(client: TestClient) -> None:
    following = get(client, limit=33)["next"]
    answer = client.get(following + "&timeframe=1d")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:crypto-market:problem:invalid-cursor"


def test_a_hole_makes_the_answer_abstain_and_names_it(own: TestClient, owner: Connection) -> None:
    owner.execute("delete from market.candle where opened_at = '2024-01-03 07:00Z'")
    answer = get(own)
    assert (answer["verdict"], answer["data"]) == ("abstained", [])
    assert [reason["code"] for reason in answer["reasons"]] == ["incomplete"]
    assert "2024-01-03 07:00" in answer["reasons"][0]["text"]
    assert answer["completeness_percent"] == 99
    assert len(get(own, untrusted="true")["data"]) == 99
    assert get(own, to="2024-01-03T07:00:00Z")["verdict"] == "answered"


def test_an_overdue_candle_makes_answers_about_now_abstain(read_only: WarehouseDsns) -> None:
    with serving(read_only.reader, NOW) as (client, clock):
        assert get(client)["verdict"] == "answered"
        clock.at = START + 102 * HOUR + timedelta(minutes=1)
        reasons = get(client)["reasons"]
        assert "stale" in {reason["code"] for reason in reasons}
        assert get(client, to="2024-01-05T00:00:00Z")["verdict"] == "answered"


@pytest.mark.parametrize("form", ["text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"])
def test_bulk_forms_hold_the_same_rows(client: TestClient, form: str) -> None:
    answer = client.get(f"{API}/candles", params=BTC, headers={"Accept": form})
    assert answer.headers["content-type"].startswith(form)
    assert answer.headers["market-verdict"] == "answered"
    expected = orjson.loads(client.get(f"{API}/candles", params=BTC).content)["data"]
    if form == "text/csv":
        lines = answer.text.splitlines()
        assert lines[0].split(",") == list(expected[0])
        assert len(lines) == 101
        assert "90.00000001" in lines[1]
    else:
        table = (
            pq.read_table(io.BytesIO(answer.content))
            if "parquet" in form
            else pa.ipc.open_stream(answer.content).read_all()
        )
        assert table.column_names == list(expected[0])
        assert [float(value) for value in table["close"].to_pylist()] == [row["close"] for row in expected]
        assert table.schema.metadata[b"Market-Verdict"] == b"answered"


def test_an_answer_that_is_still_true_is_not_sent_again(own: TestClient, writer: Connection) -> None:
    first = own.get(f"{API}/candles", params=BTC)
    again = own.get(f"{API}/candles", params=BTC, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    fill(writer, range(99, 100))
    writer.execute("update market.candle set close = 101 where opened_at = '2024-01-01Z'")
    assert own.get(f"{API}/candles", params=BTC, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"symbol": "DOGE/USDT"}, 404),
        ({"symbol": "BTC/USDT' or 1=1 --"}, 422),
        ({"venue": "binance\0"}, 422),
        ({"timeframe": "7h"}, 422),
        ({"from": "yesterday"}, 422),
        ({"from": "0001-01-01T00:00:00Z"}, 422),
        ({"limit": 10**9}, 422),
        ({"cursor": "bm9uZQ"}, 422),
        ({"hidden": "1"}, 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem_that_says_why(
    client: TestClient, asked: dict[str, Any], status: int
) -> None:
    answer = client.get(f"{API}/candles", params={**BTC, **asked})
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert problem["instance"] == f"{API}/candles"


def test_a_form_that_is_not_ours_is_refused(client: TestClient) -> None:
    assert client.get(f"{API}/candles", params=BTC, headers={"Accept": "image/png"}).status_code == 406


def test_a_warehouse_that_is_away_is_said_so() -> None:
    with serving("host=127.0.0.1 port=1 dbname=none", NOW) as (client, _):
        answer = client.get(f"{API}/candles", params=BTC)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:crypto-market:problem:warehouse-away")
