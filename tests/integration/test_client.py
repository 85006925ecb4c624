"""The client for notebooks, over real HTTP: what the warehouse holds, as DataFrames; what it refuses, as exceptions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

from include.candles.model import Candle
from include.client import (
    Abstained,
    ApiError,
    Client,
    ForbiddenError,
    InvalidQuestionError,
    NotLoggedInError,
    UnavailableError,
    UnknownSubjectError,
)
from include.client import client as module
from include.config.markets import MARKETS
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from tests.integration.logged_in import PASSWORD, USER, Door, logged_in

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + 100 * HOUR + timedelta(minutes=10)
BTC = ("binance", "BTC/USDT")
# Arrow's own cast to binary floating point misses the nearest of more than half of these by a bit.
CLOSES = [Decimal(n) / 10**8 for n in range(90_000_001, 90_000_101)]


@pytest.fixture
def door(warehouse: WarehouseDsns, writer: Connection) -> Iterator[Door]:
    low, high = Decimal("0.5"), Decimal(1)
    some = [
        Candle(START + n * HOUR, low, high, low, close, Decimal("12.34567890"), Decimal(1), 42 if n else None)
        for n, close in enumerate(CLOSES)
    ]
    instrument_id = ensure_instrument(writer, MARKETS[0])
    upsert_candles(writer, instrument_id, "1h", some, source="test", world="recorded", recorded_at=NOW)
    with logged_in(warehouse.reader, NOW) as door:
        yield door


def test_frames_hold_what_the_warehouse_holds(door: Door, reader: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(door.url, USER, PASSWORD)
    stored = reader.execute("select opened_at, close from ohlcv order by opened_at").fetchall()
    whole = client.candles(*BTC, start=START, exact=True)
    assert list(zip(whole["opened_at"], whole["close"], strict=True)) == stored
    assert len(whole) == 100

    nearest = client.candles(*BTC, start=START)
    assert str(nearest["opened_at"].dtype) == "datetime64[us, UTC]"
    assert nearest["close"].tolist() == [float(close) for close in CLOSES]
    assert nearest["trade_count"].isna().tolist() == [True] + [False] * 99

    monkeypatch.setattr(module, "ROWS", 33)
    door.asked.clear()
    pd.testing.assert_frame_equal(client.candles(*BTC, start=START), nearest)
    assert len(door.asked) == 4
    assert door.logins == 1


def test_a_window_is_half_open_and_of_utc(door: Door) -> None:
    client = Client(door.url, USER, PASSWORD)
    for start, end in (
        ("2024-01-02", "2024-01-03T01:00:00+01:00"),
        (date(2024, 1, 2), datetime(2024, 1, 3)),  # noqa: DTZ001 - one without a zone is what is tried
        (pd.Timestamp("2024-01-02", tz="UTC"), datetime(2024, 1, 3, tzinfo=UTC)),
    ):
        opened = client.candles(*BTC, start=start, end=end)["opened_at"]
        assert (opened.min(), opened.max(), len(opened)) == (START + 24 * HOUR, START + 47 * HOUR, 24)
    with pytest.raises(ValueError, match="yesterday"):
        client.candles(*BTC, start="yesterday")
    nothing = client.candles(*BTC, start="2017-01-03", end="2017-01-04", untrusted=True)
    assert len(nothing) == 0
    assert str(nothing["opened_at"].dtype) == "datetime64[us, UTC]"


def test_an_answer_that_abstains_raises_and_brings_its_rows_only_to_those_who_insist(
    door: Door, owner: Connection, tmp_path: Path
) -> None:
    owner.execute("delete from market.candle where opened_at = '2024-01-03 07:00Z'")
    client = Client(door.url, USER, PASSWORD)
    with pytest.raises(Abstained, match="2024-01-03 07:00") as raised:
        client.candles(*BTC, start=START)
    assert [reason["code"] for reason in raised.value.reasons] == ["incomplete"]
    doubtful = client.candles(*BTC, start=START, untrusted=True)
    assert len(doubtful) == 99
    assert doubtful.attrs["trust"] == raised.value.trust
    assert doubtful.attrs["trust"]["completeness_percent"] == 99
    sound = client.candles(*BTC, start=START, end="2024-01-03T07:00Z")
    assert sound.attrs["trust"] == {
        "as_of": "2024-01-05T04:10:00+00:00",
        "world": "recorded",
        "verdict": "answered",
        "reasons": [],
        "complete_until": "2024-01-03T07:00:00+00:00",
        "completeness_percent": 100.0,
    }
    sound.to_parquet(tmp_path / "candles.parquet")
    assert pd.read_parquet(tmp_path / "candles.parquet").attrs == sound.attrs


def test_a_page_that_abstains_speaks_for_all(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = iter(["answered", "abstained", "answered"])
    real = module.trust_of

    def trust_of(headers: dict[str, str]) -> dict[str, object]:
        return {**real(headers), "verdict": next(verdicts), "reasons": [{"code": "stale", "text": "late"}]}

    monkeypatch.setattr(module, "ROWS", 40)
    monkeypatch.setattr(module, "trust_of", trust_of)
    found = Client(door.url, USER, PASSWORD).candles(*BTC, start=START, untrusted=True)
    assert (len(found), found.attrs["trust"]["verdict"]) == (100, "abstained")


def test_a_token_that_ran_out_is_fetched_anew_where_there_is_a_password(door: Door) -> None:
    client = Client(door.url, USER, PASSWORD)
    client.candles(*BTC, start=START)
    door.logins += 1
    assert len(client.candles(*BTC, start=START)) == 100
    assert door.logins == 3
    given = Client(door.url, token=door.token)
    assert len(given.candles(*BTC, start=START)) == 100
    door.logins += 1
    with pytest.raises(NotLoggedInError, match="not accepted"):
        given.candles(*BTC, start=START)
    assert door.logins == 4


def test_refusals_say_what_to_do_and_nothing_secret(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    client = Client(door.url, USER, PASSWORD)
    with pytest.raises(UnknownSubjectError, match="binance BTC/USDT") as unknown:
        client.candles("binance", "DOGE/USDT")
    assert (unknown.value.status, unknown.value.kind) == (404, "urn:crypto-market:problem:unknown-subject")
    with pytest.raises(InvalidQuestionError, match="timeframe"):
        client.candles(*BTC, timeframe="7h")
    door.forbidden = True
    with pytest.raises(ForbiddenError) as forbidden:
        client.candles(*BTC, start=START)
    with pytest.raises(NotLoggedInError, match="the login of viewer") as refused:
        Client(door.url, USER, "another password").candles(*BTC, start=START)
    with pytest.raises(NotLoggedInError) as no_token:
        Client(door.url, token="a token").candles(*BTC, start=START)
    said = [repr(each.value) for each in (unknown, forbidden, refused, no_token)] + [repr(client), *capfd.readouterr()]
    assert not [text for text in said if "password" in text.replace("password or token", "") or "a token" in text]
    assert not [text for text in said if door.token in text]


def test_a_warehouse_or_an_airflow_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.api.warehouse.WAIT_SECONDS", 0.2)
    with logged_in("host=127.0.0.1 port=1 dbname=none", NOW) as door:
        with pytest.raises(UnavailableError, match="database-down") as away:
            Client(door.url, USER, PASSWORD).candles(*BTC, start=START)
        assert away.value.status == 503
        url = door.url
    with pytest.raises(UnavailableError, match="does not answer") as gone:
        Client(url, USER, PASSWORD).candles(*BTC, start=START)
    assert gone.value.status is None
    assert PASSWORD not in repr(gone.value)


@contextmanager
def stranger(status: int) -> Iterator[tuple[str, list[str]]]:
    """Address of a server that is no data API and answers everything so; the paths it was asked for."""
    met: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            met.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Tests print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", met
    finally:
        server.shutdown()
        server.server_close()


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with stranger(307) as (url, met), pytest.raises(ApiError, match="points to /elsewhere"):
        Client(url, token="a token").instruments()
    assert met == ["/market/api/v1/instruments?untrusted=false&limit=10000"]


def test_an_answer_of_somebody_else_is_none() -> None:
    with stranger(200) as (url, _), pytest.raises(ApiError, match="not as the data API"):
        Client(url, token="a token").instruments()


@pytest.mark.parametrize(
    "given",
    [
        {"url": "127.0.0.1:8080", "token": "t"},
        {"url": "http://u:p@127.0.0.1:8080", "token": "t"},
        {"url": "http://127.0.0.1:8080"},
        {"url": "http://127.0.0.1:8080", "username": "u"},
        {"url": "http://127.0.0.1:8080", "username": "u", "password": "p", "token": "t"},
    ],
)
def test_a_client_that_could_not_ask_is_not_made(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|give either"):
        Client(**given)
