"""The plan of faults and the account of requests over real HTTP, at every host."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from include.replay.fault_answers import ANSWERED, HOSTS
from include.replay.request_bucket import RequestBucket
from include.replay.synthetic import SyntheticWorld

Serve = Callable[..., AbstractContextManager[str]]
NOW = datetime(2024, 6, 3, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
# A question each host answers with JSON, or a file.
PATHS = {
    "binance": "/binance/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=50",
    "binance_archive": "/binance_archive/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-04.zip.CHECKSUM",
    "kraken": "/kraken/0/public/OHLC?pair=XBTUSD&interval=60",
    "coinbase": "/coinbase/products/BTC-USD/candles?granularity=3600",
    "coinbase_advanced": "/coinbase_advanced/api/v3/brokerage/market/products/BTC-USD/candles"
    "?granularity=ONE_HOUR&start=1717322400&end=1717416000",
    "coingecko": "/coingecko/api/v3/simple/price?ids=bitcoin&vs_currencies=usd",
    "coingecko_pro": "/coingecko_pro/api/v3/ping",
    "alternative_me": "/alternative_me/fng/",
}


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, datetime(2024, 1, 1, tzinfo=UTC))


@pytest.fixture
def exchange(serve: Serve, world: SyntheticWorld) -> Iterator[str]:
    with serve(world, NOW) as url:
        yield url


def plan(exchange: str, hosts: dict[str, Any], seed: int = 7) -> None:
    wish = {"seed": seed, "hosts": hosts}
    requests.post(f"{exchange}/fault_plan", json=wish, timeout=5).raise_for_status()


def ask(exchange: str, host: str, path: str = "") -> requests.Response:
    headers = {"x-cg-pro-api-key": "CG-test"} if host == "coingecko_pro" else {}
    return requests.get(exchange + (path or PATHS[host]), headers=headers, timeout=5)


def account(exchange: str, what: str = "requests") -> Any:
    return requests.get(f"{exchange}/{what}", timeout=5).json()


def opens(exchange: str, host: str) -> list[int]:
    """Open times (epoch seconds) of the hours a host answers with, as they stand in the answer, oldest first."""
    answer = ask(exchange, host).json()
    match host:
        case "binance":
            return [row[0] // 1000 for row in answer]
        case "kraken":
            return [row[0] for row in answer["result"]["XXBTZUSD"]]
        case "coinbase":
            return [row[0] for row in answer[::-1]]
    return [int(row["start"]) for row in answer["candles"][::-1]]


def test_every_host_is_served_and_the_hosts_of_faults_are_these(exchange: str) -> None:
    assert set(PATHS) == set(HOSTS)
    for host in HOSTS:
        answer = ask(exchange, host)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Replay-World"] == "synthetic"
        assert parsedate_to_datetime(answer.headers["Date"]) == NOW


@pytest.mark.parametrize("host", HOSTS)
def test_each_kind_of_refusal_looks_as_the_hosts_own(exchange: str, host: str) -> None:
    plan(exchange, {host: {kind: {"at": [n], "retry_after": 7} for n, kind in enumerate(ANSWERED, 1)}})
    answers = {kind: ask(exchange, host) for kind in ANSWERED}
    statuses = {kind: answer.status_code for kind, answer in answers.items()}
    krakens = {"rate_limited": 200, "internal_error": 200} if host == "kraken" else {}
    assert statuses == {
        "rate_limited": 429,
        "banned": 418,
        "geo_blocked": 451,
        "forbidden": 403,
        "unavailable": 503,
        "internal_error": 500,
        "cloudflare_520": 520,
        "empty": 404 if host == "binance_archive" else 200,
        **krakens,
    }
    assert answers["banned"].headers["Retry-After"] == "7"
    told = answers["rate_limited"].headers.get("Retry-After")
    assert told == (None if host in ("kraken", "coinbase", "coinbase_advanced") else "7")
    if host == "kraken":
        assert answers["rate_limited"].json() == {"error": ["EAPI:Rate limit exceeded"]}
    for kind in ("forbidden", "unavailable", "cloudflare_520"):
        assert answers[kind].headers["Content-Type"].startswith("text/html")
        assert answers[kind].text.startswith("<!DOCTYPE")
    assert answers["geo_blocked"].headers["X-Replay-World"] == "synthetic"
    assert ask(exchange, host).status_code == 200
    done = account(exchange, "fault_plan")["hosts"][host]
    assert done["requests"] == len(ANSWERED) + 1
    assert done["done"] == dict.fromkeys(ANSWERED, 1)
    seen = account(exchange)[host]
    assert seen["refused"] == {"418": 0, "429": 0}
    assert seen["refused_by_faults"] == {"418": 1, "429": 1}


def test_broken_bodies_and_slow_answers(exchange: str) -> None:
    kinds = {"cut": {"at": [1]}, "malformed": {"at": [2]}, "slow": {"at": [3], "seconds": 0.3}, "dropped": {"at": [4]}}
    plan(exchange, {"coinbase": kinds})
    for _ in ("cut", "malformed"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(ask(exchange, "coinbase").content)
    slow = ask(exchange, "coinbase")
    assert slow.elapsed > timedelta(seconds=0.29)
    assert slow.json()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(exchange, "coinbase")
    assert ask(exchange, "coinbase").elapsed < timedelta(seconds=0.29)


def test_the_next_answers_on_demand_come_before_the_plan(exchange: str) -> None:
    plan(exchange, {"binance": {"banned": 1.0}})
    wish = {"venue": "binance", "kind": "slow", "seconds": 0.01}
    requests.post(f"{exchange}/faults", json=wish, timeout=5).raise_for_status()
    assert [ask(exchange, "binance").status_code for _ in range(3)] == [200, 418, 418]
    last = requests.delete(f"{exchange}/fault_plan", timeout=5).json()
    assert last["hosts"]["binance"]["done"] == {"banned": 3}
    assert ask(exchange, "binance").status_code == 200
    assert account(exchange, "fault_plan")["hosts"] == {}


def test_a_plan_that_cannot_be_is_refused(exchange: str) -> None:
    for body in ("{", "[]", '{"hosts": {"nope": {}}}', '{"hosts": {"kraken": {"banned": 2}}}'):
        answer = requests.post(f"{exchange}/fault_plan", data=body, timeout=5)
        assert (answer.status_code, "error" in answer.json()) == (400, True)


@pytest.mark.parametrize("host", ["binance", "kraken", "coinbase", "coinbase_advanced"])
def test_faults_of_data_reach_the_candles_of_every_venue(exchange: str, host: str) -> None:
    whole = opens(exchange, host)
    closed = int(NOW.timestamp()) // 3600 * 3600 - 3600
    assert closed in whole
    hole = {"starts_at": "2024-06-03T02:00:00Z", "ends_at": "2024-06-03T05:00:00Z", "answers": 1}
    plan(exchange, {host: {"late": {"seconds": 60}, "hole": hole}})
    in_hole = set(range(closed - 9 * 3600, closed - 6 * 3600, 3600))
    missing = set(whole) - set(opens(exchange, host))
    assert missing == {closed} | in_hole
    assert set(whole) - set(opens(exchange, host)) == {closed}
    requests.put(f"{exchange}/clock", json={"now": (NOW + timedelta(minutes=1)).isoformat()}, timeout=5)
    assert opens(exchange, host) == whole


def test_a_delisted_market_is_unknown_to_its_venue(exchange: str) -> None:
    wish = {"symbols": ["BTC/USD"], "starts_at": NOW.isoformat()}
    plan(exchange, {host: {"delisted": wish} for host in ("kraken", "coinbase", "coinbase_advanced")})
    assert ask(exchange, "kraken").json()["error"] == ["EQuery:Unknown asset pair"]
    assert [ask(exchange, host).status_code for host in ("coinbase", "coinbase_advanced")] == [404, 404]
    plan(exchange, {"binance": {"delisted": {**wish, "symbols": ["BTCUSDT"]}}})
    assert ask(exchange, "binance").json()["code"] == -1121
    assert ask(exchange, "kraken").json()["error"] == []


def test_a_venues_clock_may_be_wrong(exchange: str) -> None:
    hosts = ("binance", "kraken", "coinbase", "coinbase_advanced", "coingecko")
    plan(exchange, {host: {"clock_skew": {"seconds": 90}} for host in hosts})
    ahead = NOW + timedelta(seconds=90)
    for host in hosts:
        assert parsedate_to_datetime(ask(exchange, host).headers["Date"]) == ahead
    epoch = int(ahead.timestamp())
    assert ask(exchange, "binance", "/binance/api/v3/time").json() == {"serverTime": epoch * 1000}
    kraken = ask(exchange, "kraken", "/kraken/0/public/Time").json()["result"]
    assert kraken["unixtime"] == epoch
    assert parsedate_to_datetime(kraken["rfc1123"]) == ahead
    exchange_time = ask(exchange, "coinbase", "/coinbase/time").json()
    assert exchange_time["epoch"] == epoch
    assert datetime.fromisoformat(exchange_time["iso"]) == ahead
    advanced = ask(exchange, "coinbase_advanced", "/coinbase_advanced/api/v3/brokerage/time").json()
    assert (advanced["epochSeconds"], advanced["epochMillis"]) == (str(epoch), str(epoch * 1000))
    assert opens(exchange, "binance")[-1] == int(NOW.timestamp()) // 3600 * 3600


def test_files_of_the_archive_have_a_wrong_checksum_or_are_replaced_later(exchange: str) -> None:
    name = PATHS["binance_archive"].removesuffix(".CHECKSUM")

    def file() -> tuple[bytes, bool]:
        body, told = ask(exchange, "binance_archive", name).content, ask(exchange, "binance_archive").text.split()[0]
        return body, hashlib.sha256(body).hexdigest() == told

    whole, fits = file()
    assert fits
    plan(exchange, {"binance_archive": {"truncated": {"until_request": 3}, "wrong_checksum": {"at": [6]}}})
    early, fits = file()
    assert fits
    assert len(early) < len(whole) / 2
    assert file() == (whole, True)
    assert file() == (whole, False)
    assert file() == (whole, True)


def test_the_account_tells_who_went_over_a_budget(serve: Serve, world: SyntheticWorld) -> None:
    with serve(world, NOW, weight_limit=20, kraken_bucket=RequestBucket(0.01, 2)) as url:
        for _ in range(11):
            ask(url, "binance")
        for _ in range(3):
            ask(url, "kraken")
        ask(url, "binance", "/binance/api/v3/exchangeInfo")
        seen = account(url)
    binance = seen["binance"]
    assert (binance["requests"], binance["weight"], binance["most_weight_in_a_minute"]) == (12, 42, 42)
    assert binance["refused"] == {"429": 1, "418": 1}
    assert binance["too_early"] == 1
    assert seen["kraken"]["refused"]["429"] == 1
    assert "coinbase" not in seen


def test_a_correction_may_be_of_any_venue(exchange: str) -> None:
    def volume() -> float:
        rows = ask(exchange, "kraken").json()["result"]["XXBTZUSD"]
        return float(next(row[6] for row in rows if row[0] == 1717398000))

    before = volume()
    wish = {"venue": "kraken", "symbol": "BTC/USD", "timeframe": "1h", "opened_at": "2024-06-03T07:00:00Z"}
    assert requests.post(f"{exchange}/revisions", json=wish, timeout=5).status_code == 201
    assert volume() == pytest.approx(before * 1.02)
    for bad in ({**wish, "venue": "nope"}, {**wish, "symbol": "BTCUSDT"}, {**wish, "timeframe": "7h"}):
        assert requests.post(f"{exchange}/revisions", json=bad, timeout=5).status_code == 400
