"""Coinbase's answers, good and bad, without a network: what the client asks and what it makes of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH, is_aligned
from include.candles.validate import fault
from include.venues.coinbase import Coinbase
from include.venues.coinbase_advanced import CoinbaseAdvanced
from include.venues.errors import (
    AuthenticationError,
    CircuitOpenError,
    ForbiddenError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.http import Response, Retry
from include.venues.model import CandlePage
from include.venues.registry import market_venue

Answer = Callable[..., Response]
START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LONG_AFTER = START + timedelta(days=365)
ONCE = Retry(attempts=1)


def seconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(seconds=1)


def row(hour: float, volume: str = "1.5") -> str:
    """A candle of Exchange as its JSON text: time, low, high, open, close, volume."""
    return f"[{seconds(START + hour * HOUR)},9,12.5,10.1,11,{volume}]"


class Venue:
    """The same rows whatever is asked, newest first; the clock apart."""

    def __init__(self, *rows: str, now: datetime = LONG_AFTER) -> None:
        self.body = f"[{','.join(reversed(rows))}]".encode()
        self.now = now
        self.asked: list[tuple[str, Any]] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        self.asked.append((path, params))
        if path == "/time":
            iso = f"{self.now:%Y-%m-%dT%H:%M:%S.%f}Z"
            return Response(200, {}, json.dumps({"iso": iso, "epoch": self.now.timestamp()}).encode(), path)
        return Response(200, {}, self.body, f"https://venue.test{path}?{params}")


def page(venue: Any, hours: int = 4, now: datetime = LONG_AFTER) -> CandlePage:
    (only,) = Coinbase(venue, ONCE).candles("BTC-USD", "1h", START, START + hours * HOUR, now)
    return only


def hours_of(page: CandlePage) -> list[float]:
    return [(candle.opened_at - START) / HOUR for candle in page.candles]


def test_a_row_is_read_by_the_venues_own_order_with_its_digits() -> None:
    (candle,) = page(Venue(row(0, "0.30000000000000004"))).candles
    assert candle.opened_at == START
    assert [str(figure) for figure in candle[1:6]] == ["10.1", "12.5", "9", "11", "0.30000000000000004"]
    assert set(candle[6:]) == {None}


def test_rows_from_before_the_window_are_left_out_and_those_from_after_it_quarantined() -> None:
    got = page(Venue(row(-2), row(-1), row(0), row(3), row(4)))
    assert hours_of(got) == [0, 3]
    assert [(refused.reason, refused.opened_at) for refused in got.rejected] == [
        ("open time lies outside the window that was asked for", START + 4 * HOUR)
    ]


def test_a_page_says_what_it_covers_even_without_candles() -> None:
    for rows in ([], [row(-1)]):
        empty = page(Venue(*rows))
        assert (empty.candles, empty.rejected) == ([], [])
        assert (empty.start, empty.end, empty.source) == (START, START + 4 * HOUR, "coinbase-rest")


def test_an_answer_for_another_window_is_an_outage() -> None:
    with pytest.raises(UnavailableError, match="does not belong to its window"):
        page(Venue(row(100), row(101)))


def test_a_page_of_which_no_row_can_be_read_is_quarantined_whole() -> None:
    got = page(Venue(row(0)[:-1] + ",7]", "[true]"))
    assert got.candles == []
    assert [refused.opened_at for refused in got.rejected] == [None, START]


@pytest.mark.parametrize(
    ("bad", "reason", "hour"),
    [
        (row(1)[:-1] + ",7]", "row cannot be read: ValueError('row is not a list of 6')", 1),
        (row(1, '"1.5"'), "row cannot be read: TypeError(\"figure '1.5' is not a number\")", 1),
        (row(1, "true"), "row cannot be read: TypeError('figure True is not a number')", 1),
        (row(1, "null"), "row cannot be read: TypeError('figure None is not a number')", 1),
        (row(1, "-1"), "a volume or count is negative", 1),
        (row(1, "1e400"), "base_volume has too many digits", 1),
        (row(1).replace("12.5", "10.5"), "high is not the highest price", 1),
        (row(1).replace(",9,", ",0,"), "a price is not positive", 1),
        (row(1.5), "open time is not a multiple of 1h", 1.5),
        ('{"start": 1}', "row cannot be read: ValueError('row is not a list of 6')", None),
        ("[true,9,12.5,10.1,11,1]", "row cannot be read: TypeError('time stamp True is not an integer')", None),
        ("[99999999999999999,9,12.5,10.1,11,1]", "row cannot be read: OverflowError", None),
    ],
)
def test_a_bad_row_is_kept_with_its_reason_beside_the_good_ones(bad: str, reason: str, hour: float | None) -> None:
    got = page(Venue(row(0), bad, row(2)))
    assert hours_of(got) == [0, 2]
    (refused,) = got.rejected
    assert refused.reason.startswith(reason)
    assert refused.opened_at == (None if hour is None else START + hour * HOUR)


def test_equal_copies_count_once_and_different_ones_are_all_refused() -> None:
    got = page(Venue(row(0), row(0), row(1), row(1, "7")))
    assert hours_of(got) == [0]
    assert [refused.reason for refused in got.rejected] == ["different values for one open time"] * 2


def test_the_candle_in_progress_is_neither_asked_for_nor_taken() -> None:
    now = START + 2.5 * HOUR
    venue = Venue(row(0), row(1), row(2), now=now)
    got = page(venue, now=now)
    assert (hours_of(got), got.rejected, got.end) == ([0, 1], [], START + 2 * HOUR)
    assert venue.asked[1][1]["end"] == "2024-03-01T01:00:00Z"


def test_a_worker_whose_clock_is_ahead_takes_no_unfinished_candle() -> None:
    venue = Venue(row(0), row(1), now=START + 1.9 * HOUR)
    assert hours_of(page(venue, now=START + 2.1 * HOUR)) == [0]


def test_nothing_is_asked_where_nothing_is_closed() -> None:
    venue = Venue(row(0))
    client = Coinbase(venue)
    assert list(client.candles("BTC-USD", "1h", START, START + HOUR, START + 0.9 * HOUR)) == []
    assert list(client.candles("BTC-USD", "1h", START + HOUR, START, LONG_AFTER)) == []
    assert venue.asked == []


@pytest.mark.parametrize(
    ("rows", "after", "until"),
    [
        ((row(0), row(1)), 59, 2),  # the third hour closed a moment ago and may still come
        ((row(0), row(1)), 60, 3),  # a minute later its absence means that nothing was traded
        ((row(0), row(1), row(2)), 1, 3),
        ((row(0), row(1), row(2, "-1")), 1, 3),  # refused, but there
    ],
)
def test_a_candle_missing_right_after_its_close_is_not_yet_called_absent(
    rows: tuple[str, ...], after: int, until: int
) -> None:
    now = START + 3 * HOUR + timedelta(seconds=after)
    assert page(Venue(*rows, now=now), now=now).end == START + until * HOUR


def test_a_page_that_says_nothing_yet_is_not_handed_on() -> None:
    now = START + HOUR + timedelta(seconds=5)
    assert list(Coinbase(Venue(now=now)).candles("BTC-USD", "1h", START, START + HOUR, now)) == []


@pytest.mark.parametrize("timeframe", ["12h", "7h", "1M"])
def test_a_timeframe_the_venue_lacks_is_refused_before_any_request(timeframe: str) -> None:
    venue = Venue()
    with pytest.raises(ValueError, match=f"coinbase has no timeframe '{timeframe}'"):
        next(Coinbase(venue).candles("BTC-USD", timeframe, START, LONG_AFTER, LONG_AFTER))
    with pytest.raises(ValueError, match="4h from Advanced Trade alone"):
        next(Coinbase(venue).candles("BTC-USD", "4h", START, LONG_AFTER, LONG_AFTER))
    assert venue.asked == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'{"message":"NotFound"}', UnknownSymbolError),
        (404, b'{"message":"Route not found"}', RequestRejectedError),
        (400, b'{"message":"Unsupported granularity"}', RequestRejectedError),
        (400, b'{"message":"End is too old, really"}', RequestRejectedError),
        (400, b"End is too old", ForbiddenError),
        (401, b'{"message":"CB-ACCESS-KEY header is required"}', AuthenticationError),
        (403, b"<!DOCTYPE html>", ForbiddenError),
        (429, b'{"message":"Public rate limit exceeded"}', RateLimitedError),
        (429, b"Too many requests", RateLimitedError),
        (503, b"<!DOCTYPE html><title>Just a moment...</title>", UnavailableError),
        (200, b"<!DOCTYPE html>", UnavailableError),
        (200, b"[[1709251200,9,12.5,10.1,11,1.5],[170925", UnavailableError),
        (200, b'{"message":"odd"}', UnavailableError),
        (200, b"null", UnavailableError),
    ],
)
def test_each_refusal_has_its_error(
    scripted: Any, answer: Answer, status: int, body: bytes, expected: type[VenueError]
) -> None:
    transport = scripted(answer(body, status))
    with pytest.raises(VenueError) as caught:
        page(transport)
    assert (type(caught.value), caught.value.venue) == (expected, "coinbase")


def test_a_window_too_old_for_the_venue_is_a_page_without_candles(scripted: Any, answer: Answer) -> None:
    got = page(scripted(answer({"message": "End is too old"}, 400)))
    assert (got.candles, got.start, got.end) == ([], START, START + 4 * HOUR)


def test_the_symbol_cannot_leave_its_place_in_the_path() -> None:
    venue = Venue()
    list(Coinbase(venue).candles("../x?y", "1h", START, START + HOUR, LONG_AFTER))
    assert venue.asked[0][0] == "/products/..%2Fx%3Fy/candles"


def test_no_candle_at_all_is_an_error_where_the_first_is_asked_for() -> None:
    with pytest.raises(NoDataError, match="no 1d candle of BTC-USD at all"):
        Coinbase(Venue()).first_open("BTC-USD", "1h", START)


PRODUCT = {
    "id": "BTC-USD",
    "base_currency": "BTC",
    "quote_currency": "USD",
    "status": "online",
    "trading_disabled": False,
}


@pytest.mark.parametrize(
    ("change", "status", "is_trading"),
    [
        ({}, "online", True),
        ({"trading_disabled": True}, "online", False),
        ({"status": "delisted"}, "delisted", False),
        ({"status": "something new"}, "something new", False),
    ],
)
def test_a_listing_tells_the_venues_word_and_whether_it_trades(
    scripted: Any, answer: Answer, change: dict[str, Any], status: str, is_trading: bool
) -> None:
    other = PRODUCT | {"id": "BTC-USDC", "quote_currency": "USDC"}
    listing = Coinbase(scripted(answer([other, PRODUCT | change]))).listing("BTC/USD")
    assert listing == ("BTC/USD", "BTC-USD", status, is_trading)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], NoDataError),
        ([PRODUCT], UnknownSymbolError),
        ([{"id": "ETH-USD"}], UnavailableError),
        ([PRODUCT | {"base_currency": "ETH", "id": 7}], UnavailableError),
        ({"message": "odd"}, UnavailableError),
    ],
)
def test_without_the_product_there_is_no_listing(
    scripted: Any, answer: Answer, body: Any, expected: type[VenueError]
) -> None:
    with pytest.raises(VenueError) as caught:
        Coinbase(scripted(answer(body)), ONCE).listing("ETH/USD")
    assert type(caught.value) is expected


LAST = {"price": "62000.1", "bid": "62000.09", "ask": "62000.11", "time": "2024-03-01T11:59:58.123456789Z"}
DAY = {"open": "61000", "high": "63000.5", "low": "60000", "last": "62000.1", "volume": "1234.56789012"}
NOON = START + 12 * HOUR


def both(last: Any = LAST, day: Any = DAY) -> Any:
    class Ticking:
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            body = last if path.endswith("/ticker") else day
            if "LIVE-USD" in path:
                body = LAST if path.endswith("/ticker") else DAY
            return Response(200, {"X-Replay-World": "recorded"}, json.dumps(body).encode(), f"https://venue.test{path}")

    return Ticking()


def test_a_ticker_joins_the_last_trade_and_the_rolling_day() -> None:
    tickers = Coinbase(both()).tickers(["BTC-USD", "BTC-USD"], NOON)
    (ticker,) = tickers
    assert ticker.symbol == "BTC-USD"
    assert ticker.observed_at == NOON - timedelta(seconds=2) + timedelta(microseconds=123456)
    assert (str(ticker.last), str(ticker.bid), str(ticker.ask)) == ("62000.1", "62000.09", "62000.11")
    assert (ticker.open_24h, ticker.high_24h, ticker.low_24h) == (Decimal(61000), Decimal("63000.5"), Decimal(60000))
    assert str(ticker.base_volume_24h) == "1234.56789012"
    assert (tickers.world, tickers.request) == ("recorded", "https://venue.test/products/BTC-USD/ticker")


@pytest.mark.parametrize(
    ("last", "day", "reason"),
    [
        (LAST, DAY | {"volume": "0"}, "ticker without trades"),
        (LAST | {"price": "0.0"}, DAY, "ticker without trades"),
        (LAST | {"time": "2024-03-01T11:49:00Z"}, DAY, "ticker is stale"),
        (LAST | {"time": "2024-03-01T11:59:00"}, DAY, "ticker cannot be read"),
        (LAST | {"time": 1709294400}, DAY, "ticker cannot be read"),
        (LAST | {"price": 62000.1}, DAY, "ticker cannot be read"),
        (LAST | {"bid": "NaN"}, DAY, "ticker cannot be read"),
        (LAST | {"ask": "1_0"}, DAY, "ticker cannot be read"),
        (LAST | {"ask": "-1"}, DAY, "ticker cannot be read"),
        (LAST, DAY | {"high": "1e99"}, "ticker cannot be read"),
        ({}, {}, "ticker cannot be read"),
    ],
)
def test_a_dead_ticker_is_refused_and_the_live_one_kept(last: Any, day: Any, reason: str) -> None:
    tickers = Coinbase(both(last, day)).tickers(["BTC-USD", "LIVE-USD"], NOON)
    assert [ticker.symbol for ticker in tickers] == ["LIVE-USD"]
    (refused,) = tickers.rejected
    assert refused.reason.split(":")[0] == reason
    assert json.loads(refused.raw)["symbol"] == "BTC-USD"
    with pytest.raises(NoDataError):
        Coinbase(both(last, day)).tickers(["BTC-USD"], NOON)


@pytest.mark.parametrize("body", [[], 7, None, "text"])
def test_a_ticker_of_a_foreign_shape_is_an_outage(body: Any) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        Coinbase(both(last=body), ONCE).tickers(["BTC-USD"], NOON)


def test_every_request_passes_the_gate(scripted: Any, answer: Answer) -> None:
    passed: list[object] = []

    class Counting:
        def enter(self, weight: float) -> None:
            passed.append(weight)

        def leave(self, weight: float, response: Response | None, error: VenueError | None) -> None:
            passed.append(error)

    transport = scripted(answer([]))
    client = market_venue("coinbase", transport, ONCE, Counting())
    list(client.candles("BTC-USD", "1h", START, START + 300 * HOUR, LONG_AFTER))
    assert sorted(passed, key=str) == [1, 1, None, None]


figures = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
    st.sampled_from(["1e400", "NaN", "1_0", "\uff11\uff12", "62000.1", "1709251200"]),
)
stamps = st.one_of(st.integers(-5, 10).map(lambda hour: seconds(START + hour * HOUR)), figures)
rows = st.lists(
    st.one_of(st.tuples(stamps, *[figures] * 5).map(list), st.lists(figures, max_size=8), figures), max_size=6
)


@st.composite
def sane_figures(draw: st.DrawFn) -> list[float]:
    """Low, high, open, close and volume as they may be."""
    prices = st.floats(0.01, 1e6)
    low, opened, closed, high = sorted(draw(st.tuples(prices, prices, prices, prices)))
    return [low, high, *draw(st.permutations([opened, closed])), draw(st.floats(0, 1e9))]


hours = st.integers(-3, 9).map(lambda hour: seconds(START + hour * HOUR))
sane_rows = st.lists(st.tuples(hours, sane_figures()).map(lambda row: [row[0], *row[1]]), max_size=9)
rows = st.tuples(rows, sane_rows).map(lambda parts: [*parts[0], *parts[1]])
NAMES = ("start", "low", "high", "open", "close", "volume")
objects = st.tuples(
    sane_rows.map(lambda rows: [dict(zip(NAMES, map(str, row), strict=True)) for row in rows]),
    st.lists(st.one_of(figures, st.fixed_dictionaries(dict.fromkeys(NAMES, figures))), max_size=3),
).map(lambda parts: [*parts[0], *parts[1]])
bodies = st.one_of(
    st.binary(max_size=200),
    rows.map(lambda value: json.dumps(value).encode()),
    objects.map(lambda value: json.dumps({"candles": value}).encode()),
    rows.map(lambda value: json.dumps(value).encode()[:-2]),
)


def check(transport: Any, body: bytes, status: int) -> None:
    """Ask both interfaces for one window: rows as they stand in the answer, a typed error or quarantine."""
    advanced = CoinbaseAdvanced(transport, ONCE)
    clients = ((Coinbase(transport, ONCE), "1h"), (Coinbase(transport, ONCE, advanced=advanced), "2h"))
    for client, timeframe in clients:
        end = START + 8 * HOUR
        try:
            pages = list(client.candles("BTC-USD", timeframe, START, end, LONG_AFTER))
        except VenueError:
            continue
        for page in pages:
            opened = [candle.opened_at for candle in page.candles]
            assert opened == sorted(set(opened))
            assert all(fault(candle, timeframe, START, end) is None for candle in page.candles)
            assert (page.start, page.end) == (START, end)
            assert is_aligned(page.end, timeframe)
            wire = {row for row in wire_rows(body) if status == 200}
            for candle in page.candles:  # as it stands in the answer, column for column
                figures = (candle.low, candle.high, candle.open, candle.close, candle.base_volume)
                assert (seconds(candle.opened_at), *figures) in wire


def wire_rows(body: bytes) -> list[tuple[Decimal, ...]]:
    """The rows of an answer that are nothing but six numbers, in Exchange's order."""
    try:
        answer = json.loads(body, parse_float=Decimal)
    except ValueError:
        return []
    if isinstance(answer, dict):
        answer = [[row[name] for name in NAMES] for row in answer["candles"] if isinstance(row, dict)]
    found = []
    for row in answer if isinstance(answer, list) else []:
        try:
            found.append(tuple(Decimal(figure) for figure in row))
        except (TypeError, ArithmeticError):
            continue
    return [row for row in found if len(row) == 6 and all(figure.is_finite() for figure in row)]


@given(body=bodies, status=st.sampled_from([200, 200, 200, 400, 404, 429, 503]))
def test_any_body_gives_rows_a_typed_error_or_quarantine(body: bytes, status: int) -> None:
    class Fixed:
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            return Response(status, {}, body, path)

    check(Fixed(), body, status)


@given(
    last=st.one_of(st.dictionaries(st.sampled_from(list(LAST)), figures), st.just(LAST)),
    day=st.one_of(st.dictionaries(st.sampled_from(list(DAY)), figures), st.just(DAY), figures),
)
def test_any_ticker_is_read_refused_or_a_typed_error(last: Any, day: Any) -> None:
    try:
        tickers = Coinbase(both(last, day), ONCE).tickers(["BTC-USD"], NOON)
    except VenueError:
        return
    assert [ticker.last for ticker in tickers] == [Decimal(last["price"])]


@given(body=st.one_of(st.binary(max_size=100), rows.map(lambda value: json.dumps(value).encode())))
def test_any_listing_is_read_or_a_typed_error(body: bytes) -> None:
    class Fixed:
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            return Response(200, {}, body, path)

    with pytest.raises(VenueError):
        Coinbase(Fixed(), ONCE).listing("BTC/USD")


class ShutGate:
    """A gate whose circuit is open: nothing is sent."""

    def enter(self, weight: float) -> None:
        raise CircuitOpenError("coinbase", "circuit is open: unavailable", 30)

    def leave(self, weight: float, response: Response | None, error: VenueError | None) -> None:
        raise AssertionError("nothing was let in")


def test_behind_an_open_circuit_advanced_trade_is_asked_as_while_exchange_is_down() -> None:
    class Objects(Venue):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            opened = str(seconds(START))
            body = {"candles": [dict(zip(NAMES, (opened, "9", "12.5", "10.1", "11", "1"), strict=True))]}
            return Response(200, {}, json.dumps(body).encode(), path)

    advanced = CoinbaseAdvanced(Objects(), ONCE)
    client = Coinbase(Venue(), ONCE, ShutGate(), advanced)
    (only,) = client.candles("BTC-USD", "1h", START, START + 4 * HOUR, LONG_AFTER)
    assert (only.source, hours_of(only)) == ("coinbase-advanced", [0])
    shut = CoinbaseAdvanced(Objects(), ONCE, ShutGate())
    with pytest.raises(CircuitOpenError) as caught:
        list(Coinbase(Venue(), ONCE, ShutGate(), shut).candles("BTC-USD", "1h", START, START + HOUR, LONG_AFTER))
    assert caught.value.retry_after_seconds == 30
