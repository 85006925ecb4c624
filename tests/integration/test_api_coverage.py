"""The data API on coverage: the equation in rows, each hole with its evidence, and what venues changed later."""

from __future__ import annotations

import base64
import csv
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from include.coverage.equation import coverage
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import connect
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, serving, shape_of
from tests.integration.served_world import FILLED, HOUR, START, filled

NOW = START + FILLED * HOUR + HOUR / 6
KRAKEN = {"venue": "kraken", "symbol": "BTC/USD"}
COUNTS = ("expected", "observed", "empty", "outage", "out_of_reach", "pending", "unknown")

# Of kraken two hours are empty (the ledger says three, but one came since) and one was held once; of binance one candle
# was replaced three times.
HOLES = """
insert into market.attestation (
    instrument_id, timeframe, covers, candle_count, absent, refused, source, request, response_sha256, recorded_at
) values (
    2, '1h', '[2024-01-01Z,2024-01-03Z)', 46, '{[2024-01-01 10:00Z,2024-01-01 12:00Z)}', '{}', 'kraken-trades',
    'https://api.kraken.com/0/public/Trades?pair=XXBTZUSD', repeat('ab', 32), '2024-01-03 00:05Z'
);
insert into market.coverage (instrument_id, timeframe, covers, state, reason, attestation_id, recorded_at) values
    (2, '1h', '[2024-01-01 10:00Z,2024-01-01 13:00Z)', 'empty', 'kraken-trades has no candle', 1, '2024-01-03 00:05Z');
delete from market.candle
where instrument_id = 2 and opened_at in ('2024-01-01 10:00Z', '2024-01-01 11:00Z', '2024-01-02 20:00Z');
insert into market.candle_revision (
    instrument_id, timeframe, opened_at, recorded_at, superseded_at, open, high, low, close, base_volume, source
) values
    (1, '1h', '2024-01-01 05:00Z', '2024-01-01 06:00Z', '2024-01-01 07:00Z', 1, 3, 1, 2, 5.10, 'rest'),
    (1, '1h', '2024-01-01 05:00Z', '2024-01-01 07:00Z', '2024-01-01 08:00Z', 1, 4, 1, 3, 5.20, 'rest'),
    (1, '1h', '2024-01-01 05:00Z', '2024-01-01 08:00Z', '2024-01-01 09:00Z', 1, 4, 1, 4, 5.30, 'rest');
"""


@pytest.fixture(scope="module")
def warehouse(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[WarehouseDsns]:
    with filled(cluster, warehouse_template) as (dsns, owner):
        owner.execute(HOLES)
        yield dsns


@pytest.fixture(scope="module")
def client(warehouse: WarehouseDsns) -> Iterator[TestClient]:
    with serving(warehouse.reader, NOW) as (client, _):
        yield client


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    shape_of(path).model_validate(answer.json())
    return answer.json()


def test_a_row_per_series_says_its_equation(client: TestClient, warehouse: WarehouseDsns) -> None:
    answer = get(client, "coverage")
    with connect(warehouse.reader) as reader:
        counted = {(each.venue, each.symbol): each.equation for each in coverage(reader, NOW)}
    assert {(row["venue"], row["symbol"]) for row in answer["data"]} == set(counted)
    for row in answer["data"]:
        equation = counted[row["venue"], row["symbol"]]
        assert {name: row[name] for name in equation._fields} == equation._asdict()
        assert row["completeness_percent"] == pytest.approx(100 * equation.observed / equation.expected)
        assert row["is_complete"] is (row["venue"] == "binance")
    # What is missing is what it is asked for: it does not abstain.
    assert (answer["verdict"], answer["complete_until"]) == ("answered", "2024-01-02T20:00:00+00:00")
    assert answer["completeness_percent"] == pytest.approx(100 * (72 + 69) / (72 + 72))


@pytest.mark.parametrize(
    ("asked", "rows"), [({"venue": "kraken"}, 1), ({"symbol": "BTC/USDT"}, 1), ({"timeframe": "1h"}, 2)]
)
def test_only_what_is_named_is_counted(client: TestClient, asked: dict[str, str], rows: int) -> None:
    found = get(client, "coverage", **asked)["data"]
    assert len(found) == rows
    assert all(row[name] == value for row in found for name, value in asked.items())


def test_a_name_nobody_knows_is_a_404(client: TestClient) -> None:
    for path, asked in (("coverage", {"venue": "mtgox"}), ("coverage/days", {"venue": "mtgox", "symbol": "BTC/USD"})):
        answer = client.get(f"{API}/{path}", params=asked)
        assert (answer.status_code, "mtgox" in answer.json()["detail"]) == (404, True)


def test_days_add_up_to_the_equation(client: TestClient) -> None:
    days = get(client, "coverage/days", **KRAKEN)["data"]
    (series,) = get(client, "coverage", **KRAKEN)["data"]
    assert [day["day"] for day in days] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert [(day["observed"], day["empty"], day["unknown"]) for day in days] == [(22, 2, 0), (23, 0, 1), (24, 0, 0)]
    sums = sum((Counter({name: day[name] for name in COUNTS}) for day in days), Counter())
    assert {name: sums[name] for name in COUNTS} == {name: series[name] for name in COUNTS}


def test_each_hole_has_its_reason_and_its_evidence(client: TestClient) -> None:
    empty, unknown = get(client, "coverage/holes", **KRAKEN)["data"]
    assert (empty["state"], empty["candles"], empty["starts_at"]) == ("empty", 2, "2024-01-01T10:00:00+00:00")
    assert empty["reason"] == "kraken-trades has no candle"
    assert "answer of api.kraken.com (kraken-trades) at 2024-01-03 00:05 UTC" in empty["evidence"]
    assert empty["answered_at"] == "2024-01-03T00:05:00+00:00"
    assert (unknown["state"], unknown["candles"], unknown["reason"]) == ("unknown", 1, "deleted")
    assert "had it, the table has not" in unknown["evidence"]


def test_holes_are_cut_to_the_window(client: TestClient) -> None:
    window = {"from": "2024-01-01T11:00:00Z", "to": "2024-01-02T00:00:00Z"}
    answer = get(client, "coverage/holes", **KRAKEN, **window)
    assert [(row["starts_at"], row["candles"]) for row in answer["data"]] == [("2024-01-01T11:00:00+00:00", 1)]
    assert answer["completeness_percent"] == pytest.approx(100 * 12 / 13)


def test_a_candle_that_has_just_closed_is_pending(warehouse: WarehouseDsns) -> None:
    with serving(warehouse.reader, START + (FILLED + 1) * HOUR + HOUR / 6) as (client, _):
        holes = get(client, "coverage/holes", **KRAKEN)["data"]
    assert [(row["state"], row["starts_at"]) for row in holes][-1] == ("pending", "2024-01-04T00:00:00+00:00")


def test_pages_of_a_table_hold_each_row_once(client: TestClient) -> None:
    path, rows, pages = "coverage/days", [], 0
    answer = get(client, path, **KRAKEN, limit=2)
    while True:
        rows += [row["day"] for row in answer["data"]]
        pages += 1
        if answer["next"] is None:
            break
        answer = client.get(answer["next"]).json()
    assert (rows, pages) == (["2024-01-01", "2024-01-02", "2024-01-03"], 2)


def test_a_cursor_of_a_table_is_not_trusted(client: TestClient) -> None:
    cursor = get(client, "coverage/days", **KRAKEN, limit=1)["next"].split("cursor=")[1]
    question, *_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps([question, 5]).encode()).decode()
    answer = client.get(f"{API}/coverage/days", params={**KRAKEN, "limit": 1, "cursor": forged})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:crypto-market:problem:invalid-cursor")


def test_a_table_comes_as_csv_too(client: TestClient) -> None:
    answer = client.get(f"{API}/coverage/days", params=KRAKEN, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert rows == [
        {name: str(value) for name, value in row.items()} for row in get(client, "coverage/days", **KRAKEN)["data"]
    ]


def test_revisions_come_with_what_replaced_them_the_newest_first(client: TestClient) -> None:
    newest, newer, oldest = get(client, "revisions")["data"]
    assert (newest["close"], newest["new_close"], newest["new_source"]) == (4, 105, "test")
    assert (newer["close"], newer["new_close"], newer["new_source"]) == (3, 4, "rest")
    assert (oldest["close"], oldest["new_close"], oldest["new_volume"]) == (2, 3, 5.2)
    assert b'"volume":5.10' in client.get(f"{API}/revisions").content
    assert get(client, "revisions", venue="kraken")["data"] == []
    assert get(client, "revisions", **{"from": "2024-01-01T06:00:00Z"})["data"] == []
    first = get(client, "revisions", limit=1)
    assert [row["revision_id"] for row in client.get(first["next"]).json()["data"]] == [
        newer["revision_id"],
    ]


def test_an_answer_says_how_long_it_took(client: TestClient) -> None:
    timing = client.get(f"{API}/coverage").headers["server-timing"]
    spent = {name: float(took.removeprefix("dur=")) for name, took in (part.split(";") for part in timing.split(", "))}
    assert 0 < spent["database"] <= spent["total"]
