"""Hooks of the sources: what a connection says becomes the client's base URL, headers and key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from crypto_market.hooks.venues import AlternativeMeHook, BinanceArchiveHook, CoinGeckoHook, KrakenHook, MarketVenueHook
from include.config.markets import VENUES
from include.venues.gate import NO_GATE
from include.venues.registry import MARKET_VENUES

BODIES = {
    "/base/api/v3/time": {"serverTime": 1704067200000},
    "/base/coins/markets": [{"id": "bitcoin", "current_price": 42, "last_updated": "2024-01-01T00:00:00.000Z"}],
    "/base/fng/": {
        "data": [{"value": "50", "value_classification": "Neutral", "timestamp": "1704067200"}],
        "metadata": {"error": None},
    },
}


@pytest.fixture
def source() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A source with a path before its own, and what it was asked: path and headers in lower case."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            asked.append((path, {name.lower(): value for name, value in self.headers.items()}))
            body = json.dumps(BODIES.get(path, {})).encode()
            self.send_response(200 if path in BODIES else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Keep the test's output free of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/base", asked
    server.shutdown()
    server.server_close()
    thread.join()


def connect(monkeypatch: pytest.MonkeyPatch, conn_id: str, url: str, **fields: Any) -> None:
    connection = {"conn_type": "http", "host": url, **fields}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))


def ask_coingecko(hook: CoinGeckoHook) -> None:
    from datetime import UTC, datetime

    assert len(hook.client(NO_GATE).markets(["bitcoin"], datetime(2024, 1, 1, tzinfo=UTC))) == 1


def test_the_connections_host_is_the_base_url(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = source
    connect(monkeypatch, "binance", url)
    connect(monkeypatch, "alternative_me", f"{url}/")
    client: Any = MarketVenueHook("binance").client(NO_GATE)
    assert client.server_time().year == 2024
    assert len(AlternativeMeHook().client(NO_GATE).fear_greed(1)) == 1
    assert [path for path, _ in asked] == ["/base/api/v3/time", "/base/fng/"]
    assert all("crypto-market-airflow" in headers["user-agent"] for _, headers in asked)


def test_a_venue_is_the_connection_of_its_name() -> None:
    assert set(VENUES) <= set(MARKET_VENUES)
    for venue in VENUES:
        assert MarketVenueHook(venue).http_conn_id == venue


def test_files_are_given_more_time_than_pages() -> None:
    assert BinanceArchiveHook.read_timeout_seconds > MarketVenueHook.read_timeout_seconds


def test_krakens_files_lie_where_its_connection_says(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "kraken", "http://127.0.0.1")
    assert KrakenHook().ohlcvt_folder() is None
    connect(monkeypatch, "kraken", "http://127.0.0.1", extra={"ohlcvt_uri": "file:///data/kraken"})
    assert str(KrakenHook().ohlcvt_folder()) == "file:///data/kraken"


def test_what_the_plan_has_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "coingecko", "http://127.0.0.1")
    assert CoinGeckoHook().credits_per_month() is None
    connect(monkeypatch, "coingecko", "http://127.0.0.1", extra={"credits_per_month": 500_000})
    assert CoinGeckoHook().credits_per_month() == 500_000


@pytest.mark.parametrize(("tier", "header"), [("demo", "x-cg-demo-api-key"), ("pro", "x-cg-pro-api-key")])
def test_coingeckos_key_goes_into_its_tiers_header_alone(
    source: Any, monkeypatch: pytest.MonkeyPatch, tier: str, header: str
) -> None:
    url, asked = source
    connect(monkeypatch, "coingecko", url, password="CG-secret", extra={"tier": tier, "limits": [[30, 60]]})
    ask_coingecko(CoinGeckoHook())
    ((path, headers),) = asked
    assert path == "/base/coins/markets"
    assert headers[header] == "CG-secret"
    assert [name for name, value in headers.items() if "secret" in value] == [header]
    assert not {"tier", "limits"} & headers.keys()
    assert "authorization" not in headers


def test_without_a_key_coingecko_is_asked_without_one(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = source
    connect(monkeypatch, "coingecko", url, extra={"tier": "keyless"})
    ask_coingecko(CoinGeckoHook())
    connect(monkeypatch, "coingecko", url)
    ask_coingecko(CoinGeckoHook())
    for _, headers in asked:
        assert not [name for name in headers if "key" in name or name in ("tier", "authorization")]


def test_a_key_without_its_tier_is_refused_before_it_is_sent(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = source
    connect(monkeypatch, "coingecko", url, password="CG-secret")
    with pytest.raises(ValueError, match="do not fit") as raised:
        CoinGeckoHook().client(NO_GATE)
    assert "CG-secret" not in str(raised.value)
    assert asked == []
