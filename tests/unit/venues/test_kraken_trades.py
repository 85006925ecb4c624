"""Kraken's trades folded into candles: page edges, ids, spoilt trades, and how it ends."""

import hashlib
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.model import Candle
from include.candles.timeframes import EPOCH
from include.candles.validate import fault
from include.venues.errors import NoDataError, UnavailableError, VenueError
from include.venues.http import Response, Retry
from include.venues.kraken_trades import ANSWERS_PER_PAGE, KrakenTrades
from include.venues.model import CandlePage

START = datetime(2023, 11, 17, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONG_AFTER = START + timedelta(days=365)
PAIR = "XBTUSDT"
ONCE = Retry(attempts=1)


def nanoseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


class Tape:
    """Trades as Kraken pages them. `at` is a trade's exact time in nanoseconds; a row shows it as a float.

    columns: 6 or 7. repeats: whether the trade at the cursor comes once more. now: the Date of its answers.
    """

    def __init__(
        self,
        trades: list[tuple[int, str, str]],
        *,
        columns: int = 7,
        repeats: bool = False,
        page: int = 1000,
        now: datetime = LONG_AFTER,
    ) -> None:
        self.trades = trades
        self.rows = [
            [price, volume, at / 10**9, "b", "l", "", 5_504_897 + number][:columns]
            for number, (at, price, volume) in enumerate(trades)
        ]
        self.repeats, self.page, self.now = repeats, page, now
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        date = {"Date": format_datetime(self.now, usegmt=True)}
        if path == "/0/public/AssetPairs":
            result: dict[str, Any] = {PAIR: {"pair_decimals": 1, "lot_decimals": 8}}
            return Response(200, date, json.dumps({"error": [], "result": result}).encode(), path)
        self.asked.append(params)
        since = int(params["since"])
        first = next((n for n, trade in enumerate(self.trades) if trade[0] > since - self.repeats), len(self.trades))
        until = min(first + min(self.page, params["count"]), len(self.trades))
        last = self.trades[until - 1][0] if until > first else since
        body = json.dumps({"error": [], "result": {PAIR: self.rows[first:until], "last": str(last)}}).encode()
        self.bodies.append(body)
        return Response(200, date, body, f"{path}?since={since}")


def fold(
    tape: Tape, start: datetime, end: datetime, timeframe: str = "1m", now: datetime = LONG_AFTER
) -> list[CandlePage]:
    return list(KrakenTrades(tape, ONCE).candles(PAIR, timeframe, start, end, now))


def candles(pages: list[CandlePage]) -> list[Candle]:
    return [candle for page in pages for candle in page.candles]


def at(minutes: float) -> int:
    return nanoseconds(START + minutes * MINUTE)


def expected(trades: list[tuple[int, str, str]], start: datetime, end: datetime) -> list[Candle]:
    """Minutes of the trades, the slow way."""
    minutes: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for when, price, volume in trades:
        minutes[when // (60 * 10**9)].append((Decimal(price), Decimal(volume)))
    made = []
    for minute, pairs in sorted(minutes.items()):
        prices, volume = [price for price, _ in pairs], sum(volume for _, volume in pairs)
        worth = sum(price * volume for price, volume in pairs)
        opened = EPOCH + minute * MINUTE
        if start <= opened < end:
            vwap = round(worth / volume, 1) if volume else None
            figures = prices[0], max(prices), min(prices), prices[-1], Decimal(volume)
            made.append(Candle(opened, *figures, trade_count=len(pairs), vwap=vwap))
    return made


def test_trades_of_an_interval_become_the_candle_ohlc_would_have_given() -> None:
    tape = Tape(
        [
            (at(0), "36160.90000", "0.50000000"),
            (at(0.5), "36170.20000", "0.25000000"),
            (at(0.9), "36150.10000", "0.25000000"),
            (at(2), "36155.00000", "1.00000000"),
            (at(9), "1.00000", "1.00000000"),
        ]
    )
    (page,) = fold(tape, START, START + 3 * MINUTE)
    first, second = page.candles
    assert [str(figure) for figure in first[1:6]] == ["36160.9", "36170.2", "36150.1", "36150.1", "1.00000000"]
    assert (first.trade_count, str(first.vwap), first.quote_volume) == (3, "36160.5", None)
    assert (second.opened_at, str(second.open), second.trade_count) == (START + 2 * MINUTE, "36155.0", 1)
    assert (page.start, page.end, page.source, page.rejected) == (START, START + 3 * MINUTE, "kraken-trades", [])


def test_the_first_request_begins_just_before_the_window_and_the_next_one_at_last() -> None:
    trades = [(at(minute) + 7, "36160.90000", "0.10000000") for minute in range(5)]
    tape = Tape(trades, page=2)
    fold(tape, START, START + 4 * MINUTE)
    assert tape.asked[0] == {"pair": PAIR, "since": at(0) - 1, "count": 1000}
    assert [params["since"] for params in tape.asked[1:]] == [trades[1][0], trades[3][0]]


trade_lists = st.lists(
    st.tuples(st.integers(0, 20 * 60 * 10**9 // 12_345), st.integers(1, 9_999_999), st.integers(0, 10**12)), max_size=60
)


@given(
    drawn=trade_lists,
    page=st.integers(2, 7),
    window=st.tuples(st.integers(0, 12), st.integers(0, 22)),
    columns=st.sampled_from([6, 7]),
    repeats=st.booleans(),
)
def test_candles_are_those_of_all_trades_however_they_are_paged(
    drawn: list[tuple[int, int, int]], page: int, window: tuple[int, int], columns: int, repeats: bool
) -> None:
    ticks = sorted({each[0]: each for each in drawn}.values())
    trades = [(at(0) + tick * 12_345, f"{price / 10:.5f}", f"{volume / 10**8:.8f}") for tick, price, volume in ticks]
    start, end = START + window[0] * MINUTE, START + window[1] * MINUTE
    pages = fold(Tape(trades, page=page, columns=columns, repeats=repeats), start, end)
    assert candles(pages) == expected(trades, start, end)
    if start < end:
        assert (pages[0].start, pages[-1].end) == (start, end)
    assert all(before.end == after.start for before, after in pairwise(pages))
    assert [row for each in pages for row in each.rejected] == []


def test_a_fold_may_be_taken_up_at_the_end_of_any_page() -> None:
    trades = [(at(n / 7), f"{36_000 + n % 13}.00000", f"0.{n % 9 + 1}0000000") for n in range(2000)]
    whole = fold(Tape(trades, page=50), START, START + 250 * MINUTE)
    assert len(whole) > 3
    for page in whole[:-1]:
        rest = fold(Tape(trades, page=50), page.end, START + 250 * MINUTE)
        assert candles(rest) == [candle for candle in candles(whole) if candle.opened_at >= page.end]


def test_a_page_is_some_answers_and_its_hash_is_that_of_all_answers_it_is_made_of() -> None:
    trades = [(at(n / 7), "36000.00000", "0.10000000") for n in range(1000)]
    tape = Tape(trades, page=30)
    first, second, *_ = fold(tape, START, START + 200 * MINUTE)
    hashes = [hashlib.sha256(body).hexdigest() for body in tape.bodies]
    assert first.response_sha256 == hashlib.sha256("\n".join(hashes[:ANSWERS_PER_PAGE]).encode()).hexdigest()
    # The interval in which the first page ends began in the answer before, or in that one.
    again = "\n".join(hashes[ANSWERS_PER_PAGE - 1 : 2 * ANSWERS_PER_PAGE - 1])
    assert second.response_sha256 == hashlib.sha256(again.encode()).hexdigest()
    assert first.request.endswith(f"since={at(0) - 1}")


def test_one_long_interval_over_many_answers_is_one_candle_and_all_of_them_its_evidence() -> None:
    trades = [(at(n / 100), f"{36_000 + n}.00000", "0.00000001") for n in range(3000)]
    tape = Tape([*trades, (at(61), "1.00000", "1.00000000")], page=100)
    (page,) = fold(tape, START, START + HOUR, "1h")
    (candle,) = page.candles
    assert (candle.open, candle.close, candle.trade_count) == (36_000, 38_999, 3000)
    assert str(candle.base_volume) == "0.00003000"
    hashes = [hashlib.sha256(body).hexdigest() for body in tape.bodies]
    assert page.response_sha256 == hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    assert len(hashes) == 31


def test_the_evidence_of_a_page_begins_with_the_answer_in_which_its_first_interval_does() -> None:
    short = [(at(n / 7), "36000.00000", "0.10000000") for n in range(250)]
    long = [(at(40 + n / 1000), "36000.00000", "0.10000000") for n in range(150)]  # from the 9th answer on
    tape = Tape([*short, *long, (at(90), "1.00000", "1.00000000")], page=30)
    first, second = fold(tape, START, START + 60 * MINUTE)
    assert (first.end, second.start) == (START + 40 * MINUTE, START + 40 * MINUTE)
    hashes = [hashlib.sha256(body).hexdigest() for body in tape.bodies]
    assert second.response_sha256 == hashlib.sha256("\n".join(hashes[8:]).encode()).hexdigest()


def test_an_interval_without_trades_has_no_candle_and_the_end_without_any_is_evidence() -> None:
    tape = Tape([(at(1), "36000.00000", "0.10000000")])
    (page,) = fold(tape, START, START + 5 * MINUTE)
    assert ([candle.opened_at for candle in page.candles], page.end) == ([START + MINUTE], START + 5 * MINUTE)
    (page,) = fold(Tape([]), START, START + 5 * MINUTE)
    assert (page.candles, page.start, page.end) == ([], START, START + 5 * MINUTE)


def test_the_youngest_seconds_are_not_trusted_to_be_whole() -> None:
    trades = [(at(minute), "36000.00000", "0.10000000") for minute in range(5)]
    now = START + 3 * MINUTE
    tape = Tape(trades, now=now)
    assert fold(tape, START, START + 5 * MINUTE, now=now + timedelta(seconds=9))[-1].end == START + 2 * MINUTE
    tape.now = now + timedelta(seconds=10)
    assert fold(tape, START, START + 5 * MINUTE, now=now + timedelta(seconds=10))[-1].end == START + 3 * MINUTE
    # Our clock is an hour ahead: the venue's Date decides.
    assert fold(tape, START, START + 5 * MINUTE, now=now + HOUR)[-1].end == START + 3 * MINUTE
    tape.now = now + timedelta(seconds=9)
    assert fold(tape, START, START + 5 * MINUTE, now=now + HOUR)[-1].end == START + 2 * MINUTE
    tape.asked.clear()
    assert fold(tape, START, START + 5 * MINUTE, now=START + timedelta(seconds=69)) == []
    assert tape.asked == []


@pytest.mark.parametrize(
    ("column", "value"), [(0, "abc"), (0, "-1.0"), (0, "0.00000"), (0, 36000.5), (1, None), (1, "-0.1"), (6, "7")]
)
def test_an_interval_with_a_spoilt_trade_has_no_candle_and_the_trade_is_kept(column: int, value: Any) -> None:
    tape = Tape([(at(minute / 2), "36000.00000", "0.10000000") for minute in range(8)])
    tape.rows[3][column] = value
    (page,) = fold(tape, START, START + 4 * MINUTE)
    assert [candle.opened_at for candle in page.candles] == [START, START + 2 * MINUTE, START + 3 * MINUTE]
    (refused,) = page.rejected
    assert (refused.opened_at, refused.reason.split(":")[0]) == (START + MINUTE, "trade cannot be read")
    assert json.loads(refused.raw)[0] == (str(value) if (column, value) == (0, 36000.5) else tape.rows[3][0])


@pytest.mark.parametrize("row", [["1.0", "1.0", "soon", "b", "m", "", 9], [], 7, ["1.0", "1.0", -5, "b", "m", "", 9]])
def test_a_trade_of_an_unknown_time_stops_the_fold(row: Any) -> None:
    tape = Tape([(at(minute), "36000.00000", "0.10000000") for minute in range(4)])
    tape.rows[2] = row
    with pytest.raises(UnavailableError, match="time of trade"):
        fold(tape, START, START + 4 * MINUTE)


def test_trades_out_of_order_within_an_answer_are_put_in_order_of_their_ids() -> None:
    tape = Tape([(at(n / 4), f"{36_000 + n}.00000", "0.10000000") for n in range(8)])
    ordered = candles(fold(tape, START, START + 2 * MINUTE))
    tape.rows[2], tape.rows[3] = tape.rows[3], tape.rows[2]
    tape.rows[4], tape.rows[5] = tape.rows[5], tape.rows[4]
    assert candles(fold(tape, START, START + 2 * MINUTE)) == ordered
    tape.rows[3], tape.rows[4] = tape.rows[4], tape.rows[3]
    assert candles(fold(tape, START, START + 2 * MINUTE)) == ordered


def test_a_trade_that_comes_after_its_interval_is_complete_stops_the_fold() -> None:
    tape = Tape([(at(n), "36000.00000", "0.10000000") for n in range(6)], page=3)
    tape.rows[4][2] = at(1.5) / 10**9
    with pytest.raises(UnavailableError, match="comes after"):
        fold(tape, START, START + 6 * MINUTE)


def test_two_trades_with_one_id_stop_the_fold_and_the_same_one_twice_counts_once() -> None:
    tape = Tape([(at(n / 2), "36000.00000", "0.10000000") for n in range(6)])
    tape.rows[3] = list(tape.rows[2])
    assert sum(candle.trade_count or 0 for candle in candles(fold(tape, START, START + 3 * MINUTE))) == 5
    tape.rows[3][0] = "36001.00000"
    with pytest.raises(UnavailableError, match="share an id"):
        fold(tape, START, START + 3 * MINUTE)


@pytest.mark.parametrize("last", ["0", str(at(0) - 1), 1700179200000000000, "1700179200.5", None, "-1"])
def test_a_cursor_that_does_not_lead_on_is_no_end_of_history(scripted: Any, answer: Any, last: Any) -> None:
    pair = {PAIR: {"pair_decimals": 1, "lot_decimals": 8}}
    trades = {PAIR: [["36000.00000", "0.1", at(1) / 10**9, "b", "m", "", 1]], "last": last}
    transport = scripted(answer({"error": [], "result": pair}), answer({"error": [], "result": trades}))
    with pytest.raises(UnavailableError):
        list(KrakenTrades(transport, ONCE).candles(PAIR, "1m", START, START + HOUR, LONG_AFTER))


@pytest.mark.parametrize("decimals", [-1, 99, "1", None, True])
def test_decimals_that_cannot_be_are_an_unreadable_answer(scripted: Any, answer: Any, decimals: Any) -> None:
    pair = {PAIR: {"pair_decimals": decimals, "lot_decimals": 8}}
    with pytest.raises(UnavailableError):
        list(
            KrakenTrades(scripted(answer({"error": [], "result": pair})), ONCE).candles(
                PAIR, "1m", START, START + HOUR, LONG_AFTER
            )
        )


def test_a_price_finer_than_todays_decimals_keeps_its_digits() -> None:
    (page,) = fold(Tape([(at(0), "36000.12300", "0.10000000")]), START, START + MINUTE)
    assert (str(page.candles[0].open), str(page.candles[0].vwap)) == ("36000.123", "36000.1")


def test_first_open_is_that_of_the_first_trade() -> None:
    tape = Tape([(at(90.5), "36000.00000", "0.10000000")])
    assert KrakenTrades(tape).first_open(PAIR, "1h", LONG_AFTER) == START + HOUR
    assert tape.asked == [{"pair": PAIR, "since": 0, "count": 1}]
    with pytest.raises(NoDataError):
        KrakenTrades(Tape([])).first_open(PAIR, "1h", LONG_AFTER)


def test_a_timeframe_the_venue_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="kraken has no timeframe '2h'"):
        fold(Tape([]), START, START + HOUR, "2h")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=7)
        | st.dictionaries(st.sampled_from(["error", "result", PAIR, "last"]), inner, max_size=3)
    ),
    max_leaves=30,
)
rows = st.lists(
    st.lists(scalars | st.just(at(1) / 10**9) | st.sampled_from(["1.0", "36000.5", "1e9", "NaN"]), max_size=7),
    max_size=5,
)


@given(
    body=st.binary(max_size=100)
    | values.map(lambda value: json.dumps(value).encode())
    | st.tuples(rows, st.sampled_from([str(at(2)), str(at(0) - 1), at(2)])).map(
        lambda drawn: json.dumps({"error": [], "result": {PAIR: drawn[0], "last": drawn[1]}}).encode()
    )
)
def test_any_bytes_give_candles_of_the_window_a_refused_trade_or_a_typed_error(body: bytes) -> None:
    class Strange(Tape):
        def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
            answered = super().get(path, params, headers)
            return answered if path.endswith("AssetPairs") or len(self.asked) > 1 else Response(200, {}, body, path)

    try:
        pages = fold(Strange([]), START, START + 5 * MINUTE)
    except VenueError:
        return
    for candle in candles(pages):
        assert START <= candle.opened_at < START + 5 * MINUTE
        assert fault(candle, "1m", START, START + 5 * MINUTE) is None


def test_recorded_trades_add_up_to_candles_recorded_on_another_machine(market_data_dir: Any) -> None:
    """Where the two differ, the recording of the trades has a gap in its ids: its maker lost a trade at a page edge."""
    table = pq.read_table(market_data_dir / "kraken/trades/BTCUSDT_2023-11-17_22.parquet").to_pylist()
    exact: list[tuple[int, str, str]] = []
    for row in table:  # milliseconds are recorded; trades of the same one keep their order
        when = row["timestamp"] * 10**6
        exact.append((max(when, exact[-1][0] + 1) if exact else when, f"{row['price']:.5f}", f"{row['amount']:.8f}"))
    hours = [row["timestamp"] // 3_600_000 for row in table]
    ids = [int(row["id"]) for row in table]
    lost = {hour for hour, (before, after) in zip(hours, pairwise(ids), strict=False) if after != before + 1}

    end = START + 128 * HOUR  # the last hour of the recording is a part of one
    pages = fold(Tape(exact), START, end, "1h")
    recorded = {
        row["open_time"]: [row[name] for name in ("open", "high", "low", "close", "volume")]
        for row in pq.read_table(market_data_dir / "kraken/ohlcv_1h_usdt/BTCUSDT.parquet").to_pylist()
    }
    differing: dict[str, set[int]] = defaultdict(set)
    folded = candles(pages)
    for candle in folded:
        hour = (candle.opened_at - EPOCH) // HOUR
        for name, mine, theirs in zip("OHLCV", candle[1:6], recorded[hour * 3_600_000], strict=True):
            if abs(float(mine) - theirs) > 1e-9 * theirs:
                differing[name].add(hour)
    assert len(folded) == 128
    assert {name: len(found) for name, found in differing.items()} == {"V": 26, "H": 1}
    assert differing["V"] == lost
    assert differing["H"] < lost
