"""Binance's answers, good and bad, without a network: what the client asks and what it makes of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH
from include.venues.binance import Binance
from include.venues.errors import (
    AuthenticationError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.http import Response, Retry

Answer = Callable[..., Response]
START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AFTER = START + timedelta(days=365)


def ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def kline(opened_at: datetime, close: str = "11.00000000") -> list[Any]:
    end = ms(opened_at + HOUR) - 1
    return [ms(opened_at), "10.00000000", "12.0", "9.0", close, "5.10", end, "52.0", 3, "2.0", "21.0", "0"]


class Venue:
    """Klines as Binance selects them: both ends inclusive, oldest first, `page` rows at most."""

    def __init__(self, rows: list[list[Any]], page: int = 1000, server_time: datetime = LONG_AFTER) -> None:
        self.rows, self.page, self.server_time = rows, page, server_time
        self.asked: list[dict[str, Any]] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        if path == "/api/v3/time":
            return Response(200, {}, json.dumps({"serverTime": ms(self.server_time)}).encode(), path)
        self.asked.append(params)
        chosen = [row for row in self.rows if params["startTime"] <= row[0] <= params["endTime"]]
        return Response(200, {}, json.dumps(chosen[: min(self.page, params["limit"])]).encode(), f"{path}?{params}")


def opened(venue: Venue, start: datetime, end: datetime, now: datetime = LONG_AFTER) -> list[datetime]:
    pages = Binance(venue).candles("BTCUSDT", "1h", start, end, now)
    return [candle.opened_at for page in pages for candle in page.candles]


@given(
    present=st.sets(st.integers(0, 40)),
    page=st.integers(1, 9),
    window=st.tuples(st.integers(-2, 42), st.integers(-2, 42)),
)
def test_every_candle_of_the_window_comes_once_whatever_holes_and_page_size(
    present: set[int], page: int, window: tuple[int, int]
) -> None:
    venue = Venue([kline(START + hour * HOUR) for hour in sorted(present)], page)
    start, end = (START + hour * HOUR for hour in window)
    expected = [START + hour * HOUR for hour in sorted(present) if start <= START + hour * HOUR < end]
    assert opened(venue, start, end) == expected


def test_the_request_has_the_venues_inclusive_end() -> None:
    venue = Venue([kline(START), kline(START + HOUR), kline(START + 2 * HOUR)])
    assert opened(venue, START, START + 2 * HOUR) == [START, START + HOUR]
    assert venue.asked == [
        {
            "symbol": "BTCUSDT",
            "interval": "1h",
            "startTime": ms(START),
            "endTime": ms(START + 2 * HOUR) - 1,
            "limit": 1000,
        }
    ]


def test_a_month_is_one_request_and_a_hole_at_its_end_one_more() -> None:
    hours = [kline(START + hour * HOUR) for hour in range(744)]
    whole, holed = Venue(hours), Venue(hours[:-2])
    assert len(opened(whole, START, START + 744 * HOUR)) == 744
    assert len(opened(holed, START, START + 744 * HOUR)) == 742
    assert (len(whole.asked), len(holed.asked)) == (1, 2)


def test_a_page_without_candles_is_kept_as_evidence() -> None:
    (page,) = Binance(Venue([])).candles("BTCUSDT", "1h", START, START + HOUR, LONG_AFTER)
    assert (page.candles, page.rejected, page.world) == ([], [], "live")
    assert "BTCUSDT" in page.request


def test_the_candle_in_progress_is_not_asked_for_and_not_taken() -> None:
    venue = Venue([kline(START), kline(START + HOUR)], server_time=START + 1.5 * HOUR)
    assert opened(venue, START, START + 5 * HOUR, now=START + 1.5 * HOUR) == [START]
    assert venue.asked[0]["endTime"] == ms(START + HOUR) - 1


def test_a_candle_in_progress_that_comes_unasked_is_left_out_and_is_no_bad_row() -> None:
    transport = _Fixed([kline(START), kline(START + HOUR)])
    (page,) = Binance(transport).candles("BTCUSDT", "1h", START, START + HOUR, LONG_AFTER)
    assert [row.reason for row in page.rejected] == ["open time lies outside the window that was asked for"]
    window = (START - 48 * HOUR, START + HOUR, START + 1.5 * HOUR)
    (page,) = Binance(_Fixed([kline(START), kline(START + HOUR)], window[2])).candles("BTCUSDT", "1h", *window)
    assert ([candle.opened_at for candle in page.candles], page.rejected) == ([START], [])


def test_a_worker_whose_clock_is_ahead_takes_no_unfinished_candle() -> None:
    venue = Venue([kline(START), kline(START + HOUR)], server_time=START + 1.5 * HOUR)
    assert opened(venue, START, START + 2 * HOUR, now=START + 2.1 * HOUR) == [START]


def test_nothing_is_asked_where_nothing_is_closed() -> None:
    venue = Venue([kline(START)])
    assert opened(venue, START, START + HOUR, now=START + 0.9 * HOUR) == []
    assert opened(venue, START + HOUR, START, now=LONG_AFTER) == []
    assert venue.asked == []


def test_figures_keep_the_venues_digits() -> None:
    (page,) = Binance(Venue([kline(START)])).candles("BTCUSDT", "1h", START, START + HOUR, LONG_AFTER)
    candle = page.candles[0]
    assert [str(figure) for figure in candle[1:7]] == ["10.00000000", "12.0", "9.0", "11.00000000", "5.10", "52.0"]
    assert (candle.trade_count, candle.vwap, str(candle.taker_buy_quote_volume)) == (3, None, "21.0")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (4, "13.0", "high is not the highest price"),
        (4, "abc", "row cannot be read"),
        (4, 11.0, "row cannot be read"),
        (4, None, "row cannot be read"),
        (8, "3", "row cannot be read"),
        (8, True, "row cannot be read"),
        (0, str(ms(START)), "row cannot be read"),
        (0, 10**30, "row cannot be read"),
        (0, ms(START) + 1000, "open time is not a multiple of 1h"),
    ],
)
def test_a_bad_row_is_kept_with_its_reason_beside_the_good_ones(column: int, value: Any, reason: str) -> None:
    bad = kline(START)
    bad[column] = value
    transport = _Fixed([bad, kline(START + HOUR)])
    (page,) = Binance(transport).candles("BTCUSDT", "1h", START, START + 2 * HOUR, LONG_AFTER)
    assert [candle.opened_at for candle in page.candles] == [START + HOUR]
    (row,) = page.rejected
    assert row.reason.startswith(reason)
    assert json.loads(row.raw) == [str(figure) if isinstance(figure, float) else figure for figure in bad]


def test_a_row_with_a_column_too_few_is_refused() -> None:
    (page,) = Binance(_Fixed([kline(START)[:-1], kline(START + HOUR)])).candles(
        "BTCUSDT", "1h", START, START + 2 * HOUR, LONG_AFTER
    )
    assert [row.reason for row in page.rejected] == [
        "row cannot be read: ValueError('kline row has 11 columns instead of 12')"
    ]


def test_a_venue_that_does_not_heed_the_window_ends_in_an_error_and_not_in_a_loop(retry: Retry) -> None:
    pages = Binance(_Fixed([kline(START)]), retry).candles("BTCUSDT", "1h", START, START + 9 * HOUR, LONG_AFTER)
    assert len(next(pages).candles) == 1
    with pytest.raises(UnavailableError, match="does not belong to its window"):
        next(pages)


class _Fixed:
    """The same rows whatever is asked."""

    def __init__(self, rows: list[Any], server_time: datetime = LONG_AFTER) -> None:
        self.rows, self.server_time = rows, server_time

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        if path == "/api/v3/time":
            return Response(200, {}, json.dumps({"serverTime": ms(self.server_time)}).encode(), path)
        return Response(200, {}, json.dumps(self.rows).encode(), path)


@pytest.mark.parametrize("timeframe", ["1M", "7h", "1s"])
def test_a_timeframe_the_venue_lacks_is_refused_before_any_request(timeframe: str) -> None:
    with pytest.raises(ValueError, match=f"binance has no timeframe '{timeframe}'"):
        next(Binance(Venue([])).candles("BTCUSDT", timeframe, START, LONG_AFTER, LONG_AFTER))


TICKER = {
    "symbol": "BTCUSDT",
    "priceChange": "-100.0",
    "priceChangePercent": "-0.560",
    "lastPrice": "62000.10000000",
    "bidPrice": "62000.09000000",
    "askPrice": "62000.11000000",
    "openPrice": "62100.10000000",
    "highPrice": "63000.00000000",
    "lowPrice": "61000.00000000",
    "volume": "1234.50000000",
    "quoteVolume": "76543210.12345678",
    "openTime": ms(START),
    "closeTime": ms(START + timedelta(days=1)),
    "count": 99,
}
OBSERVED = START + timedelta(days=1)


def test_tickers_are_asked_for_by_name_and_read_exactly(scripted: Any, answer: Answer) -> None:
    transport = scripted(answer([TICKER], headers={"X-Replay-World": "recorded"}))
    tickers = Binance(transport).tickers(["BTCUSDT", "ETHUSDT", "BTCUSDT"], OBSERVED)
    assert transport.requests[0][:2] == ("/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","ETHUSDT"]'})
    (ticker,) = tickers
    assert (ticker.symbol, ticker.observed_at, ticker.trade_count_24h) == ("BTCUSDT", OBSERVED, 99)
    assert (ticker.last, ticker.bid, ticker.ask) == (
        Decimal("62000.1"),
        Decimal("62000.09"),
        Decimal("62000.11"),
    )
    assert (str(ticker.change_percent_24h), str(ticker.quote_volume_24h)) == ("-0.560", "76543210.12345678")
    assert tickers.world == "recorded"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": 0}, "ticker without trades"),
        ({"lastPrice": "0.00000000"}, "ticker without trades"),
        ({"closeTime": ms(OBSERVED - timedelta(minutes=11))}, "ticker is stale"),
        ({"bidPrice": None}, "ticker cannot be read"),
        ({"lastPrice": "NaN"}, "ticker cannot be read"),
        ({"askPrice": "-1.0"}, "ticker cannot be read"),
        ({"volume": "1e999"}, "ticker cannot be read"),
        ({"priceChangePercent": "-100.1"}, "ticker cannot be read"),
    ],
)
def test_a_dead_ticker_is_refused_and_the_live_one_kept(
    scripted: Any, answer: Answer, change: dict[str, Any], reason: str
) -> None:
    dead = TICKER | {"symbol": "DEADUSDT"} | change
    tickers = Binance(scripted(answer([dead, TICKER]))).tickers(["DEADUSDT", "BTCUSDT"], OBSERVED)
    assert [ticker.symbol for ticker in tickers] == ["BTCUSDT"]
    assert [row.reason.split(":")[0] for row in tickers.rejected] == [reason]
    assert json.loads(tickers.rejected[0].raw) == dead


@pytest.mark.parametrize("rows", [[], [TICKER | {"count": 0}]])
def test_no_live_ticker_at_all_is_an_error(scripted: Any, answer: Answer, rows: list[Any]) -> None:
    with pytest.raises(NoDataError):
        Binance(scripted(answer(rows))).tickers(["BTCUSDT"], OBSERVED)


def test_listing_clock_and_first_candle(scripted: Any, answer: Answer) -> None:
    listing = {"symbols": [{"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "status": "CANCEL_ONLY"}]}
    status = Binance(scripted(answer(listing))).symbol_status("BTCUSDT")
    assert (status.base, status.quote, status.status, status.is_trading) == ("BTC", "USDT", "CANCEL_ONLY", False)
    assert Binance(scripted(answer({"serverTime": ms(START)}))).server_time() == START
    transport = scripted(answer([kline(START)]))
    assert Binance(transport).first_open("BTCUSDT", "1h", START) == START
    assert transport.requests[0][1] == {"symbol": "BTCUSDT", "interval": "1h", "startTime": 0, "limit": 1}
    with pytest.raises(NoDataError):
        Binance(scripted(answer([]))).first_open("BTCUSDT", "1h", START)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, -1121, UnknownSymbolError),
        (400, -1100, RequestRejectedError),
        (400, -1003, RateLimitedError),
        (400, -1001, UnavailableError),
        (403, -2015, AuthenticationError),
    ],
)
def test_the_venues_own_code_names_the_error(
    scripted: Any, answer: Answer, retry: Retry, status: int, code: int, expected: type[VenueError]
) -> None:
    with pytest.raises(VenueError, match="Some message") as caught:
        Binance(scripted(answer({"code": code, "msg": "Some message"}, status)), retry).server_time()
    assert type(caught.value) is expected


@pytest.mark.parametrize("body", [[], {}, {"serverTime": "1"}, {"serverTime": 10**40}, 7])
def test_an_answer_of_a_foreign_shape_is_tried_again(scripted: Any, answer: Answer, retry: Retry, body: Any) -> None:
    transport = scripted(answer(body), answer({"serverTime": ms(START)}))
    assert Binance(transport, retry).server_time() == START
    assert len(transport.requests) == 2
