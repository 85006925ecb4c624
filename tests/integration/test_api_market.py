"""The data API's market resources: the public views' columns, every row of them, in pages that join, in every form."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from include.api.routes import alerts, candles, features, instruments, rankings, sentiment, tickers
from include.api.schemas import Row
from include.features.registry import NAMES
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from tests.integration.api import API, serving
from tests.integration.market_world import BTC, END, NOW, START

ALL = {"from": START.isoformat(), "untrusted": "true"}


class Resource(NamedTuple):
    """A resource, the question that brings all its rows, the shape of these, and the view that has them.

    where: which rows of the view. order: as the resource's.
    """

    path: str
    asked: dict[str, str]
    row: type[Row]
    view: str
    where: str
    order: str


RESOURCES = (
    Resource("candles", {**BTC, **ALL}, candles.Candle, "ohlcv", "venue = 'binance'", "opened_at"),
    Resource("tickers", {**BTC, **ALL}, tickers.Ticker, "ticker_snapshots", "venue = 'binance'", "observed_at"),
    Resource("sentiment", ALL, sentiment.Sentiment, "fear_greed_index", "true", "timestamp"),
    Resource("features", {"crypto": "BTC", **ALL}, features.FeatureRow, "crypto_prices", "true", "timestamp"),
    Resource("rankings", ALL, rankings.Ranking, "daily_rankings", "true", "day, crypto"),
    Resource(
        "alerts", ALL, alerts.Alert, "price_alerts", "true", "triggered_at, crypto, venue, symbol, direction"
    ),
)  # fmt: skip
PATHS = [resource.path for resource in RESOURCES]
PAGED = [*((resource.path, resource.asked) for resource in RESOURCES), ("instruments", {"untrusted": "true"})]


@pytest.fixture(scope="module")
def client(market: WarehouseDsns) -> Iterator[TestClient]:
    with serving(market.reader, NOW) as (client, _):
        yield client


@pytest.fixture(scope="module")
def looking(market: WarehouseDsns) -> Iterator[Connection]:
    with connect(market.reader) as connection:
        connection.execute("set intervalstyle = 'iso_8601'")
        yield connection


def ask(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("resource", RESOURCES, ids=PATHS)
def test_a_resource_has_the_rows_and_columns_of_its_view(
    client: TestClient, looking: Connection, resource: Resource
) -> None:
    chosen = f"select * from {resource.view} where {resource.where} order by {resource.order}"
    stored = [row for (row,) in looking.execute(f"select row_to_json(v) from ({chosen}) as v").fetchall()]
    answered = ask(client, resource.path, **resource.asked, limit=10_000)["data"]
    assert len(stored) > 10
    columns = [name for name in stored[0] if name != "world"]
    assert list(answered[0]) == columns
    assert set(resource.row.model_fields) == set(columns)
    assert [{**row, "world": "recorded"} for row in answered] == stored
    for row in answered[:50]:
        resource.row.model_validate(row)


def test_markets_say_what_they_have(client: TestClient) -> None:
    answer = ask(client, "instruments")
    assert (answer["verdict"], answer["next"]) == ("answered", None)
    assert [(row["venue"], row["symbol"], row["timeframes"]) for row in answer["data"]] == [
        ("binance", "BTC/USDT", ["1h"]), ("kraken", "BTC/USD", ["1h"])
    ]  # fmt: skip
    first, newest = (answer["data"][0][name] for name in ("first_opened_at", "newest_opened_at"))
    assert (first, newest) == ("2024-01-01T00:00:00+00:00", "2024-02-09T23:00:00+00:00")
    assert list(answer["data"][0]) == list(instruments.Instrument.model_fields)


@pytest.mark.parametrize(("path", "asked"), PAGED, ids=[path for path, _ in PAGED])
def test_pages_join_to_the_whole_even_while_the_clock_goes_on(
    market: WarehouseDsns, client: TestClient, path: str, asked: dict[str, str]
) -> None:
    whole = ask(client, path, **asked, limit=10_000)["data"]
    size = max(1, len(whole) // 3)
    with serving(market.reader, NOW) as (other, clock):
        answer = ask(other, path, **asked, limit=size)
        pages = answer["data"]
        while answer["next"]:
            clock.at += (NOW - END) / 600
            answer = other.get(answer["next"]).json()
            assert "data" in answer, answer
            pages += answer["data"]
    assert pages == whole
    assert size < len(whole)


def forged(cursor: str, value: Any) -> str:
    """The cursor with this in place of every value of its key."""
    question, *key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return base64.urlsafe_b64encode(json.dumps([question, *[value] * len(key)]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("path", "asked"), PAGED, ids=[path for path, _ in PAGED])
def test_a_cursor_is_not_trusted(client: TestClient, path: str, asked: dict[str, str]) -> None:
    cursor = ask(client, path, **asked, limit=1)["next"].split("cursor=")[1]
    for value in ("no time", 7, True, 10**30, 1e300, "\0", "\ud800", None, [], {}, "9999999-01-01T00:00:00Z"):
        answer = client.get(f"{API}/{path}", params={**asked, "limit": 1, "cursor": forged(cursor, value)})
        # Names of markets are texts, and any text comes before or after them.
        is_text = path == "instruments" and isinstance(value, str | int | float) and str(value).isprintable()
        assert answer.status_code == (200 if is_text else 422), (value, answer.text)
    for other in ("", "!", "W1tb" * 240, cursor + "x"):
        answer = client.get(f"{API}/{path}", params={**asked, "limit": 1, "cursor": other})
        assert answer.status_code == 422, (other, answer.text)


@pytest.mark.parametrize(("path", "asked"), PAGED, ids=[path for path, _ in PAGED])
def test_bulk_forms_hold_the_same_rows(client: TestClient, path: str, asked: dict[str, str]) -> None:
    rows = ask(client, path, **asked)["data"]
    got = {form: client.get(f"{API}/{path}", params=asked, headers={"Accept": form}) for form in (
        "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
    )}  # fmt: skip
    lines = got["text/csv"].text.splitlines()
    assert lines[0].split(",") == list(rows[0])
    arrow = pa.ipc.open_stream(got["application/vnd.apache.arrow.stream"].content).read_all()
    parquet = pq.read_table(io.BytesIO(got["application/vnd.apache.parquet"].content))
    assert arrow.column_names == list(rows[0])
    assert arrow.to_pylist() == parquet.to_pylist()
    assert len(lines) - 1 == len(arrow) == len(rows)


def test_features_bring_the_columns_that_were_asked_for(client: TestClient) -> None:
    row = ask(client, "features", crypto="BTC", columns="sma_7,rsi_14,rsi_14", limit=1, **ALL)["data"][0]
    assert [name for name in row if name in NAMES] == sorted(["rsi_14", "sma_7"], key=NAMES.index)
    answer = client.get(f"{API}/features", params={"crypto": "BTC", "columns": "rsi_14,close; drop table"})
    assert answer.status_code == 422
    assert "there is no column close; drop table; there are " in answer.json()["detail"]


def test_the_newest_tickers_have_an_age(client: TestClient) -> None:
    answer = ask(client, "tickers/latest")
    assert answer["verdict"] == "answered"
    assert [(row["venue"], row["last"], row["age_seconds"]) for row in answer["data"]] == [
        ("binance", 40_001, 300), ("kraken", 40_001, 300)
    ]  # fmt: skip
    assert set(tickers.LatestTicker.model_fields) == set(answer["data"][0])
    assert [row["venue"] for row in ask(client, "tickers/latest", venue="kraken")["data"]] == ["kraken"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("candles", {**BTC, "symbol": "DOGE/USDT"}),
        ("candles/chart", {**BTC, "venue": "nowhere"}),
        ("tickers", {**BTC, "venue": "nowhere"}),
        ("tickers/latest", {"venue": "nowhere"}),
        ("features", {"crypto": "DOGE"}),
        ("alerts", {"crypto": "DOGE"}),
    ],
)
def test_what_nobody_knows_is_not_found(client: TestClient, path: str, asked: dict[str, str]) -> None:
    answer = client.get(f"{API}/{path}", params=asked)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:crypto-market:problem:unknown-subject")


@pytest.mark.parametrize("path", [*PATHS, "candles/chart"])
def test_a_window_that_ends_before_it_begins_is_refused(client: TestClient, path: str) -> None:
    asked = {**BTC, "crypto": "BTC", "from": "2024-01-02T00:00:00Z", "to": "2024-01-02T00:00:00Z"}
    needed = {"candles": ("venue", "symbol"), "candles/chart": ("venue", "symbol"), "tickers": ("venue", "symbol"),
              "features": ("crypto",)}.get(path, ())  # fmt: skip
    kept = {name: value for name, value in asked.items() if name in {"from", "to", *needed}}
    answer = client.get(f"{API}/{path}", params=kept)
    assert answer.status_code == 422
    assert "`to` has to be later than `from`" in answer.json()["detail"]


def test_a_window_that_begins_after_now_is_empty(client: TestClient) -> None:
    later = datetime.fromisoformat("2030-01-01T00:00:00+00:00").isoformat()
    for path, asked, *_ in RESOURCES:
        assert ask(client, path, **{**asked, "from": later})["data"] == []
