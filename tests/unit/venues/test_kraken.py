"""Kraken's answers, good and bad, without a network: what the client asks and what it makes of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from include.candles.timeframes import EPOCH
from include.venues.errors import (
    AuthenticationError,
    BannedError,
    NoDataError,
    OutOfReachError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.http import Response, Retry
from include.venues.kraken import Kraken
from include.venues.model import CandlePage

Answer = Callable[..., Response]
HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
NOW = START + 10.5 * HOUR
DATE = {"Date": format_datetime(NOW, usegmt=True)}
PAIR = "XXBTZUSD"


def seconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(seconds=1)


def row(opened_at: datetime, **changes: Any) -> list[Any]:
    columns = {
        "time": seconds(opened_at),
        "open": "62000.1",
        "high": "62100.0",
        "low": "61900.0",
        "close": "62050.5",
        "vwap": "62001.7",
        "volume": "3.39243896",
        "count": 23,
    }
    return list((columns | changes).values())


def flat(opened_at: datetime, price: str = "62050.5") -> list[Any]:
    zero = {"vwap": "0.0", "volume": "0.00000000", "count": 0}
    return row(opened_at, open=price, high=price, low=price, close=price, **zero)


def rows(first: datetime = START, live: datetime = NOW) -> list[list[Any]]:
    """A row for every hour from `first` to the one in progress at `live`."""
    current = live - (live - EPOCH) % HOUR
    return [row(first + hour * HOUR) for hour in range((current - first) // HOUR + 1)]


class Venue:
    """OHLC as Kraken selects it, `reach` rows at most; Trades knows the first trade only."""

    def __init__(self, held: list[list[Any]], first_trade: datetime = EPOCH, reach: int = 721) -> None:
        self.held, self.first_trade, self.reach = held, first_trade, reach
        self.last = held[-2][0] if len(held) > 1 else held[-1][0] - 3600
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:

        self.asked.append((path, dict(params)))
        if path == "/0/public/Trades":
            at = self.first_trade.timestamp() + 1.5
            trades = [["9000.00000", "0.10000000", at, "b", "m", "", 1]]
            result: dict[str, Any] = {PAIR: trades, "last": f"{seconds(self.first_trade)}500000000"}
        else:
            answered = self.held[-self.reach :]
            result = {PAIR: [r for r in answered[:-1] if r[0] > params.get("since", 0)] + answered[-1:]}
            result["last"] = self.last
        return Response(200, DATE, json.dumps({"error": [], "result": result}).encode(), f"{path}?{params}")


def pages(
    venue: Venue, start: datetime, end: datetime, now: datetime = NOW
) -> tuple[list[CandlePage], VenueError | None]:
    """What is given, and the error after it."""
    given: list[CandlePage] = []
    try:
        given.extend(Kraken(venue).candles(PAIR, "1h", start, end, now))
    except VenueError as error:
        return given, error
    return given, None


def opened(page: CandlePage) -> list[datetime]:
    return [candle.opened_at for candle in page.candles]


def test_the_request_reaches_one_interval_back_in_seconds_and_the_live_row_is_dropped() -> None:
    venue = Venue(rows())
    ((page,), error) = pages(venue, START + 2 * HOUR, START + 24 * HOUR)
    since = seconds(START + HOUR)
    assert venue.asked == [("/0/public/OHLC", {"pair": PAIR, "interval": 60, "since": since})]
    assert (page.start, page.end, error) == (START + 2 * HOUR, START + 10 * HOUR, None)
    assert opened(page) == [START + hour * HOUR for hour in range(2, 10)]
    assert (page.source, page.world, page.rejected) == ("kraken-rest", "live", [])
    assert len(page.response_sha256) == 64


def test_vwap_stands_before_volume_and_figures_keep_their_digits() -> None:
    ((page,), _) = pages(Venue(rows()), START, START + HOUR)
    (candle,) = page.candles
    assert [str(figure) for figure in candle[1:6]] == ["62000.1", "62100.0", "61900.0", "62050.5", "3.39243896"]
    assert (candle.vwap, candle.trade_count, candle.quote_volume) == (Decimal("62001.7"), 23, None)


def test_an_interval_without_trades_has_no_candle_and_is_no_bad_row() -> None:
    held = rows()
    held[3] = flat(START + 3 * HOUR)
    ((page,), error) = pages(Venue(held), START, START + 5 * HOUR)
    assert opened(page) == [START + hour * HOUR for hour in (0, 1, 2, 4)]
    assert (page.rejected, page.end, error) == ([], START + 5 * HOUR, None)


def test_a_vwap_of_zero_beside_trades_is_unknown() -> None:
    held = rows()
    held[0] = row(START, vwap="0.0")
    ((page,), _) = pages(Venue(held), START, START + HOUR)
    assert page.candles[0].vwap is None


def test_a_window_in_the_middle_takes_nothing_around_it() -> None:
    ((page,), error) = pages(Venue(rows()), START + 3 * HOUR, START + 5 * HOUR)
    assert (opened(page), error) == ([START + 3 * HOUR, START + 4 * HOUR], None)


@pytest.mark.parametrize(("start", "end"), [(START + 11 * HOUR, START + 20 * HOUR), (START, START), (NOW, NOW + HOUR)])
def test_nothing_is_asked_where_nothing_is_closed(start: datetime, end: datetime) -> None:
    venue = Venue(rows())
    assert pages(venue, start, end) == ([], None)
    assert venue.asked == []


def test_what_kraken_has_not_committed_is_no_candle_yet() -> None:
    venue = Venue(rows())
    venue.last = seconds(START + 8 * HOUR)  # the hour of 9 is over, and still open at the venue
    ((page,), error) = pages(venue, START + 7 * HOUR, START + 10 * HOUR)
    assert (opened(page), page.end) == ([START + 7 * HOUR, START + 8 * HOUR], START + 9 * HOUR)
    assert isinstance(error, NoDataError)
    assert pages(venue, START + 9 * HOUR, START + 10 * HOUR)[0] == []


def test_a_worker_whose_clock_is_ahead_takes_no_unfinished_candle() -> None:
    venue = Venue(rows())
    venue.last = seconds(START + 10 * HOUR)
    ((page,), error) = pages(venue, START + 8 * HOUR, START + 20 * HOUR, now=NOW + 3 * HOUR)
    assert (opened(page), page.end) == ([START + 8 * HOUR, START + 9 * HOUR], START + 10 * HOUR)
    assert isinstance(error, NoDataError)


@pytest.mark.parametrize("reach", [5, 6, 8])
def test_what_lies_before_the_oldest_row_is_out_of_reach_however_many_rows_there_are(reach: int) -> None:
    venue = Venue(rows(), reach=reach)
    ((page,), error) = pages(venue, START + HOUR, START + 10 * HOUR)
    oldest = START + (11 - reach) * HOUR
    assert (page.start, page.end, opened(page)[0]) == (oldest, START + 10 * HOUR, oldest)
    assert isinstance(error, OutOfReachError)
    assert f"from {START + HOUR} to {oldest}" in str(error)
    (given, error) = pages(venue, START, START + 2 * HOUR)
    assert (given, type(error)) == ([], OutOfReachError)


def test_the_oldest_row_of_a_young_market_is_its_beginning() -> None:
    listed = START + 4 * HOUR
    venue = Venue(rows(listed), first_trade=listed + HOUR / 2)
    ((page,), error) = pages(venue, START, START + 10 * HOUR)
    assert (page.start, opened(page)[0], error) == (START, listed, None)
    trades = [params for path, params in venue.asked if path.endswith("Trades")]
    assert trades == [{"pair": PAIR, "since": 0, "count": 1}]


def test_a_row_that_is_missing_within_reach_is_a_hole_and_no_end_of_reach() -> None:
    held = [each for each in rows() if each[0] not in (seconds(START + 4 * HOUR), seconds(START + 5 * HOUR))]
    ((page,), error) = pages(Venue(held), START + 4 * HOUR, START + 7 * HOUR)
    assert (page.start, opened(page), error) == (START + 4 * HOUR, [START + 6 * HOUR], None)


def test_first_open_is_the_oldest_committed_row() -> None:
    venue = Venue(rows(), reach=5)
    assert Kraken(venue).first_open(PAIR, "1h", NOW) == START + 6 * HOUR
    assert venue.asked == [("/0/public/OHLC", {"pair": PAIR, "interval": 60})]
    with pytest.raises(NoDataError):
        Kraken(Venue(rows()[-1:])).first_open(PAIR, "1h", NOW)


@pytest.mark.parametrize("timeframe", ["2h", "6h", "12h", "3m", "1w"])
def test_a_timeframe_the_venue_lacks_is_refused_before_any_request(timeframe: str) -> None:
    venue = Venue(rows())
    with pytest.raises(ValueError, match=f"kraken has no timeframe '{timeframe}'"):
        next(Kraken(venue).candles(PAIR, timeframe, START - timedelta(days=30), START, NOW))
    assert venue.asked == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(START, high="61950.0"), "high is not the highest price"),
        (row(START, open=62000.1), "row cannot be read"),
        (row(START, count="23"), "row cannot be read"),
        (row(START, count=-1), "row cannot be read"),
        (row(START, volume="1_0"), "row cannot be read"),
        (row(START, vwap="NaN"), "row cannot be read"),
        (row(START)[:-1], "row cannot be read"),
        (row(START, count=0), "row cannot be read"),
        ([*row(START), 1], "row cannot be read"),
        (row(START, volume="1" + "0" * 18), "base_volume has too many digits"),
    ],
)
def test_a_bad_row_is_kept_with_its_reason_beside_the_good_ones(bad: list[Any], reason: str) -> None:
    ((page,), error) = pages(Venue([bad, *rows(START + HOUR)]), START, START + 3 * HOUR)
    assert (opened(page), error) == ([START + HOUR, START + 2 * HOUR], None)
    (refused,) = page.rejected
    assert refused.reason.startswith(reason)
    assert refused.opened_at == START


def test_two_rows_of_one_hour_that_differ_are_both_refused_even_if_one_is_flat() -> None:
    held = [row(START), flat(START), row(START + HOUR), row(START + HOUR, close="62060.0"), *rows(START + 2 * HOUR)]
    ((page,), _) = pages(Venue(held), START, START + 3 * HOUR)
    assert opened(page) == [START + 2 * HOUR]
    assert {row.opened_at for row in page.rejected} == {START, START + HOUR}


def test_a_row_without_a_time_is_refused_and_told_to_be_of_any() -> None:
    class Strange(Venue):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            answer = super().get(path, params, headers)
            return Response(200, DATE, answer.body.replace(b'": [[', b'": [["soon"], [', 1), answer.url)

    ((page,), error) = pages(Strange(rows()), START, START + 2 * HOUR)
    assert ([row.opened_at for row in page.rejected], len(page.candles), error) == ([None], 2, None)


def envelope(result: Any = None, *errors: str) -> dict[str, Any]:
    return {"error": list(errors)} | ({} if result is None else {"result": result})


PAIRS = {
    PAIR: {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "status": "online"},
    "XXBTZUSD.d": {"altname": "XBTUSD.d", "wsname": "XBT/USD", "aclass_base": "currency", "status": "online"},
    "XBT/USD:BTNL": {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "status": "online"},
    "XDGUSD": {"altname": "XDGUSD", "wsname": "XDG/USD", "aclass_base": "currency", "status": "cancel_only"},
    "XETHZUSD": {"altname": "ETHUSD", "wsname": "ETH/USD", "aclass_base": "currency", "status": "resting"},
    "BNBUSD": {"altname": "BNBUSD", "wsname": "BNB/USD", "aclass_base": "currency", "status": "limit_only"},
    "AAPLxUSD": {"wsname": "AAPLx/USD", "aclass_base": "tokenized_asset", "status": "online"},
    "OLD": {"altname": "OLD"},
}


@pytest.mark.parametrize(
    ("symbol", "name", "status", "is_trading"),
    [
        ("BTC/USD", PAIR, "online", True),
        ("BNB/USD", "BNBUSD", "limit_only", True),
        ("DOGE/USD", "XDGUSD", "cancel_only", False),
        ("ETH/USD", "XETHZUSD", "resting", False),
    ],
)
def test_a_market_is_found_by_its_wsname(
    scripted: Any, answer: Answer, symbol: str, name: str, status: str, is_trading: bool
) -> None:
    transport = scripted(answer(envelope(PAIRS)))
    client = Kraken(transport)
    assert client.listing(symbol) == (symbol, name, status, is_trading)
    assert client.listing("BTC/USD").venue_symbol == PAIR
    assert transport.requests == [("/0/public/AssetPairs", {}, {})], "all markets of a task are one request"


@pytest.mark.parametrize("symbol", ["XBT/USD", "AAPLx/USD", "BTC/EUR", "OLD"])
def test_what_is_no_spot_market_is_not_listed(scripted: Any, answer: Answer, symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        Kraken(scripted(answer(envelope(PAIRS)))).listing(symbol)


def test_a_name_that_stands_for_two_pairs_is_not_guessed(scripted: Any, answer: Answer) -> None:
    twice = PAIRS | {"XXBTUSD2": PAIRS[PAIR]}
    with pytest.raises(UnknownSymbolError, match="XXBTZUSD, XXBTUSD2"):
        Kraken(scripted(answer(envelope(twice)))).listing("BTC/USD")


def test_an_answer_without_any_pair_says_nothing_of_a_market(scripted: Any, answer: Answer) -> None:
    with pytest.raises(NoDataError, match="no pair at all"):
        Kraken(scripted(answer(envelope({})))).listing("BTC/USD")


TICKER = {
    "a": ["62000.2", "1", "1.000"],
    "b": ["62000.1", "2", "2.000"],
    "c": ["62000.1", "0.00050000"],
    "v": ["10.10000000", "200.20000000"],
    "p": ["61900.1", "61800.2"],
    "t": [100, 2345],
    "l": ["61000.1", "60000.2"],
    "h": ["62500.1", "63000.2"],
    "o": "61500.0",
}


def test_a_ticker_takes_the_figures_of_24_hours_and_not_those_of_today(scripted: Any, answer: Answer) -> None:
    transport = scripted(answer(envelope({PAIR: TICKER}), headers=DATE))
    (ticker,) = Kraken(transport).tickers([PAIR], NOW + timedelta(minutes=1))
    assert transport.requests[0][:2] == ("/0/public/Ticker", {"pair": PAIR})
    assert (ticker.symbol, ticker.observed_at, ticker.trade_count_24h) == (PAIR, NOW, 2345)
    figures = (ticker.last, ticker.bid, ticker.ask, ticker.high_24h, ticker.low_24h, ticker.base_volume_24h)
    assert [str(figure) for figure in figures] == [
        "62000.1",
        "62000.1",
        "62000.2",
        "63000.2",
        "60000.2",
        "200.20000000",
    ]
    assert (ticker.open_24h, ticker.change_percent_24h, ticker.quote_volume_24h) == (None, None, None)


def test_no_more_than_30_pairs_go_into_one_request(scripted: Any) -> None:

    def entries(path: str, params: dict[str, Any]) -> Response:
        body = json.dumps(envelope(dict.fromkeys(params["pair"].split(","), TICKER))).encode()
        return Response(200, DATE, body, params["pair"])

    transport = scripted(entries)
    names = [f"PAIR{number}" for number in range(61)]
    tickers = Kraken(transport).tickers([*names, *names], NOW)
    assert [ticker.symbol for ticker in tickers] == names
    assert [len(params["pair"].split(",")) for _, params, _ in transport.requests] == [30, 30, 1]


@pytest.mark.parametrize(
    ("entry", "now", "reason"),
    [
        (TICKER | {"t": [0, 0]}, NOW, "ticker without trades"),
        (TICKER | {"c": ["0.00000", "0"]}, NOW, "ticker without trades"),
        (TICKER | {"c": []}, NOW, "ticker of DEAD cannot be read"),
        (TICKER | {"b": ["-1.0"]}, NOW, "ticker of DEAD cannot be read"),
        (TICKER | {"v": [1.0, 2.0]}, NOW, "ticker of DEAD cannot be read"),
        ("down", NOW, "ticker of DEAD cannot be read"),
        (None, NOW, "DEAD was not answered"),
    ],
)
def test_a_dead_ticker_is_refused_and_the_live_one_kept(
    scripted: Any, answer: Answer, entry: Any, now: datetime, reason: str
) -> None:
    entries = {PAIR: TICKER} | ({} if entry is None else {"DEAD": entry})
    tickers = Kraken(scripted(answer(envelope(entries), headers=DATE))).tickers(["DEAD", PAIR], now)
    assert [ticker.symbol for ticker in tickers] == [PAIR]
    assert [row.reason.split(":")[0] for row in tickers.rejected] == [reason]


@pytest.mark.parametrize("late", [timedelta(minutes=11), timedelta(days=2)])
def test_an_answer_out_of_a_stuck_cache_is_no_ticker(scripted: Any, answer: Answer, late: timedelta) -> None:
    with pytest.raises(NoDataError):
        Kraken(scripted(answer(envelope({PAIR: TICKER}), headers=DATE))).tickers([PAIR], NOW + late)


@pytest.mark.parametrize(
    ("error", "expected", "wait"),
    [
        ("EAPI:Rate limit exceeded", RateLimitedError, None),
        ("EGeneral:Too many requests", RateLimitedError, None),
        (f"EService: Throttled: {seconds(NOW) + 42}", RateLimitedError, 42),
        (f"EService:Throttled: {seconds(NOW) + 42}", RateLimitedError, 42),
        (f"EService: Throttled: {seconds(NOW) - 42}", RateLimitedError, 0),
        ("EService: Throttled", RateLimitedError, None),
        ("EGeneral:Temporary lockout", BannedError, 900),
        ("EService:Unavailable", UnavailableError, None),
        ("EService:Busy", UnavailableError, None),
        ("EService:Deadline elapsed", UnavailableError, None),
        ("EService:Market in cancel_only mode", UnavailableError, None),
        ("EService:Market in post_only mode", UnavailableError, None),
        ("EGeneral:Internal error", UnavailableError, None),
        ("EGeneral:Internal error[dcQj]", UnavailableError, None),
        ("EQuery:Unknown asset pair", UnknownSymbolError, None),
        ("EQuery:Invalid asset pair", UnknownSymbolError, None),
        ("EQuery:Unknown asset", UnknownSymbolError, None),
        ("EGeneral:Invalid arguments", RequestRejectedError, None),
        ("EGeneral:Invalid arguments:interval", RequestRejectedError, None),
        ("EGeneral:Permission denied", AuthenticationError, None),
        ("EAPI:Invalid key", AuthenticationError, None),
        ("EFuture:Something new", RequestRejectedError, None),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_the_error_list_names_the_error_whatever_the_status(
    scripted: Any, answer: Answer, retry: Retry, status: int, error: str, expected: type[VenueError], wait: float | None
) -> None:
    transport = scripted(answer(envelope(None, error), status, DATE))
    with pytest.raises(VenueError, match="HTTP") as caught:
        Kraken(transport, retry).listing("BTC/USD")
    assert type(caught.value) is expected
    assert error in str(caught.value)
    assert getattr(caught.value, "retry_after_seconds", None) == wait
    assert len(transport.requests) == (3 if expected is UnavailableError else 1)


def test_what_asks_us_to_stay_away_counts_most_among_several_errors(scripted: Any, answer: Answer) -> None:
    errors = ["EQuery:Unknown asset pair", "EService:Busy", "EGeneral:Temporary lockout"]
    with pytest.raises(BannedError):
        Kraken(scripted(answer(envelope(None, *errors)))).listing("BTC/USD")


def test_a_throttled_answer_without_a_date_says_no_wait(scripted: Any, answer: Answer) -> None:
    with pytest.raises(RateLimitedError) as caught:
        Kraken(scripted(answer(envelope(None, "EService: Throttled: 1709287200")))).listing("BTC/USD")
    assert caught.value.retry_after_seconds is None


def test_a_warning_stands_beside_a_good_result(scripted: Any, answer: Answer) -> None:
    body = envelope(PAIRS, "WGeneral:Something is going to change")
    assert Kraken(scripted(answer(body))).listing("BTC/USD").is_trading


HTML = (
    b"<!DOCTYPE html><html><head><title>api.kraken.com | 520: Web server is returning an unknown error</title></head>"
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (HTML, 520),
        (HTML, 502),
        (HTML, 200),
        (b'{"error":[],"result":{"XXBTZUSD":[[17', 200),
        (b"{}", 200),
        (b"[]", 200),
        (b'{"error":[]}', 200),
        (b'{"error":["WGeneral:hm"]}', 200),
        (b'{"error":"EService:Busy"}', 200),
        (b'{"error":[7],"result":{}}', 200),
        (b'{"error":[],"result":[]}', 200),
        (b'{"error":[],"result":{"last":1}}', 200),
        (b'{"error":[],"result":{"A":[],"B":[],"last":1}}', 200),
        (b'{"error":[],"result":{"A":{},"last":1}}', 200),
        (b'{"error":[],"result":{"A":[],"last":"1"}}', 200),
        (b'{"error":[],"result":{"A":[],"last":1e3}}', 200),
        (b'{"error":[],"result":{"A":[],"last":100000000000000000000}}', 200),
    ],
)
def test_a_broken_or_foreign_answer_is_tried_again(
    scripted: Any, answer: Answer, retry: Retry, body: bytes, status: int
) -> None:
    good = envelope({PAIR: rows(), "last": seconds(START + 9 * HOUR)})
    transport = scripted(answer(body, status), answer(good, headers=DATE))
    (page,) = Kraken(transport, retry).candles("XBTUSD", "1h", START, NOW, NOW)
    assert (len(page.candles), len(transport.requests)) == (10, 2)
