"""What stands still makes answers abstain: not before its deadline, and after it with a reason that names it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient

from include.serving.deadlines import FEATURE_LAG, FORECAST_AGE, MODEL_AGE, candle_age
from include.stack.postgres import PostgresCluster
from include.warehouse.connection import Connection
from tests.conftest import WarehouseTemplate
from tests.integration.api import API, serving
from tests.integration.served_world import FILLED, HOUR, START, advance, filled

SECOND = timedelta(seconds=1)
LAST = START + FILLED * HOUR  # close of the newest candle when a part stops
CANDLES = "candles?venue=binance&symbol=BTC/USDT&from=2024-01-02T00:00:00Z&limit=5"
FORECASTS = "forecasts?symbol=BTC/USDT&limit=5"
LATEST = "forecasts/latest"


class Frozen(NamedTuple):
    """A part that stands still, what asks about it, and what the reason says then.

    deadline: after LAST; words: in the reason. dataset: whose freshness /pipeline shows.
    """

    part: str
    deadline: timedelta
    asked: tuple[str, ...]
    code: str
    named: str
    dataset: str
    words: str = "2 hours"


CASES = (
    Frozen(
        "binance", candle_age("1h"), (CANDLES, FORECASTS, LATEST), "stale", "1h candle of binance BTC/USDT", "candles"
    ),
    Frozen("features", FORECAST_AGE, (FORECASTS, LATEST), "stale", "features", "features"),
    Frozen("forecasts", FORECAST_AGE, (FORECASTS, LATEST), "stale", "the forecast of binance BTC/USDT", "forecasts"),
    Frozen("training", MODEL_AGE, (FORECASTS, LATEST), "model_old", "training", "models", "14 days"),
)


class World(NamedTuple):
    """A warehouse in which a part stands still since LAST, up to that part's deadline."""

    frozen: Frozen
    reader: str
    owner: Connection

    @property
    def deadline(self) -> datetime:
        return LAST + self.frozen.deadline


@pytest.fixture(scope="module", params=CASES, ids=[case.part for case in CASES])
def world(
    request: pytest.FixtureRequest, cluster: PostgresCluster, warehouse_template: WarehouseTemplate
) -> Iterator[World]:
    frozen: Frozen = request.param
    with filled(cluster, warehouse_template) as (dsns, owner):
        advance(owner, FILLED, FILLED + int(frozen.deadline / HOUR), frozen=frozen.part)
        yield World(frozen, dsns.reader, owner)


def ask(client: TestClient, question: str) -> Any:
    answer = client.get(f"{API}/{question}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def stale(client: TestClient, dataset: str) -> bool:
    """Whether /pipeline calls any of a dataset of the forecast market stale."""
    rows = ask(client, "pipeline")["data"]
    found = [row["is_stale"] for row in rows if row["dataset"] == dataset and "binance" in row["subject"]]
    assert found
    return any(found)


def test_what_stands_still_is_answered_until_its_deadline(world: World) -> None:
    with serving(world.reader, world.deadline) as (client, _):
        for question in world.frozen.asked:
            answer = ask(client, question)
            assert (answer["verdict"], answer["reasons"]) == ("answered", []), question
            assert answer["data"], question


def test_after_its_deadline_answers_abstain_and_name_it(world: World) -> None:
    with serving(world.reader, world.deadline + SECOND) as (client, _):
        for question in world.frozen.asked:
            answer = ask(client, question)
            assert (answer["verdict"], answer["data"]) == ("abstained", []), question
            reason = answer["reasons"][0]
            assert reason["code"] == world.frozen.code
            assert world.frozen.named in reason["text"]
            assert reason["text"].endswith(f"the deadline is {world.frozen.words}")
            assert reason["since"] == world.deadline.isoformat()


def test_the_rows_of_a_frozen_forecast_say_why_and_have_no_numbers(world: World) -> None:
    with serving(world.reader, world.deadline + SECOND) as (client, _):
        rows = ask(client, f"{LATEST}?untrusted=true")["data"]
        assert [row["horizon"] for row in rows] == ["PT1H", "PT24H"]
        for row in rows:
            assert row["state"] == world.frozen.code
            assert world.frozen.named in row["reason"]
            assert {row["predicted_price"], row["lower_price_95"], row["up_probability"]} == {None}
            assert row["predicted_volatility"] is None
            assert (row["is_naive"], row["model_version"]) == (True, None)


def test_what_was_sealed_stays_answered(world: World) -> None:
    with serving(world.reader, world.deadline + SECOND) as (client, _):
        past = ask(client, f"{FORECASTS}&to=2024-01-03T20:00:00Z")
        assert (past["verdict"], len(past["data"])) == ("answered", 5)
        assert len(ask(client, f"{FORECASTS}&untrusted=true")["data"]) == 5


def test_what_goes_on_is_answered_while_another_part_stands_still(world: World) -> None:
    kraken = CANDLES.replace("binance&symbol=BTC/USDT", "kraken&symbol=BTC/USD")
    with serving(world.reader, world.deadline + SECOND) as (client, _):
        assert ask(client, kraken)["verdict"] == "answered"


def test_the_pipeline_calls_stale_what_stands_still(world: World) -> None:
    at = world.deadline
    if world.frozen.part == "features":  # measured behind the candles, the next of which closes an hour later
        assert at - LAST == FEATURE_LAG
        at += HOUR - SECOND
    with serving(world.reader, at) as (client, clock):
        assert not stale(client, world.frozen.dataset)
        if world.frozen.part == "features":
            hours = FILLED + int(FEATURE_LAG / HOUR)
            advance(world.owner, hours, hours + 1, frozen="features")
        clock.at += SECOND
        assert stale(client, world.frozen.dataset)
