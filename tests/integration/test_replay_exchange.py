"""The replay exchange over real HTTP, in both worlds."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import requests

from include.replay.recorded import RecordedWorld
from include.replay.synthetic import SyntheticWorld

HOUR = 3_600_000


Serve = Callable[..., AbstractContextManager[str]]
RECORDED_NOW = datetime(2024, 10, 27, 0, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def recorded(serve: Serve, recorded_world: RecordedWorld) -> Iterator[str]:
    with serve(recorded_world, RECORDED_NOW) as url:
        yield url


@pytest.fixture
def synthetic(serve: Serve) -> Iterator[str]:
    world = SyntheticWorld(7, datetime(2023, 1, 1, tzinfo=UTC))
    with serve(world, datetime(2024, 6, 1, 12, 30, tzinfo=UTC)) as url:
        yield url


def get(url: str, status: int = 200, **params: str | int) -> requests.Response:
    response = requests.get(url, params=params, timeout=10)
    assert response.status_code == status, response.text
    return response


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("interval=1h", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ("symbol=BTCUSDT", -1102, "Mandatory parameter 'interval' was not sent, was empty/null, or malformed."),
        ("symbol=NOPEUSDT&interval=1h", -1121, "Invalid symbol."),
        ("symbol=BTCUSDT&interval=1H", -1120, "Invalid interval."),
        ("symbol=BTCUSDT&interval=1h&startTime=-5", -1100, "Illegal characters found in parameter 'startTime'"),
        ("symbol=btcusdt&interval=1h", -1100, "Illegal characters found in parameter 'symbol'"),
        ("symbol=BTCUSDT&interval=1h&x=1", -1104, "read '2' parameter(s) but was sent '3'."),
        ("symbol=BTCUSDT&interval=1h&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        ("symbol=BTCUSDT&symbol=BTCUSDT&interval=1h", -1101, "Duplicate values for parameter 'symbol'."),
    ],
)
def test_klines_refuse_what_binance_refuses(recorded: str, query: str, code: int, message: str) -> None:
    error = get(f"{recorded}/binance/api/v3/klines?{query}", 400).json()
    assert error["code"] == code
    assert message in error["msg"]


def test_klines_clamp_the_limit_and_take_microseconds(recorded: str) -> None:
    url = f"{recorded}/binance/api/v3/klines"
    assert len(get(url, symbol="BTCUSDT", interval="1h", limit=5000).json()) == 1000
    assert len(get(url, symbol="BTCUSDT", interval="1h").json()) == 500
    micros = get(url, symbol="BTCUSDT", interval="1h", startTime=1704067200000000, limit=2).json()
    assert micros == get(url, symbol="BTCUSDT", interval="1h", startTime=1704067200000, limit=2).json()
    assert [type(value) for value in micros[0]] == [int, *[str] * 5, int, str, int, *[str] * 3]


def test_the_last_kline_is_in_progress_and_moves(synthetic: str) -> None:
    def last() -> list[object]:
        return list(get(f"{synthetic}/binance/api/v3/klines", symbol="ETHUSDT", interval="1h", limit=1).json()[0])

    before = last()
    server_time = get(f"{synthetic}/binance/api/v3/time").json()["serverTime"]
    assert isinstance(before[6], int)
    assert before[6] > server_time
    requests.put(f"{synthetic}/clock", json={"now": "2024-06-01T12:41:00Z"}, timeout=5)
    after = last()
    assert after[0] == before[0]
    assert float(str(after[5])) > float(str(before[5]))
    requests.put(f"{synthetic}/clock", json={"now": "2024-06-01T13:00:00Z"}, timeout=5)
    assert last()[0] == int(str(before[0])) + HOUR


def test_tickers_by_symbol_by_list_and_all(recorded: str) -> None:
    url = f"{recorded}/binance/api/v3/ticker/24hr"
    one = get(url, symbol="BTCUSDT").json()
    several = get(url, symbols='["BNBUSDT","BTCUSDT"]').json()
    assert [ticker["symbol"] for ticker in several] == ["BNBUSDT", "BTCUSDT"]
    assert several[1] == one
    assert one["closeTime"] - one["openTime"] == 24 * HOUR
    assert one["closeTime"] == int(RECORDED_NOW.timestamp() * 1000)
    assert one["lastId"] - one["firstId"] + 1 == one["count"] > 0
    assert float(one["lowPrice"]) <= float(one["weightedAvgPrice"]) <= float(one["highPrice"])
    assert float(one["bidPrice"]) < float(one["askPrice"])
    assert "bidPrice" not in get(url, symbol="BTCUSDT", type="MINI").json()
    assert len(get(url).json()) == 4
    assert get(url, 400, symbols='["BTCUSDT", "BNBUSDT"]').json()["code"] == -1100
    assert get(url, 400, symbols='["BTCUSDT","BTCUSDT"]').json()["code"] == -1151
    assert get(url, 400, symbols='["BTCUSDT"]', symbol="BTCUSDT").json()["code"] == -1128
    price = get(f"{recorded}/binance/api/v3/ticker/price", symbol="BTCUSDT").json()
    assert price == {"symbol": "BTCUSDT", "price": one["lastPrice"]}


def test_exchange_info(recorded: str) -> None:
    info = get(f"{recorded}/binance/api/v3/exchangeInfo", symbols='["ETHUSDT"]').json()
    assert info["rateLimits"][0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 10**6,
    }
    assert [(s["symbol"], s["status"], s["baseAsset"]) for s in info["symbols"]] == [("ETHUSDT", "TRADING", "ETH")]
    assert get(f"{recorded}/binance/api/v3/exchangeInfo", 400, symbols='["ETHUSDT","NOPE"]').json()["code"] == -1121
    assert get(f"{recorded}/binance/api/v3/ping").json() == {}


def test_weight_adds_up_then_429_then_418(serve: Serve) -> None:
    with serve(SyntheticWorld(1, datetime(2024, 1, 1, tzinfo=UTC)), RECORDED_NOW, weight_limit=4) as url:
        answers = [requests.get(f"{url}/binance/api/v3/ticker/price?symbol=BTCUSDT", timeout=5) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 429, 418]
    assert [a.headers["X-MBX-USED-WEIGHT-1M"] for a in answers[:3]] == ["2", "4", "6"]
    assert [a.headers.get("Retry-After") for a in answers] == [None, None, "40", "121"]
    assert answers[3].json() == {"code": -1003, "msg": "Way too much request weight used; IP banned until 740000."}


def test_fear_and_greed_is_text_and_late(recorded: str) -> None:
    answer = get(f"{recorded}/alternative_me/fng/", limit=3).json()
    # At 00:05 of the 27th its value is not out yet, and the 26th is missing for ever.
    days = [datetime.fromtimestamp(int(item["timestamp"]), UTC).date().isoformat() for item in answer["data"]]
    assert days == ["2024-10-25", "2024-10-24", "2024-10-23"]
    assert answer["data"][0]["time_until_update"] == str(24 * 3600 - 330)
    assert set(answer["data"][1]) == {"value", "value_classification", "timestamp"}
    assert answer["metadata"] == {"error": None}
    assert len(get(f"{recorded}/alternative_me/fng/").json()["data"]) == 1
    assert len(get(f"{recorded}/alternative_me/fng/", limit=0).json()["data"]) > 2400
    assert get(f"{recorded}/alternative_me/fng/", 501, date_format="us").json()


def test_simple_price_leaves_out_what_it_does_not_know(recorded: str) -> None:
    url = f"{recorded}/coingecko/api/v3/simple/price"
    answer = get(
        url,
        ids="bitcoin, ethereum,nope",
        vs_currencies="usd,xyz",
        include_last_updated_at="true",
        include_market_cap="true",
    ).json()
    assert list(answer) == ["bitcoin"]
    assert set(answer["bitcoin"]) == {"usd", "usd_market_cap", "last_updated_at"}
    assert 0 <= RECORDED_NOW.timestamp() - answer["bitcoin"]["last_updated_at"] < 60
    assert get(url, ids="bitcoin", vs_currencies="xyz").json() == {"bitcoin": {}}
    assert get(url, ids="nope", vs_currencies="usd").json() == {}


def test_coingeckos_three_shapes_of_errors(recorded: str) -> None:
    base = f"{recorded}/coingecko/api/v3"
    assert get(f"{base}/simple/price", 422, ids="bitcoin").json() == {"error": "Missing parameter vs_currencies"}
    assert get(f"{base}/coins/nope/market_chart", 404, vs_currency="usd", days=1).json() == {"error": "coin not found"}
    too_old = get(f"{base}/coins/bitcoin/market_chart", 401, vs_currency="usd", days="max").json()
    assert too_old["error"]["status"]["error_code"] == 10012
    for key, header, code in (("CG-x", "x-cg-pro-api-key", 10010), ("x", "x-cg-demo-api-key", 10002)):
        refused = requests.get(f"{base}/ping", headers={header: key}, timeout=5).json()
        assert refused["status"]["error_code"] == code
    assert get(f"{base}/ping").json()["gecko_says"]


def test_the_paid_host_wants_its_own_key_and_has_the_whole_history(recorded: str) -> None:
    def pro(path: str, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(f"{recorded}/coingecko_pro/api/v3{path}", headers=named, timeout=5)

    assert pro("/ping").json()["status"]["error_code"] == 10002
    assert pro("/ping", x_cg_demo_api_key="CG-x").json()["status"]["error_code"] == 10011
    assert pro("/ping?x_cg_pro_api_key=CG-x").status_code == 200
    chart = "/coins/bitcoin/market_chart?vs_currency=usd&interval=daily&days="
    whole = pro(chart + "max", x_cg_pro_api_key="CG-x").json()["prices"]
    assert datetime.fromtimestamp(whole[0][0] / 1000, UTC) < datetime(2016, 1, 1, tzinfo=UTC)
    assert all(stamp % (24 * HOUR) == 0 for stamp, _ in whole[:-1])
    assert len(pro(chart + "400", x_cg_pro_api_key="CG-x").json()["prices"]) == 400
    assert get(f"{recorded}/coingecko/api/v3{chart}400", 401).json()["error"]["status"]["error_code"] == 10012


@pytest.mark.parametrize(("days", "hours"), [(1, 0.5), (14, 4), (365, 96)])
def test_candles_of_coins_are_stamped_with_their_close(synthetic: str, days: int, hours: float) -> None:
    url = f"{synthetic}/coingecko/api/v3/coins/bitcoin/ohlc"
    rows = get(url, vs_currency="usd", days=days).json()
    now = datetime(2024, 6, 1, 12, 30, tzinfo=UTC).timestamp() * 1000
    stamps = [row[0] for row in rows]
    assert set(stamps) == set(range(stamps[0], stamps[-1] + 1, int(hours * HOUR)))
    assert stamps[-2] <= now < stamps[-1]
    assert len(rows) == pytest.approx(days * 24 / hours, abs=1)
    assert all(low <= min(opened, close) <= max(opened, close) <= high for _, opened, high, low, close in rows)
    assert get(url, 422, vs_currency="usd", days=3).json() == {"error": "invalid days"}


def test_coins_markets(recorded: str) -> None:
    url = f"{recorded}/coingecko/api/v3/coins/markets"
    coins = get(url, vs_currency="usd", ids="ethereum,bitcoin").json()
    assert [(coin["id"], coin["market_cap_rank"]) for coin in coins] == [("bitcoin", 1), ("ethereum", 2)]
    assert isinstance(coins[0]["current_price"], int)
    assert isinstance(coins[1]["current_price"], float)
    assert coins[1]["max_supply"] is None
    assert coins[0]["last_updated"] == "2024-10-27T00:05:25.330Z"
    assert 19_600_000 < coins[0]["circulating_supply"] < 19_900_000
    assert get(url, vs_currency="usd", page=2).json() == []
    assert get(url, 422, vs_currency="").json() == {"error": "Missing parameter vs_currency"}


def test_market_chart_daily_ends_with_now_and_waits_for_ten_past_midnight(recorded: str) -> None:
    url = f"{recorded}/coingecko/api/v3/coins/bitcoin/market_chart"
    chart = get(url, vs_currency="usd", days=365).json()
    stamps = [point[0] for point in chart["prices"]]
    assert len(stamps) == 365
    assert all(stamp % (24 * HOUR) == 0 for stamp in stamps[:-1])
    assert datetime.fromtimestamp(stamps[-2] / 1000, UTC) == datetime(2024, 10, 26, tzinfo=UTC)
    assert stamps[-1] == int(RECORDED_NOW.timestamp() * 1000)
    assert [len(chart[name]) for name in ("market_caps", "total_volumes")] == [365, 365]


def test_market_chart_hourly_is_not_aligned_and_its_end_is_out_of_order(recorded: str) -> None:
    url = f"{recorded}/coingecko/api/v3/coins/ethereum/market_chart"
    stamps = [point[0] for point in get(url, vs_currency="usd", days=30).json()["prices"]]
    assert 718 <= len(stamps) <= 722
    assert not any(stamp % HOUR == 0 for stamp in stamps[:-2])
    assert 0 < stamps[-2] - stamps[-1] < 1000
    assert stamps[:-2] == sorted(stamps[:-2])
    five = [point[0] for point in get(url, vs_currency="usd", days=1).json()["prices"]]
    assert 287 <= len(five) <= 290


def test_every_answer_names_the_world_and_the_clock_is_told(recorded: str, synthetic: str) -> None:
    for url, world in ((recorded, "recorded"), (synthetic, "synthetic")):
        for path in ("/binance/api/v3/ping", "/alternative_me/fng/", "/coingecko/api/v3/ping", "/health", "/nope"):
            assert requests.get(url + path, timeout=5).headers["X-Replay-World"] == world
        clock = get(f"{url}/clock").json()
        assert clock["world"] == world
    assert get(f"{recorded}/clock").json() == {
        "now": "2024-10-27T00:05:30+00:00",
        "ends_at": "2025-02-01T00:00:00+00:00",
        "world": "recorded",
        "speed": 0.0,
    }


def test_the_clock_refuses_what_cannot_be(synthetic: str) -> None:
    def put(body: str) -> int:
        return requests.put(f"{synthetic}/clock", data=body, timeout=5).status_code

    bad = ['{"now": "2025-01-01T00:00:00"}', '{"then": 1}', "{", "[]", '{"speed": "fast"}', "7"]
    assert [put(body) for body in bad] == [400] * 6
    assert put('{"now": "2020-01-01T00:00:00Z"}') == 409
    assert put('{"speed": -1}') == 409
    assert put('{"speed": 5}') == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("rate_limited", 429),
        ("banned", 418),
        ("geo_blocked", 451),
        ("forbidden", 403),
        ("unavailable", 503),
        ("internal_error", 500),
        ("empty", 200),
        ("cut", 200),
    ],
)
def test_a_fault_hits_the_next_answers_of_one_venue(synthetic: str, kind: str, status: int) -> None:
    wish = {"venue": "coingecko", "kind": kind, "times": 2, "retry_after": 3}
    assert requests.post(f"{synthetic}/faults", json=wish, timeout=5).status_code == 201
    price = f"{synthetic}/coingecko/api/v3/simple/price?ids=bitcoin&vs_currencies=usd"
    assert requests.get(f"{synthetic}/binance/api/v3/ping", timeout=5).json() == {}
    answers = [requests.get(price, timeout=5) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers.get("Retry-After") == ("3" if kind in ("rate_limited", "banned") else None)
    if kind == "cut":
        with pytest.raises(json.JSONDecodeError):
            json.loads(answers[0].content)
    assert "usd" in answers[2].json()["bitcoin"]


def test_a_dropped_connection_and_clearing_of_faults(synthetic: str) -> None:
    wish = {"venue": "binance", "kind": "dropped", "times": 5}
    requests.post(f"{synthetic}/faults", json=wish, timeout=5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"{synthetic}/binance/api/v3/time", timeout=5)
    assert get(f"{synthetic}/faults").json()["binance"] == ["dropped"] * 4
    requests.delete(f"{synthetic}/faults", timeout=5)
    assert "serverTime" in get(f"{synthetic}/binance/api/v3/time").json()
    for bad in (
        {"venue": "nope", "kind": "cut"},
        {"venue": "binance", "kind": "nope"},
        {"kind": "cut"},
        [],
        {**wish, "times": 0},
    ):
        assert requests.post(f"{synthetic}/faults", json=bad, timeout=5).status_code == 400


def test_a_corrected_candle(synthetic: str) -> None:
    def volume() -> float:
        query = "symbol=BTCUSDT&interval=1h&startTime=1704067200000&limit=1"
        return float(get(f"{synthetic}/binance/api/v3/klines?{query}").json()[0][5])

    before = volume()
    wish = {"symbol": "BTCUSDT", "timeframe": "1h", "opened_at": "2024-01-01T00:00:00Z"}
    assert requests.post(f"{synthetic}/revisions", json=wish, timeout=5).status_code == 201
    assert volume() == pytest.approx(before * 1.02)
    assert requests.post(f"{synthetic}/revisions", json={**wish, "symbol": "NOPE"}, timeout=5).status_code == 400


def test_a_backfill_over_real_http_finds_every_hour(synthetic: str) -> None:
    url = f"{synthetic}/binance/api/v3/klines"
    cursor, stop = 0, int(datetime(2024, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)
    opens: list[int] = []
    while cursor < stop:
        rows = get(url, symbol="BNBUSDT", interval="1h", startTime=cursor, endTime=stop - 1, limit=1000).json()
        opens += [row[0] for row in rows]
        cursor = rows[-1][0] + 1
        if rows[-1][6] == stop - 1:
            break
    expected = (datetime(2024, 6, 1, 12, tzinfo=UTC) - datetime(2023, 1, 1, tzinfo=UTC)) // timedelta(hours=1)
    assert len(opens) == len(set(opens)) == expected


def test_coingecko_limits_calls_too(serve: Serve) -> None:
    with serve(SyntheticWorld(1, datetime(2024, 1, 1, tzinfo=UTC)), RECORDED_NOW, weight_limit=1) as url:
        answers = [requests.get(f"{url}/coingecko/api/v3/ping", timeout=5) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["status"]["error_code"] == 429
    assert answers[1].headers["Retry-After"] == "40"
