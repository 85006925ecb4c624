"""How far the market resources can be trusted: what is missing or late is said, as long as it is and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient

from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock
from include.serving.deadlines import FEATURE_LAG, RANKING_AGE, SENTIMENT_AGE, TICKER_AGE, TRANSFORM_LAG, candle_age
from include.serving.selection import Snapshot
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection, connect
from tests.integration.api import API, EVERYBODY, serving
from tests.integration.market_world import BINANCE, BTC, DAY, END, HOUR, NOW, START
from tests.integration.mart import candle, put

SECOND = timedelta(seconds=1)
LATE = {"from": (START + 700 * HOUR).isoformat()}  # after the last hole


@pytest.fixture
def world(market: WarehouseDsns) -> Iterator[tuple[TestClient, FixedClock]]:
    with serving(market.reader, NOW) as (client, clock):
        yield client, clock


class Changed(NamedTuple):
    """The same warehouse as its owner changes it within a transaction, which is undone after the test."""

    client: TestClient
    clock: FixedClock
    connection: Connection


class Borrowed(Warehouse):
    """The warehouse as one open transaction sees it."""

    def __init__(self, connection: Connection, clock: FixedClock) -> None:
        super().__init__(str, lambda: clock)
        self.borrowed, self.clock = connection, clock

    @contextmanager
    def look(self) -> Iterator[Snapshot]:
        yield Snapshot(self.borrowed, self.clock.now(), "recorded")


@pytest.fixture
def changed(market: WarehouseDsns) -> Iterator[Changed]:
    clock = FixedClock(NOW)
    with connect(market.owner) as connection, connection.transaction(force_rollback=True):
        client = TestClient(create_app(Borrowed(connection, clock), EVERYBODY), raise_server_exceptions=False)
        yield Changed(client, clock, connection)


def ask(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


@pytest.mark.parametrize(
    ("path", "asked", "deadline"),
    [
        ("candles", {**BTC, **LATE}, END + candle_age("1h")),
        ("candles/chart", {**BTC, **LATE}, END + candle_age("1h")),
        ("features", {"crypto": "BTC", **LATE}, END + candle_age("1h")),
        ("alerts", LATE, END + candle_age("1h")),
        ("tickers", {**BTC, "from": (NOW - HOUR).isoformat()}, NOW - timedelta(minutes=5) + TICKER_AGE),
        ("tickers/latest", {}, NOW - timedelta(minutes=5) + TICKER_AGE),
        ("sentiment", {}, END - DAY + timedelta(minutes=15) + SENTIMENT_AGE),
        ("rankings", {}, END - DAY + RANKING_AGE),
    ],
)
def test_what_is_late_is_answered_until_its_deadline_and_not_after(
    world: tuple[TestClient, FixedClock], path: str, asked: dict[str, str], deadline: datetime
) -> None:
    client, clock = world
    for clock.at in (NOW, deadline):
        answer = ask(client, path, **asked)
        assert (answer["verdict"], answer["reasons"]) == ("answered", []), clock.at
        assert answer["data"]
    clock.at = deadline + SECOND
    answer = ask(client, path, **asked)
    assert (answer["verdict"], answer["data"]) == ("abstained", [])
    assert "stale" in codes(answer)
    found = next(reason for reason in answer["reasons"] if reason["code"] == "stale")
    assert "the deadline is" in found["text"]
    assert datetime.fromisoformat(found["since"]) == deadline
    assert ask(client, path, **asked, untrusted="true")["data"]


@pytest.mark.parametrize("path", ["candles", "features", "tickers", "sentiment", "rankings", "alerts"])
def test_what_is_past_stays_answered_however_late_the_newest_is(
    world: tuple[TestClient, FixedClock], path: str
) -> None:
    client, clock = world
    clock.at = NOW + 30 * DAY
    subject = {"candles": BTC, "tickers": BTC, "features": {"crypto": "BTC"}}.get(path, {})
    until = NOW - 5 * timedelta(minutes=1) if path == "tickers" else START + 800 * HOUR
    since = until - 2 * HOUR if path == "tickers" else START + 700 * HOUR
    answer = ask(client, path, **subject, **{"from": since.isoformat(), "to": until.isoformat()})
    assert (answer["verdict"], answer["reasons"]) == ("answered", [])


@pytest.mark.parametrize("path", ["candles", "candles/chart", "features", "tickers", "sentiment", "rankings", "alerts"])
def test_no_window_reaches_beyond_now(world: tuple[TestClient, FixedClock], path: str) -> None:
    client, _ = world
    subject = {"sentiment": {}, "rankings": {}, "alerts": {}, "features": {"crypto": "BTC"}}.get(path, BTC)
    asked = {**subject, "from": (NOW - HOUR).isoformat()} if path == "tickers" else {**subject, **LATE}
    assert ask(client, path, **asked, to="2030-01-01T00:00:00Z") == ask(client, path, **asked)


def test_a_young_window_does_not_hide_how_old_the_newest_candle_is(world: tuple[TestClient, FixedClock]) -> None:
    client, clock = world
    young = {"from": (NOW - timedelta(minutes=20)).isoformat()}
    assert ask(client, "candles", **BTC, **young)["verdict"] == "answered"  # no candle opened since, and none is due
    clock.at = END + candle_age("1h") + HOUR
    assert "stale" in codes(ask(client, "candles", **BTC, **{"from": (END + HOUR).isoformat()}))


@pytest.mark.parametrize(("path", "subject"), [("candles", BTC), ("features", {"crypto": "BTC"})])
def test_hours_that_nobody_can_account_for_make_their_window_abstain(
    world: tuple[TestClient, FixedClock], path: str, subject: dict[str, str]
) -> None:
    client, _ = world
    closes = HOUR if path == "features" else timedelta()
    hole = START + 200 * HOUR + closes
    before = ask(client, path, **subject, **{"from": (START + closes).isoformat(), "to": hole.isoformat()})
    assert (before["verdict"], before["completeness_percent"]) == ("answered", 100)
    around = {"from": (hole - HOUR).isoformat(), "to": (hole + 9 * HOUR).isoformat()}
    answer = ask(client, path, **subject, **around)
    assert (codes(answer), answer["completeness_percent"]) == (["incomplete"], 70)
    assert datetime.fromisoformat(answer["complete_until"]) == hole
    assert "3 of 10 candles are neither held nor explained" in answer["reasons"][0]["text"]


def test_snapshots_that_were_missed_lower_completeness(world: tuple[TestClient, FixedClock]) -> None:
    client, _ = world
    answer = ask(client, "tickers", **BTC, **{"from": (NOW - 10 * HOUR).isoformat()})
    assert codes(answer) == ["incomplete"]
    # Between the snapshots of 9:20 and 8:15 hours ago nothing came: 65 minutes, of which 30 are in time.
    assert answer["completeness_percent"] == pytest.approx(100 * (1 - 35 / 600))
    gap = NOW - timedelta(minutes=5 * 112) + TICKER_AGE
    assert datetime.fromisoformat(answer["complete_until"]) == gap
    assert "for 35 minutes of the window" in answer["reasons"][0]["text"]


def test_a_day_that_the_publisher_left_out_is_counted(world: tuple[TestClient, FixedClock]) -> None:
    client, _ = world
    answer = ask(client, "sentiment", **{"from": START.isoformat()})
    assert (answer["verdict"], answer["completeness_percent"]) == ("answered", 97.5)
    assert datetime.fromisoformat(answer["complete_until"]) == END
    assert len(answer["data"]) == 39


def test_features_and_alerts_that_stand_still_abstain_when_they_lag(changed: Changed) -> None:
    client, clock, connection = changed
    assert FEATURE_LAG == TRANSFORM_LAG == 2 * HOUR
    for hours, found in ((1, []), (2, []), (3, ["stale"])):
        put(connection, BINANCE, [candle(END + (hours - 1) * HOUR, 40_000)], END + hours * HOUR)
        clock.at = END + hours * HOUR + SECOND
        features = ask(client, "features", crypto="BTC", **LATE)
        alerts = ask(client, "alerts", crypto="BTC", **LATE)
        assert (codes(features), codes(alerts)) == (found, found), hours
        for answer in (features, alerts):
            assert 95 < answer["completeness_percent"] < 100
        assert datetime.fromisoformat(features["complete_until"]) == END + HOUR
        assert datetime.fromisoformat(alerts["complete_until"]) == END
    said = "are of 2024-02-10 00:00 UTC, 3 hours behind the candles; the deadline is 2 hours"
    assert features["reasons"][0]["text"] == f"the newest features of binance BTC/USDT 1h {said}"
    assert alerts["reasons"][0]["text"] == f"the newest hours of BTC searched for alerts {said}"


def test_an_hour_whose_features_were_lost_makes_its_window_abstain(changed: Changed) -> None:
    client, clock, connection = changed
    around = {"from": (START + 700 * HOUR).isoformat(), "to": (START + 800 * HOUR).isoformat()}
    lost = "delete from features.candle_feature where opened_at = %s returning instrument_id"
    assert len(connection.execute(lost, (START + 750 * HOUR,)).fetchall()) == 2
    assert codes(ask(client, "features", crypto="BTC", **around)) == []  # its candle has only just become known
    clock.at = NOW + FEATURE_LAG + SECOND
    answer = ask(client, "features", crypto="BTC", **around)
    assert (codes(answer), answer["completeness_percent"]) == (["incomplete"], 99)
    assert "1 hours whose candles are held have no features" in answer["reasons"][0]["text"]
    assert datetime.fromisoformat(answer["complete_until"]) == START + 751 * HOUR


def test_candles_in_the_archive_alone_are_not_passed_off_as_answered(changed: Changed) -> None:
    client, _, connection = changed
    first = START + 744 * HOUR
    connection.execute(
        "insert into ops.archive_manifest select i.instrument_id, '1h', date '2024-02-01', 'a', 24, %(first)s, "
        "%(first)s + interval '23 hours', 'a', 'a', %(now)s, %(now)s "
        "from market.instrument as i where i.venue = 'kraken'",
        {"first": first, "now": NOW},
    )
    connection.execute(
        "delete from market.candle as c using market.instrument as i where c.instrument_id = i.instrument_id "
        "and i.venue = 'kraken' and c.opened_at >= %(first)s and c.opened_at < %(first)s + interval '1 day'",
        {"first": first},
    )
    days = {"from": (first - DAY).isoformat(), "to": (first + DAY).isoformat()}
    answer = ask(client, "candles", venue="kraken", symbol="BTC/USD", **days)
    assert (codes(answer), answer["completeness_percent"]) == (["incomplete"], 50)
    assert "24 of 48 candles are in the archive alone" in answer["reasons"][0]["text"]
    assert datetime.fromisoformat(answer["complete_until"]) == first


def test_nothing_is_awaited_of_a_market_that_was_delisted(changed: Changed) -> None:
    client, clock, connection = changed
    connection.execute("update market.instrument set delisted_at = %s where venue = 'binance'", (END,))
    clock.at = NOW + 9 * DAY
    answer = ask(client, "candles", **BTC, **LATE)
    assert (answer["verdict"], answer["completeness_percent"]) == ("answered", 100)
    assert [row["venue"] for row in ask(client, "tickers/latest", untrusted="true")["data"]] == ["kraken"]


@pytest.mark.parametrize("change", ["listed_at = '2030-01-01Z'", "is_trading = false"])
def test_no_snapshot_is_awaited_of_a_market_that_does_not_trade(changed: Changed, change: str) -> None:
    client, _, connection = changed
    connection.execute("delete from market.ticker")
    assert codes(ask(client, "tickers/latest")) == ["nothing_known", "nothing_known"]
    connection.execute(f"update market.instrument set {change}")
    assert client.get(f"{API}/tickers/latest").status_code == 404


def test_a_day_without_any_ranking_makes_its_window_abstain(changed: Changed) -> None:
    client, _, connection = changed
    connection.execute("delete from mart.daily_ranking where day = '2024-01-20'")
    answer = ask(client, "rankings")
    assert codes(answer) == ["incomplete"]
    assert "1 of 29 days are not ranked at all, first 2024-01-20" in answer["reasons"][0]["text"]
    assert answer["complete_until"] == "2024-01-20T00:00:00+00:00"


def test_an_empty_warehouse_knows_nothing(warehouse: WarehouseDsns) -> None:
    with serving(warehouse.reader, NOW) as (client, _):
        for path in ("instruments", "sentiment", "rankings", "alerts"):
            answer = ask(client, path)
            assert (codes(answer), answer["data"], answer["complete_until"]) == (["nothing_known"], [], None)
        for path in ("candles?venue=binance&symbol=BTC/USDT", "tickers/latest", "features?crypto=BTC"):
            assert client.get(f"{API}/{path}").status_code == 404
