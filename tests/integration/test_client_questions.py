"""Each question of the client, over real HTTP: the rows that the data API has as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from math import nan
from typing import Any

import pandas as pd
import pytest

from include.client import Abstained, Client
from include.stack.postgres import PostgresCluster
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, serving
from tests.integration.logged_in import PASSWORD, USER, Door, logged_in
from tests.integration.served_world import FILLED, HOUR, START, filled

NOW = START + FILLED * HOUR + timedelta(minutes=30)
LATE = NOW + 5 * HOUR

QUESTIONS: dict[str, Callable[[Client], pd.DataFrame]] = {
    "instruments": lambda client: client.instruments(untrusted=True),
    "tickers?venue=binance&symbol=BTC/USDT": lambda client: client.tickers("binance", "BTC/USDT", untrusted=True),
    "tickers/latest?venue=binance": lambda client: client.latest_tickers("binance", untrusted=True),
    "sentiment": lambda client: client.sentiment(untrusted=True),
    "features?crypto=BTC&columns=sma_30,rsi_14": lambda client: client.features(
        "BTC", columns=["sma_30", "rsi_14"], untrusted=True
    ),
    "rankings": lambda client: client.rankings(untrusted=True),
    "alerts?crypto=BTC": lambda client: client.alerts("BTC", untrusted=True),
    "coverage?venue=binance": lambda client: client.coverage("binance", untrusted=True),
    "forecasts?horizon=PT24H": lambda client: client.forecasts(horizon="PT24H", untrusted=True),
    "forecasts/latest?symbol=BTC/USDT": lambda client: client.latest_forecasts(symbol="BTC/USDT", untrusted=True),
    "scoreboard?window=all": lambda client: client.scoreboard("all", untrusted=True),
    "models": lambda client: client.models(untrusted=True),
    "pipeline": lambda client: client.ask("pipeline", untrusted=True),
}


@pytest.fixture(scope="module")
def dsn(cluster: PostgresCluster, warehouse_template: WarehouseTemplate) -> Iterator[str]:
    """Connection string (reader) of three days of hours with their forecasts."""
    with filled(cluster, warehouse_template) as (dsns, _):
        yield dsns.reader


@pytest.fixture(scope="module")
def door(dsn: str) -> Iterator[Door]:
    with logged_in(dsn, NOW) as door:
        yield door


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_clients_frames_are_the_apis_rows(dsn: str, door: Door, question: str) -> None:
    found = QUESTIONS[question](Client(door.url, USER, PASSWORD))
    path, _, query = question.partition("?")
    with serving(dsn, NOW) as (client, _):
        envelope = client.get(f"{API}/{path}?{query}&untrusted=true&limit=10000".replace("?&", "?")).json()
        if "data" not in envelope:  # it has no pages
            envelope = client.get(f"{API}/{path}?{query}&untrusted=true".replace("?&", "?")).json()
    assert found.attrs["trust"]["verdict"] == envelope["verdict"]
    rows: list[dict[str, Any]] = envelope["data"]
    assert len(found) == len(rows)
    if rows:
        assert list(found.columns) == list(rows[0])
    for name in found.select_dtypes("datetimetz"):
        at = [None if pd.isna(value) else value for value in found[name]]
        assert at == [row[name] and pd.Timestamp(row[name]).tz_localize(None).tz_localize("UTC") for row in rows]
    for name in found.select_dtypes("float64"):
        numbers = [nan if row[name] is None else row[name] for row in rows]
        assert found[name].tolist() == pytest.approx(numbers, nan_ok=True)


def test_the_client_abstains_where_no_forecast_stands(dsn: str) -> None:
    with logged_in(dsn, LATE) as late, pytest.raises(Abstained, match="the newest 1h candle of binance BTC/USDT"):
        Client(late.url, USER, PASSWORD).latest_forecasts()
