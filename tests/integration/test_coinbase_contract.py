"""The real Coinbase client against its twin over real HTTP: every page edge and habit of the venue."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from starlette.applications import Starlette
from starlette.routing import Mount

from include.candles.model import Candle
from include.candles.timeframes import SECONDS, floor, step
from include.replay import bars as b
from include.replay.bars import Bars, Precision
from include.replay.clock import ReplayClock
from include.replay.coinbase import Coinbase as Twin
from include.replay.coinbase_advanced import CoinbaseAdvanced as AdvancedTwin
from include.replay.current import CurrentBook
from include.replay.recorded import RecordedWorld
from include.replay.request_bucket import RequestBucket
from include.replay.world import ReplayMarket
from include.venues.coinbase import Coinbase
from include.venues.coinbase_advanced import CoinbaseAdvanced
from include.venues.errors import (
    AuthenticationError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
)
from include.venues.http import RequestsTransport, Response, Retry
from tests.conftest import listening

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LISTED = datetime(2019, 11, 5, 13, 37, tzinfo=UTC)
START = datetime(2024, 3, 1, tzinfo=UTC)
NOW = datetime(2024, 3, 3, 10, 20, 30, tzinfo=UTC)
SILENT = (START + 5 * HOUR, START + 8 * HOUR)  # no trade, by the minute
IMPATIENT = Retry(attempts=2, sleep=lambda seconds: None)
UNLIMITED = 10**9


def ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000


def minutes(first: datetime, end: datetime, price: int) -> Bars:
    """Minute bars of [first, end) that rise and fall a little."""
    count = (end - first) // MINUTE
    bars = np.zeros((count, b.WIDTH), dtype=np.int64)
    bars[:, b.OPEN_TIME] = ms(first) + np.arange(count) * 60_000
    bars[:, b.CLOSE_TIME] = bars[:, b.OPEN_TIME] + 59_999
    wave = price * 10**8 + np.arange(count) % 97 * 10**6
    bars[:, b.OPEN], bars[:, b.CLOSE] = wave, wave + 2 * 10**6
    bars[:, b.HIGH], bars[:, b.LOW] = wave + 3 * 10**6, wave - 10**6
    bars[:, b.BASE] = 12_345_679 + np.arange(count) * 1_001
    return bars


class Book:
    """A market that had its first trades on one day of 2019, and then none until 2024; a second one, long dead."""

    def __init__(self) -> None:
        quiet = [minutes(START, SILENT[0], 60_000), minutes(SILENT[1], NOW + DAY, 61_000)]
        self._minutes = {
            "BTC/USD": np.concatenate([minutes(LISTED, LISTED + 3 * HOUR, 9_000), *quiet]),
            "XRP/USD": minutes(LISTED, LISTED + HOUR, 1),
            "NEW/USD": minutes(NOW + HOUR, NOW + DAY, 1),
        }

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        return {s: ReplayMarket(s, s[:3], "USD", Precision(10**6, 1)) for s in self._minutes}

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        bars = b.fold(self._minutes[symbol], b.STEP_MS[timeframe])
        page = bars[(bars[:, b.OPEN_TIME] >= start_ms) & (bars[:, b.OPEN_TIME] < end_ms)]
        return page[max(0, len(page) - limit) :] if newest else page[:limit]

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return None if timeframe == "1m" else "1m"

    def expected(self, timeframe: str, start: datetime, end: datetime) -> list[int]:
        """Open times (ms) of the candles that are in [start, end) and closed at NOW."""
        end = min(end, floor(NOW, timeframe))
        return self.closed("BTC/USD", timeframe, ms(start), ms(end), UNLIMITED, False)[:, b.OPEN_TIME].tolist()  # type: ignore[no-any-return]


BOOK = Book()


@contextmanager
def exchange(
    bucket: tuple[float, int] = (UNLIMITED, UNLIMITED),
    without: str = "",
    world: RecordedWorld | None = None,
    now: datetime = NOW,
) -> Iterator[str]:
    """Both twins on a server of their own, over BOOK or a world's; the interface named by `without` is not there."""
    clock = ReplayClock(now, speed=0)
    book = CurrentBook(world.book("coinbase"), clock) if world else BOOK
    twins = {"coinbase": Twin, "coinbase_advanced": AdvancedTwin}
    # A clock that stands still: what is in the bucket at the start is all there is.
    mounts = [
        Mount(f"/{name}", routes=twin(book, clock, RequestBucket(*bucket, seconds=lambda: 0.0)).routes())
        for name, twin in twins.items()
        if name != without
    ]
    with listening(Starlette(routes=mounts)) as url:
        yield url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with exchange() as base:
        yield base


class Watched:
    """A transport that keeps what was asked and answered; `down`: no answer comes."""

    def __init__(self, base: str, down: bool = False) -> None:
        self._transport = RequestsTransport(base)
        self._down = down
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Response] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        self.asked.append((path, dict(params or {})))
        if self._down:
            raise UnavailableError("test", "connection refused")
        self.answers.append(self._transport.get(path, params, headers))
        return self.answers[-1]


class Client:
    """A client whose two connections can be looked at."""

    def __init__(self, url: str, down: bool = False) -> None:
        self.exchange = Watched(f"{url}/coinbase", down)
        self.advanced = Watched(f"{url}/coinbase_advanced")
        second = CoinbaseAdvanced(self.advanced, IMPATIENT)
        self.venue = Coinbase(self.exchange, IMPATIENT, advanced=second)

    def candles(self, timeframe: str, start: datetime, end: datetime) -> list[Candle]:
        """Candles of all pages, after checking that the pages follow one another and refuse nothing."""
        pages = list(self.venue.candles("BTC-USD", timeframe, start, end, NOW))
        assert [page.rejected for page in pages] == [[]] * len(pages)
        for before, after in pairwise(pages):
            assert before.end == after.start
        if pages:
            assert (pages[0].start, pages[-1].end) == (start, min(end, floor(NOW, timeframe)))
        return [candle for page in pages for candle in page.candles]


def opens(candles: list[Candle]) -> list[int]:
    return [ms(candle.opened_at) for candle in candles]


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "1d"])
def test_every_timeframe_comes_whole_in_order_and_without_the_candle_in_progress(url: str, timeframe: str) -> None:
    client = Client(url)
    got = client.candles(timeframe, START, NOW + DAY)
    assert opens(got) == BOOK.expected(timeframe, START, NOW + DAY)
    asked_advanced = any("candles" in path for path, _ in client.advanced.asked)
    assert asked_advanced == (timeframe in ("30m", "2h", "4h"))


@pytest.mark.parametrize("buckets", [1, 2, 3, 289, 290, 291, 579, 580, 581])
@pytest.mark.parametrize("down", [False, True], ids=["exchange", "advanced"])
def test_every_page_edge(url: str, buckets: int, down: bool) -> None:
    client = Client(url, down)
    for shift in range(3):  # how many candles the venue sends from before the start depends on it
        start = START + 9 * HOUR + shift * MINUTE
        got = client.candles("1m", start, start + buckets * MINUTE)
        assert opens(got) == [ms(start + number * MINUTE) for number in range(buckets)]


def test_a_window_is_asked_for_with_inclusive_ends_and_never_more_than_the_venue_takes(url: str) -> None:
    client = Client(url)
    client.candles("1m", START, START + 291 * MINUTE)
    asked = sorted(client.exchange.asked, key=lambda request: str(request[1]["start"]))  # two at once
    assert asked == [
        (
            "/products/BTC-USD/candles",
            {"granularity": 60, "start": "2024-03-01T00:00:00Z", "end": "2024-03-01T04:49:00Z"},
        ),
        # a window of one candle: the venue's start must lie before its end
        (
            "/products/BTC-USD/candles",
            {"granularity": 60, "start": "2024-03-01T04:49:00Z", "end": "2024-03-01T04:50:00Z"},
        ),
    ]


def test_what_the_venue_sends_from_before_the_start_is_left_out(url: str) -> None:
    client = Client(url)
    start = START + 2 * HOUR + 2 * MINUTE
    got = client.candles("1m", start, start + 10 * MINUTE)
    assert opens(got)[0] == ms(start)
    rows = json.loads(client.exchange.answers[0].body)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert rows[-1][0] * 1000 < ms(start)


def test_an_hour_without_trades_has_no_candle_and_a_page_without_candles_is_evidence(url: str) -> None:
    hours = [candle.opened_at.hour for candle in Client(url).candles("1h", START, START + DAY)]
    assert hours == [hour for hour in range(24) if hour not in (5, 6, 7)]
    (page,) = Client(url).venue.candles("BTC-USD", "1m", *SILENT, NOW)
    assert (page.candles, page.rejected, page.start, page.end) == ([], [], *SILENT)
    assert len(page.response_sha256) == 64
    assert "/products/BTC-USD/candles?granularity=60" in page.request


def test_years_without_trades_do_not_end_a_backfill(url: str) -> None:
    got = Client(url).candles("1d", LISTED.replace(hour=0, minute=0), NOW)
    assert [candle.opened_at.date().isoformat() for candle in got] == ["2019-11-05", "2024-03-01", "2024-03-02"]


def test_figures_are_those_of_the_wire_digit_by_digit(url: str) -> None:
    client = Client(url)
    got = client.candles("1m", START, START + 100 * MINUTE)
    wire = [row.split(",") for row in client.exchange.answers[0].body.decode()[2:-2].split("],[")]
    assert [Decimal(row[5]) for row in reversed(wire)] == [candle.base_volume for candle in got]
    assert [[Decimal(text) for text in (row[3], row[2], row[1], row[4])] for row in reversed(wire)] == [
        [candle.open, candle.high, candle.low, candle.close] for candle in got
    ]
    noisy = [candle.base_volume for candle in got if candle.base_volume != round(candle.base_volume, 8)]
    assert len(noisy) in range(20, 40)
    assert {(c.quote_volume, c.trade_count, c.vwap) for c in got} == {(None, None, None)}


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_while_exchange_is_down_advanced_trade_gives_the_same_candles(url: str, timeframe: str) -> None:
    down = Client(url, down=True)
    assert down.candles(timeframe, START, NOW) == Client(url).candles(timeframe, START, NOW)
    pages = list(down.venue.candles("BTC-USD", timeframe, START, NOW, NOW))
    assert {page.source for page in pages} == {"coinbase-advanced"}
    assert {page.source for page in Client(url).venue.candles("BTC-USD", "1h", START, NOW, NOW)} == {"coinbase-rest"}


def test_once_down_exchange_is_not_asked_again_within_the_call(url: str) -> None:
    client = Client(url, down=True)
    client.candles("1m", START, NOW)
    assert len(client.exchange.asked) == IMPATIENT.attempts


def test_where_both_are_down_the_first_ones_outage_is_told() -> None:
    with exchange(without="coinbase_advanced") as url, pytest.raises(UnavailableError, match="refused") as caught:
        Client(url, down=True).candles("1h", START, NOW)
    assert caught.value.venue == "coinbase"


def test_a_refusal_is_no_outage_and_asks_no_second_source(url: str) -> None:
    client = Client(url)
    with pytest.raises(UnknownSymbolError, match="NotFound"):
        list(client.venue.candles("ABC-USD", "1h", START, START + DAY, NOW))
    assert client.advanced.asked == []
    with pytest.raises(UnknownSymbolError, match="ABC-USD not found"):
        list(client.venue.candles("ABC-USD", "4h", START, START + DAY, NOW))


def test_the_first_candle_is_found_by_days_then_within_its_day(url: str) -> None:
    client = Client(url)
    assert client.venue.first_open("BTC-USD", "1d", NOW) == datetime(2019, 11, 5, tzinfo=UTC)
    assert len(client.exchange.asked) == 6  # 290 days a time from 2015-07-20 on
    for timeframe in SECONDS.keys() - {"12h"}:
        assert client.venue.first_open("BTC-USD", timeframe, NOW) == LISTED - (
            LISTED - datetime(2019, 11, 5, tzinfo=UTC)
        ) % step(timeframe)
    with pytest.raises(UnknownSymbolError):
        client.venue.first_open("NEW-USD", "1h", NOW)


def test_windows_before_the_venues_time_are_empty_not_errors(url: str) -> None:
    start = datetime(2012, 11, 1, tzinfo=UTC)
    assert Client(url).candles("1d", start, start + 30 * DAY) == []
    assert requests.get(
        f"{url}/coinbase/products/BTC-USD/candles?granularity=86400&start=2012-01-01&end=2012-02-01", timeout=5
    ).json() == {"message": "End is too old"}


def test_a_listing_is_found_by_its_currencies(url: str) -> None:
    venue = Client(url).venue
    assert venue.listing("BTC/USD") == ("BTC/USD", "BTC-USD", "online", True)
    for unlisted in ("BTC/EUR", "NEW/USD", "BTCUSD"):
        with pytest.raises(UnknownSymbolError):
            venue.listing(unlisted)


def test_a_live_ticker_is_taken_and_a_dead_one_refused(url: str) -> None:
    tickers = Client(url).venue.tickers(["BTC-USD", "XRP-USD"], NOW)
    (ticker,) = tickers
    day = BOOK.closed("BTC/USD", "1m", ms(NOW.replace(second=0) - DAY), ms(NOW), UNLIMITED, False)
    assert (ticker.symbol, ticker.observed_at) == ("BTC-USD", NOW)
    assert ticker.high_24h is not None
    assert int(ticker.high_24h.scaleb(8)) in (int(day[:, b.HIGH].max()), int(day[:-1, b.HIGH].max()))
    assert ticker.ask is not None
    assert ticker.bid is not None
    assert 0 < ticker.bid < ticker.ask
    assert (ticker.quote_volume_24h, ticker.change_percent_24h, ticker.trade_count_24h) == (None, None, None)
    (dead,) = tickers.rejected
    assert dead.reason in ("ticker is stale", "ticker without trades")
    assert json.loads(dead.raw)["symbol"] == "XRP-USD"
    with pytest.raises(NoDataError):
        Client(url).venue.tickers(["XRP-USD"], NOW)
    with pytest.raises(UnknownSymbolError):
        Client(url).venue.tickers(["BTC-USD", "ABC-USD"], NOW)


def test_a_burst_beyond_the_limit_is_refused_in_plain_text() -> None:
    with exchange(bucket=(10, 15)) as url:
        client = Client(url)
        with pytest.raises(RateLimitedError, match="Too many requests") as caught:
            client.candles("1m", START - 5 * DAY, NOW)
        assert caught.value.retry_after_seconds is None
        welcome, refused = ([a for a in client.exchange.answers if a.status == status] for status in (200, 429))
        assert len(welcome) == 15
        assert 1 <= len(refused) <= 2  # two are under way at once, and nothing is asked after the refusal
        assert refused[0].headers["Content-Type"].startswith("text/plain")
        assert client.advanced.asked == []


CANDLES = "coinbase/products/BTC-USD/candles"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("granularity=1800", "Unsupported granularity"),
        ("granularity=3600&start=2024-03-02&end=2024-03-01", "start must be before end"),
        ("granularity=60&start=2024-03-01T00:00:00Z&end=2024-03-01T05:00:00Z", "exceeds 300"),
        ("granularity=60&start=yesterday&end=2024-03-01", "Invalid start"),
    ],
)
def test_the_twin_refuses_what_the_venue_refuses(url: str, query: str, message: str) -> None:
    answer = requests.get(f"{url}/{CANDLES}?{query}", timeout=5)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_the_twin_ignores_one_bound_alone_and_shows_the_candle_in_progress(url: str) -> None:
    latest = requests.get(f"{url}/{CANDLES}?granularity=3600", timeout=5).json()
    one = requests.get(f"{url}/{CANDLES}?granularity=3600&start=2024-03-01T00:00:00Z", timeout=5).json()
    assert one == latest
    assert latest[0][0] * 1000 == ms(NOW.replace(minute=0, second=0))
    seconds = requests.get(f"{url}/{CANDLES}?granularity=3600&start=1709251200&end=2024-03-01T03:00:00Z", timeout=5)
    assert len(seconds.json()) == 4
    future = requests.get(f"{url}/{CANDLES}?granularity=3600&start=2031-03-01&end=2031-03-02", timeout=5)
    assert (future.status_code, future.json()) == (200, [])


ADVANCED = "coinbase_advanced/api/v3/brokerage"


def test_advanced_trade_wants_its_parameters_and_its_path(url: str) -> None:
    def ask(path: str, **params: str) -> requests.Response:
        return requests.get(f"{url}/{ADVANCED}/{path}", params=params, timeout=5)

    window = {"start": "1709251200", "end": "1709254800", "granularity": "ONE_HOUR"}
    good = ask("market/products/BTC-USD/candles", **window).json()["candles"]
    assert [candle["start"] for candle in good] == ["1709254800", "1709251200"]
    assert {type(value) for candle in good for value in candle.values()} == {str}
    for name in window:
        partial = {key: value for key, value in window.items() if key != name}
        refused = ask("market/products/BTC-USD/candles", **partial)
        assert (refused.status_code, refused.json()["error"]) == (400, "INVALID_ARGUMENT")
    wide = window | {"granularity": "ONE_MINUTE", "end": str(1709251200 + 299 * 60)}
    assert "less than 300" in ask("market/products/BTC-USD/candles", **wide).json()["message"]
    assert len(ask("market/products/BTC-USD/candles", limit="1", **window).json()["candles"]) == 1
    assert ask("products/BTC-USD/candles", **window).status_code == 401
    assert ask("market/products/ABC-USD/candles", **window).json()["error"] == "NOT_FOUND"
    assert ask("market/products").json()["num_products"] == 2
    assert ask("market/products/BTC-USD").json()["alias_to"] == ["BTC-USDC"]
    assert ask("market/products/BTC-USD/ticker").status_code == 400
    assert ask("market/products/BTC-USD/ticker", limit="1").json()["trades"][0]["product_id"] == "BTC-USD"


def test_a_path_without_market_is_a_missing_key_to_the_client(url: str) -> None:
    class Elsewhere(Watched):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            return super().get(path.replace("/market/", "/"), params, headers)

    venue = Coinbase(
        Watched(f"{url}/coinbase"), IMPATIENT, advanced=CoinbaseAdvanced(Elsewhere(f"{url}/coinbase_advanced"))
    )
    with pytest.raises(AuthenticationError):
        list(venue.candles("BTC-USD", "4h", START, START + DAY, NOW))


def test_what_the_venue_refuses_is_told_with_its_words(url: str) -> None:
    class TooWide(Watched):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            return super().get(path, params | {"end": "2024-03-02T00:00:00Z"} if params else None, headers)

    with pytest.raises(RequestRejectedError, match="granularity too small"):
        list(Coinbase(TooWide(f"{url}/coinbase")).candles("BTC-USD", "1m", START, START + HOUR, NOW))


def test_recorded_candles_arrive_as_they_were_recorded(recorded_world: RecordedWorld, market_data_dir: Path) -> None:
    recorded = pd.read_parquet(market_data_dir / "coinbase/ohlcv_1h/BTCUSD_2024.parquet").set_index("open_time")
    with exchange(world=recorded_world, now=recorded_world.ends_at) as url:
        client = Client(url)
        first = client.venue.first_open("BTC-USD", "1h", recorded_world.ends_at)
        pages = list(client.venue.candles("BTC-USD", "1h", first, recorded_world.ends_at, recorded_world.ends_at))
        down = list(
            Client(url, down=True).venue.candles("BTC-USD", "1h", first, first + 30 * DAY, recorded_world.ends_at)
        )
    candles = [candle for page in pages for candle in page.candles]
    assert opens(candles) == recorded.index.tolist()
    prices = [[float(figure) for figure in candle[1:5]] for candle in candles]
    assert prices == recorded[["open", "high", "low", "close"]].to_numpy().tolist()
    volumes = [round(float(candle.base_volume), 8) for candle in candles]
    assert volumes == pytest.approx(recorded["volume"].tolist(), abs=1e-8)
    assert [candle for page in down for candle in page.candles] == candles[: 30 * 24]


def test_the_list_of_products_is_never_empty_however_early(url: str) -> None:
    names = {entry["id"] for entry in requests.get(f"{url}/coinbase/products", timeout=5).json()}
    assert {"USDT-EUR", "BTC-USD"} <= names
