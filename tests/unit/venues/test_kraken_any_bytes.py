"""Whatever Kraken answers: rows that can be right, refused ones, or a typed error; never a crash or a wrong row."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH
from include.candles.validate import fault
from include.venues.errors import VenueError
from include.venues.http import Response, Retry
from include.venues.kraken import Kraken
from include.venues.model import CandlePage

HOUR = timedelta(hours=1)
START = datetime(2024, 3, 1, tzinfo=UTC)
END, NOW = START + 6 * HOUR, START + 6.5 * HOUR
PAIR = "XXBTZUSD"
ONCE = Retry(attempts=1)
FIRST = (START - EPOCH) // timedelta(seconds=1)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0.0", "1.5", "62000.1", "0.00000000", "NaN", "-1", "1e400"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.sampled_from(["error", "result", "last", PAIR, "wsname", "status", "c", "t"]), inner, max_size=4
        )
    ),
    max_leaves=25,
)
times = st.sampled_from([FIRST + hour * 3600 for hour in range(-2, 9)]) | scalars
prices = st.sampled_from(["62000.1", "62000.2", "61999.9"]) | scalars
rows = st.lists(
    st.tuples(times, prices, prices, prices, prices, prices, prices, st.integers(0, 3) | scalars).map(list)
    | st.lists(scalars, max_size=9),
    max_size=8,
)
bodies = (
    st.binary(max_size=80)
    | anything.map(lambda value: json.dumps(value).encode())
    | anything.map(lambda value: json.dumps({"error": [], "result": value}).encode())
)
answers = bodies | st.tuples(rows, times).map(
    lambda drawn: json.dumps({"error": [], "result": {PAIR: drawn[0], "last": drawn[1]}}).encode()
)
headers = st.sampled_from([{}, {"Date": "Fri, 01 Mar 2024 06:30:00 GMT"}, {"Date": "soon"}, {"Date": "Fri, 01 Mar"}])


class Saying:
    """Answers everything with the same bytes."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.answer = Response(status, headers, body, "http://venue.test")

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        return self.answer


@given(body=answers, status=st.sampled_from([200, 400, 404, 520]), headers=headers)
def test_candles(body: bytes, status: int, headers: dict[str, str]) -> None:
    client = Kraken(Saying(body, status, headers), ONCE)
    pages: list[CandlePage] = []
    with suppress(VenueError):
        pages.extend(client.candles(PAIR, "1h", START, END, NOW))
    for page in pages:
        assert START <= page.start < page.end <= END
        assert (page.start - EPOCH) % HOUR == (page.end - EPOCH) % HOUR == timedelta(0)
        opens = [candle.opened_at for candle in page.candles]
        assert opens == sorted(set(opens))
        for candle in page.candles:
            assert fault(candle, "1h", page.start, page.end) is None
            assert candle.trade_count


@given(body=answers, headers=headers)
def test_first_open(body: bytes, headers: dict[str, str]) -> None:
    try:
        opened = Kraken(Saying(body, 200, headers), ONCE).first_open(PAIR, "1h", NOW)
    except VenueError:
        return
    assert (opened - EPOCH) % HOUR == timedelta(0)


entries = st.dictionaries(
    st.sampled_from("abcvptlho"), st.lists(st.sampled_from(["1.0", "0.0"]) | scalars, max_size=3) | scalars
)


@given(
    body=bodies | entries.map(lambda entry: json.dumps({"error": [], "result": {PAIR: entry}}).encode()),
    headers=headers,
)
def test_tickers(body: bytes, headers: dict[str, str]) -> None:
    try:
        tickers = Kraken(Saying(body, 200, headers), ONCE).tickers([PAIR], NOW)
    except VenueError:
        return
    for ticker in tickers:
        assert (ticker.symbol, ticker.last > 0, (ticker.trade_count_24h or 0) > 0) == (PAIR, True, True)
        assert all(figure.is_finite() and figure >= 0 for figure in ticker if isinstance(figure, Decimal))


@given(body=bodies)
def test_listing(body: bytes) -> None:
    try:
        listing = Kraken(Saying(body, 200, {}), ONCE).listing("BTC/USD")
    except VenueError:
        return
    assert listing.symbol == "BTC/USD"
