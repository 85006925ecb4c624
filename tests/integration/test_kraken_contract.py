"""The real Kraken clients against their twin over real HTTP: every page edge and habit of the venue."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
import requests
from starlette.applications import Starlette
from starlette.routing import Mount

from include.candles.model import Candle
from include.candles.timeframes import ceil, floor, step
from include.replay import bars as b
from include.replay.bars import STEP_MS, Bars, Precision
from include.replay.clock import ReplayClock
from include.replay.kraken import Kraken as Twin
from include.replay.request_bucket import RequestBucket
from include.replay.synthetic import SyntheticWorld
from include.replay.world import ReplayMarket
from include.venues.capabilities import CAPABILITIES
from include.venues.errors import (
    OutOfReachError,
    RateLimitedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.http import RequestsTransport, Response, Retry
from include.venues.kraken import Kraken
from include.venues.kraken_trades import KrakenTrades
from include.venues.model import CandlePage
from include.venues.registry import market_venue
from tests.conftest import listening

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LISTED = datetime(2024, 1, 2, 13, 37, tzinfo=UTC)
NOW = datetime(2024, 3, 3, 10, 20, 30, tzinfo=UTC)
SILENT = (datetime(2024, 3, 2, 5, tzinfo=UTC), datetime(2024, 3, 2, 8, tzinfo=UTC))  # no trade
YOUNG = NOW - 3 * HOUR
IMPATIENT = Retry(attempts=2, sleep=lambda seconds: None)
UNLIMITED = 10**9
BTC, ETH, NEW = "XXBTZUSD", "XETHZUSD", "NEWUSD"


def ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000


def minutes(first: datetime, end: datetime, price: int, trades: int) -> Bars:
    """Minute bars of [first, end) that rise and fall by turns; every seventh minute has no trade."""
    count = (end - first) // MINUTE
    bars = np.zeros((count, b.WIDTH), dtype=np.int64)
    bars[:, b.OPEN_TIME] = ms(first) + np.arange(count) * 60_000
    bars[:, b.CLOSE_TIME] = bars[:, b.OPEN_TIME] + 59_999
    wave = price * 10**8 + np.arange(count) % 97 * 10**7
    falls = np.arange(count) % 5 == 0
    bars[:, b.OPEN], bars[:, b.CLOSE] = wave + falls * 2 * 10**7, wave + ~falls * 2 * 10**7
    bars[:, b.HIGH], bars[:, b.LOW] = wave + 3 * 10**7, wave - 10**7
    bars[:, b.BASE] = 12_345_679 + np.arange(count) * 1_001
    bars[:, b.TRADES] = trades
    return bars[np.arange(count) % 7 != 3]


class Book:
    """A market of two months with some silent hours, one listed three hours ago, and one of the future."""

    def __init__(self) -> None:
        self._minutes = {
            "BTC/USD": np.concatenate(
                [minutes(LISTED, SILENT[0], 60_000, 1), minutes(SILENT[1], NOW + DAY, 61_000, 12)]
            ),
            "ETH/USD": minutes(LISTED, NOW + DAY, 3_000, 5),
            "NEW/USD": minutes(YOUNG, NOW + DAY, 7, 5),
            "SOON/USD": minutes(NOW + HOUR, NOW + DAY, 1, 5),
        }

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        return {s: ReplayMarket(s, s.split("/")[0], "USD", Precision(10**7, 1)) for s in self._minutes}

    @cache  # noqa: B019  there is one for all tests
    def _folded(self, symbol: str, timeframe: str) -> Bars:
        return b.fold(self._minutes[symbol], STEP_MS[timeframe])

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        bars = self._folded(symbol, timeframe)
        page = bars[(bars[:, b.OPEN_TIME] >= start_ms) & (bars[:, b.OPEN_TIME] < end_ms)]
        return page[max(0, len(page) - limit) :] if newest else page[:limit]

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return None if timeframe == "1m" else "1m"

    def expected(self, symbol: str, timeframe: str, start: datetime, end: datetime) -> list[list[int]]:
        """`[open time in ms, open, high, low, close, base]` of the candles in [start, end) that are closed at NOW."""
        end = min(end, floor(NOW, timeframe))
        found = self.closed(symbol, timeframe, ms(start), ms(end), UNLIMITED, False)
        return found[:, b.OPEN_TIME : b.BASE + 1].tolist()  # type: ignore[no-any-return]


BOOK = Book()


@contextmanager
def exchange(burst: int = UNLIMITED, **options: Any) -> Iterator[str]:
    """The twin on a server of its own, with a clock that stands still."""
    # What is in the bucket at the start is all there is.
    bucket = RequestBucket(1, burst, seconds=lambda: 0.0)
    twin = Twin(BOOK, ReplayClock(NOW, speed=0), bucket, **options)
    app = Starlette(routes=[Mount("/kraken", routes=twin.routes())])
    with listening(app) as url:
        yield f"{url}/kraken"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with exchange() as base:
        yield base


class Watched:
    """A transport that keeps what was asked and answered."""

    def __init__(self, base: str) -> None:
        self._transport = RequestsTransport(base)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Response] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        self.asked.append((path.rsplit("/", 1)[1], dict(params or {})))
        self.answers.append(self._transport.get(path, params, headers))
        return self.answers[-1]


def units(candle: Candle) -> list[int]:
    return [ms(candle.opened_at), *(int(figure * 10**8) for figure in candle[1:6])]


def collected(pages: Iterator[CandlePage]) -> tuple[list[CandlePage], VenueError | None]:
    given: list[CandlePage] = []
    try:
        given.extend(pages)
    except VenueError as error:
        return given, error
    return given, None


def candles(pages: list[CandlePage]) -> list[Candle]:
    assert [row for page in pages for row in page.rejected] == []
    return [candle for page in pages for candle in page.candles]


def ask(url: str, endpoint: str, **params: Any) -> Any:
    answer = requests.get(f"{url}/0/public/{endpoint}", params=params, timeout=10)
    assert answer.status_code == 200
    body = answer.json()
    assert ("result" in body) == (body["error"] == [])
    return body["result"] if body["error"] == [] else body["error"]


# --- the twin's habits -------------------------------------------------------


def test_the_twin_answers_by_canonical_name_whichever_was_asked(url: str) -> None:
    for name in (BTC, "XBTUSD"):
        assert set(ask(url, "OHLC", pair=name, interval=60)) == {BTC, "last"}
        assert set(ask(url, "Ticker", pair=name)) == {BTC}
        assert set(ask(url, "AssetPairs", pair=name)) == {BTC}
    assert set(ask(url, "Ticker")) == {BTC, ETH, NEW}


def test_the_twins_live_row_ends_every_answer_and_last_is_the_one_before(url: str) -> None:
    now_s, hour_s = ms(NOW) // 1000, ms(floor(NOW, "1h")) // 1000
    full = ask(url, "OHLC", pair=BTC, interval=60)
    assert (len(full[BTC]), full["last"], full[BTC][-1][0]) == (721, hour_s - 3600, hour_s)
    for since in (hour_s - 3600, hour_s, now_s):
        alone = ask(url, "OHLC", pair=BTC, interval=60, since=since)
        assert ([row[0] for row in alone[BTC]], alone["last"]) == ([hour_s], hour_s - 3600)
    two = ask(url, "OHLC", pair=BTC, interval=60, since=hour_s - 7200)
    assert [row[0] for row in two[BTC]] == [hour_s - 3600, hour_s], "since is exclusive"
    ignored = ask(url, "OHLC", pair=BTC, interval=60, since=(hour_s - 7200) * 1000)
    assert ignored == full, "milliseconds are a far future, and ignored"
    assert ask(url, "OHLC", pair=BTC, interval=60, since=0) == full, "nothing older can be had"


def test_the_twins_silent_intervals_are_flat_rows_with_a_vwap_of_zero(url: str) -> None:
    rows = {row[0]: row for row in ask(url, "OHLC", pair=BTC, interval=60)[BTC]}
    before = rows[ms(SILENT[0]) // 1000 - 3600]
    flat = rows[ms(SILENT[0]) // 1000]
    assert flat[1:5] == [before[4]] * 4
    assert flat[5:] == ["0.0", "0.00000000", 0]
    assert len(ask(url, "OHLC", pair=BTC)[BTC]) == 721, "the interval is a minute where none is named"


@pytest.mark.parametrize(
    ("endpoint", "params", "error"),
    [
        ("OHLC", {"pair": "XBTEUR"}, "EQuery:Unknown asset pair"),
        ("OHLC", {"pair": "SOONUSD"}, "EQuery:Unknown asset pair"),
        ("OHLC", {"pair": BTC, "interval": 120}, "EGeneral:Invalid arguments"),
        ("OHLC", {"pair": BTC, "since": "yesterday"}, "EGeneral:Invalid arguments:since"),
        ("Ticker", {"pair": f"{BTC},NONE"}, "EQuery:Unknown asset pair"),
        ("Trades", {"pair": BTC, "since": 0, "count": 1001}, "EGeneral:Invalid arguments:count"),
    ],
)
def test_the_twins_errors_come_with_status_200_and_without_a_result(
    url: str, endpoint: str, params: dict[str, Any], error: str
) -> None:
    assert ask(url, endpoint, **params) == [error]


def test_the_twins_trades_have_a_cursor_of_text_and_rows_of_seven(url: str) -> None:
    first = ask(url, "Trades", pair=BTC, since=0, count=3)
    assert [len(row) for row in first[BTC]] == [7, 7, 7]
    assert isinstance(first["last"], str)
    assert int(first["last"]) // 10**9 == int(first[BTC][-1][2])
    after = ask(url, "Trades", pair=BTC, since=first["last"], count=1)
    assert after[BTC][0][6] == first[BTC][-1][6] + 1
    assert len(ask(url, "Trades", pair=BTC, since=0)[BTC]) == 1000
    by_seconds = ask(url, "Trades", pair=BTC, since=ms(LISTED) // 1000 + 60, count=1)
    assert by_seconds[BTC][0][2] > ms(LISTED) // 1000 + 60
    end = ask(url, "Trades", pair=BTC, since=ms(NOW) * 10**6)
    assert end == {BTC: [], "last": str(ms(NOW) * 10**6)}


def test_the_twin_tells_its_time_and_status(url: str) -> None:
    assert ask(url, "Time") == {"unixtime": ms(NOW) // 1000, "rfc1123": "Sun, 03 Mar 24 10:20:30 +0000"}
    assert ask(url, "SystemStatus") == {"status": "online", "timestamp": "2024-03-03T10:20:30Z"}


# --- the clients -------------------------------------------------------------


@pytest.mark.parametrize("timeframe", CAPABILITIES["kraken"].timeframes)
def test_all_that_is_within_reach_comes_exactly_and_the_rest_is_named(url: str, timeframe: str) -> None:
    client = Kraken(RequestsTransport(url), IMPATIENT)
    pages, error = collected(client.candles(BTC, timeframe, LISTED - DAY, NOW + DAY, NOW))
    length = step(timeframe)
    reach = floor(NOW, timeframe) - 720 * length
    listing = floor(LISTED, timeframe)
    (page,) = pages
    assert [units(candle) for candle in candles(pages)] == BOOK.expected("BTC/USD", timeframe, page.start, NOW)
    assert page.end == floor(NOW, timeframe)
    if reach > listing:
        assert (page.start, type(error)) == (reach, OutOfReachError)
    else:
        assert (page.start, error) == (ceil(LISTED - DAY, timeframe), None)


@pytest.mark.parametrize("most_rows", [707, 720, 721])
def test_the_edge_of_reach_is_where_the_rows_begin_and_no_number(most_rows: int) -> None:
    with exchange(most_rows=most_rows) as url:
        client = Kraken(RequestsTransport(url), IMPATIENT)
        oldest = floor(NOW, "1h") - (most_rows - 1) * HOUR
        assert client.first_open(BTC, "1h", NOW) == oldest
        for hours in (-1, 0, 1):
            start = oldest + hours * HOUR
            (page,), error = collected(client.candles(BTC, "1h", start, start + 5 * HOUR, NOW))
            assert page.start == max(start, oldest)
            assert (page.end, type(error) if hours < 0 else error) == (
                start + 5 * HOUR,
                OutOfReachError if hours < 0 else None,
            )
        assert collected(client.candles(BTC, "1h", oldest - HOUR, oldest, NOW))[0] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (SILENT[0] - HOUR, SILENT[0]),
        (SILENT[0], SILENT[1]),
        (SILENT[0] + HOUR, SILENT[1] + HOUR),
        (NOW - 5 * HOUR, NOW + 5 * HOUR),
        (floor(NOW, "1h") - HOUR, floor(NOW, "1h")),
    ],
)
def test_a_window_is_one_request_whose_page_speaks_for_all_of_it(url: str, start: datetime, end: datetime) -> None:
    watched = Watched(url)
    (page,), error = collected(Kraken(watched, IMPATIENT).candles(BTC, "1h", start, end, NOW))
    assert [units(candle) for candle in candles([page])] == BOOK.expected("BTC/USD", "1h", start, end)
    assert (page.start, page.end, error) == (ceil(start, "1h"), min(end, floor(NOW, "1h")), None)
    assert len(watched.asked) == 1
    assert (page.response_sha256, page.request) == (watched.answers[0].sha256, watched.answers[0].url)


def test_a_young_market_is_known_from_its_beginning(url: str) -> None:
    watched = Watched(url)
    (page,), error = collected(Kraken(watched, IMPATIENT).candles(NEW, "5m", NOW - DAY, NOW, NOW))
    assert (page.start, page.end, error) == (ceil(NOW - DAY, "5m"), floor(NOW, "5m"), None)
    assert [units(candle) for candle in candles([page])] == BOOK.expected("NEW/USD", "5m", NOW - DAY, NOW)
    assert [endpoint for endpoint, _ in watched.asked] == ["OHLC", "OHLC", "Trades"]


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "1d"])
def test_a_candle_is_the_same_from_ohlc_and_from_trades(url: str, timeframe: str) -> None:
    """To the last digit, so that history folded today equals what was collected live."""
    start, end = SILENT[0] - 2 * HOUR, SILENT[1] + 3 * HOUR
    if timeframe == "1m":
        start, end = NOW - 2 * HOUR, NOW  # 12 hours are within reach
    if timeframe in ("4h", "1d"):
        start, end = NOW - 3 * DAY, NOW
    live, error = collected(Kraken(RequestsTransport(url), IMPATIENT).candles(BTC, timeframe, start, end, NOW))
    folded, folded_error = collected(
        KrakenTrades(RequestsTransport(url), IMPATIENT).candles(BTC, timeframe, start, end, NOW)
    )
    assert (error, folded_error) == (None, None)
    assert list(map(str, candles(folded))) == list(map(str, candles(live)))
    assert (folded[0].start, folded[-1].end) == (live[0].start, live[-1].end)


@pytest.mark.parametrize("options", [{"trade_ids": False}, {"repeats_boundary": True}, {}])
def test_trades_older_than_ohlc_reaches_add_up_whatever_their_rows_look_like(options: dict[str, bool]) -> None:
    with exchange(**options) as url:
        watched = Watched(url)
        fold = KrakenTrades(watched, IMPATIENT)
        assert fold.first_open(BTC, "1h", NOW) == floor(LISTED, "1h")
        pages, error = collected(fold.candles(BTC, "15m", LISTED - HOUR, LISTED + DAY, NOW))
        assert error is None
        assert [units(candle) for candle in candles(pages)] == BOOK.expected(
            "BTC/USD", "15m", LISTED - HOUR, LISTED + DAY
        )
        asked = [params for endpoint, params in watched.asked[1:] if endpoint == "Trades"]
        assert len(asked) == len({params["since"] for params in asked}) > 1


def test_trades_up_to_now_end_where_the_venue_has_no_more(url: str) -> None:
    pages, error = collected(
        KrakenTrades(RequestsTransport(url), IMPATIENT).candles(ETH, "1m", NOW - HOUR, NOW + HOUR, NOW)
    )
    assert (pages[-1].end, error) == (floor(NOW, "1m"), None)
    expected = BOOK.expected("ETH/USD", "1m", NOW - HOUR, NOW)
    assert [units(candle) for candle in candles(pages)] == [row for row in expected if row[0] >= ms(pages[0].start)]


def test_markets_are_found_by_our_names_among_what_is_none(url: str) -> None:
    watched = Watched(url)
    client = market_venue("kraken", watched, IMPATIENT)
    assert [client.listing(symbol) for symbol in ("BTC/USD", "ETH/USD", "NEW/USD")] == [
        ("BTC/USD", BTC, "online", True),
        ("ETH/USD", ETH, "online", True),
        ("NEW/USD", NEW, "online", True),
    ]
    assert len(watched.asked) == 1
    assert b"ZEURZUSD" in watched.answers[0].body  # listed in every world: a venue's list is never empty
    for symbol in ("XBT/USD", "SOON/USD", "AAPLx/USD", "BTC/EUR"):
        with pytest.raises(UnknownSymbolError):
            client.listing(symbol)


def test_tickers_are_those_of_the_last_24_hours(url: str) -> None:
    tickers = Kraken(RequestsTransport(url), IMPATIENT).tickers([BTC, ETH], NOW)
    day = BOOK.closed("BTC/USD", "1m", ms(NOW - DAY), ms(NOW), UNLIMITED, False)
    bitcoin = tickers.rows[0]
    assert [ticker.symbol for ticker in tickers] == [BTC, ETH]
    assert (bitcoin.observed_at, bitcoin.open_24h, bitcoin.change_percent_24h) == (NOW, None, None)
    assert int((bitcoin.high_24h or 0) * 10**8) == day[:, b.HIGH].max()
    assert float(bitcoin.base_volume_24h or 0) == pytest.approx(day[:, b.BASE].sum() / 10**8, rel=0.01)
    assert (bitcoin.bid or 0) < (bitcoin.ask or 0)
    with pytest.raises(UnknownSymbolError):
        Kraken(RequestsTransport(url), IMPATIENT).tickers([BTC, "XXRPZUSD"], NOW)


def test_more_than_one_request_a_second_is_an_error_string_that_puts_us_off() -> None:
    with exchange(burst=1) as url:
        watched = Watched(url)
        client = Kraken(watched, IMPATIENT)
        assert client.first_open(BTC, "1h", NOW)
        with pytest.raises(RateLimitedError, match="EAPI:Rate limit exceeded"):
            client.first_open(BTC, "1h", NOW)
        assert len(watched.asked) == 2, "it is not asked again at once"
        assert watched.answers[1].status == 200


def test_what_a_world_does_not_hold_is_said_to_be_that(url: str) -> None:
    for params in ({"pair": BTC, "interval": 10080}, {"pair": BTC, "interval": 21600}):
        assert requests.get(f"{url}/0/public/OHLC", params=params, timeout=10).status_code == 501
    assert requests.get(f"{url}/0/public/Trades", params={"pair": BTC}, timeout=10).status_code == 501


@pytest.mark.parametrize("kind", ["cloudflare_520", "unavailable", "internal_error", "rate_limited", "cut", "empty"])
def test_faults_of_the_host_have_their_error(serve: Any, exchange_at: Any, kind: str) -> None:
    with serve(SyntheticWorld(1, floor(NOW, "1d") - 40 * DAY), NOW) as base:
        handle = exchange_at(base)
        handle.fail("kraken", kind, times=2)
        client = Kraken(handle.transport("kraken"), IMPATIENT)
        expected = RateLimitedError if kind == "rate_limited" else UnavailableError
        with pytest.raises(expected):
            client.first_open("BNBUSD", "1h", NOW)
        handle.heal()
        assert client.first_open("BNBUSD", "1h", NOW) == floor(NOW, "1h") - 720 * HOUR
