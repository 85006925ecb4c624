"""Hooks of the sources: what a connection says becomes the client's base URL, headers and key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from crypto_market.hooks.venues import AlternativeMeHook, BinanceHook, CoinGeckoHook
from include.config.markets import MARKETS

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

    assert len(hook.client().markets(["bitcoin"], datetime(2024, 1, 1, tzinfo=UTC))) == 1


def test_the_connections_host_is_the_base_url(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = source
    connect(monkeypatch, "binance", url)
    connect(monkeypatch, "alternative_me", f"{url}/")
    assert BinanceHook().client().server_time().year == 2024
    assert len(AlternativeMeHook().client().fear_greed(1)) == 1
    assert [path for path, _ in asked] == ["/base/api/v3/time", "/base/fng/"]
    assert all("crypto-market-airflow" in headers["user-agent"] for _, headers in asked)


def test_a_markets_venue_is_its_connection(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = source
    connect(monkeypatch, "another", url)
    assert BinanceHook("another").client().server_time().year == 2024
    assert len(asked) == 1
    assert {market.venue for market in MARKETS} == {BinanceHook.default_conn_name}


@pytest.mark.parametrize(("tier", "header"), [("demo", "x-cg-demo-api-key"), ("pro", "x-cg-pro-api-key")])
def test_coingeckos_key_goes_into_its_tiers_header_alone(
    source: Any, monkeypatch: pytest.MonkeyPatch, tier: str, header: str
) -> None:
    url, asked = source
    connect(monkeypatch, "coingecko", url, password="CG-secret", extra={"tier": tier})
    ask_coingecko(CoinGeckoHook())
    ((path, headers),) = asked
    assert path == "/base/coins/markets"
    assert headers[header] == "CG-secret"
    assert [name for name, value in headers.items() if "secret" in value] == [header]
    assert "tier" not in headers
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
        CoinGeckoHook().client()
    assert "CG-secret" not in str(raised.value)
    assert asked == []
