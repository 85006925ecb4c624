"""The trades behind the twin's candles: they must add up to the world's bars, and to the candles it shows."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.replay import bars as b
from include.replay.bars import STEP_MS, UNIT, Bars, Precision
from include.replay.errors import NotServedError
from include.replay.kraken_tape import NS_PER_MS, Sums, Tape
from include.replay.world import ReplayMarket

MINUTE_MS, HOUR_MS = STEP_MS["1m"], STEP_MS["1h"]
START_MS = 1_709_251_200_000  # 2024-03-01
SYMBOL = "BTC/USD"


class Book:
    """Minutes (or hours, by `finest`) of one market."""

    def __init__(self, bars: Bars, finest: str = "1m") -> None:
        self.bars, self.finest = bars, finest

    @property
    def markets(self) -> Mapping[str, ReplayMarket]:
        return {SYMBOL: ReplayMarket(SYMBOL, "BTC", "USD", Precision(10**7, 1))}

    def closed(self, symbol: str, timeframe: str, start_ms: int, end_ms: int, limit: int, newest: bool) -> Bars:
        if STEP_MS[timeframe] < STEP_MS[self.finest]:
            raise NotServedError(timeframe)
        bars = b.fold(self.bars, STEP_MS[timeframe])
        page = bars[(bars[:, b.OPEN_TIME] >= start_ms) & (bars[:, b.OPEN_TIME] < end_ms)]
        return page[max(0, len(page) - limit) :] if newest else page[:limit]

    def finer(self, symbol: str, timeframe: str) -> str | None:
        return None if timeframe == self.finest else self.finest


def bar(opened_ms: int, prices: tuple[int, int, int, int], base: int, trades: int) -> list[int]:
    row = [0] * b.WIDTH
    row[b.OPEN_TIME], row[b.BASE], row[b.TRADES] = opened_ms, base, trades
    row[b.OPEN : b.CLOSE + 1] = [price * UNIT for price in prices]
    return row


@st.composite
def minutes(draw: st.DrawFn) -> Bars:
    """Bars of some minutes; their counts need not fit their prices, and some have no volume at all."""
    opens = sorted(draw(st.sets(st.integers(0, 200), min_size=1, max_size=12)))
    rows = []
    for minute in opens:
        low, high = sorted(draw(st.tuples(st.integers(1, 99), st.integers(1, 99))))
        opened, close = (draw(st.integers(low, high)) for _ in range(2))
        base = draw(st.integers(0, 3) | st.integers(0, 10**12))
        rows.append(bar(START_MS + minute * MINUTE_MS, (opened, high, low, close), base, draw(st.integers(0, 40))))
    return np.array(rows, dtype=np.int64)


def added_up(tape: Tape, step_ms: int, until_ms: int) -> list[list[int]]:
    """`[open time, open, high, low, close, base, count, worth]` of the trades, the slow way."""
    buckets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for trade in tape.trades(SYMBOL, 0, until_ms * NS_PER_MS):
        buckets[trade.at_ns // NS_PER_MS // step_ms * step_ms].append((trade.price, trade.volume))
    made = []
    for opened, pairs in sorted(buckets.items()):
        prices = [price for price, _ in pairs]
        figures = [prices[0], max(prices), min(prices), prices[-1], sum(v for _, v in pairs), len(pairs)]
        made.append([opened, *figures, sum(price * volume for price, volume in pairs)])
    return made


def shown(sums: Sums) -> list[list[int]]:
    kept = [b.OPEN_TIME, b.OPEN, b.HIGH, b.LOW, b.CLOSE, b.BASE, b.TRADES]
    return [[*row, worth] for row, worth in zip(sums.bars[:, kept].tolist(), sums.worth, strict=True)]


@given(bars=minutes(), timeframe=st.sampled_from(["1m", "5m", "1h", "4h", "1d"]))
def test_trades_add_up_to_the_candles_of_every_timeframe(bars: Bars, timeframe: str) -> None:
    tape, end = Tape(Book(bars)), START_MS + STEP_MS["1d"]
    assert added_up(tape, STEP_MS[timeframe], end) == shown(tape.candles(SYMBOL, timeframe, START_MS, end))


@given(bars=minutes())
def test_trades_add_up_to_the_worlds_bars(bars: Bars) -> None:
    made = added_up(Tape(Book(bars)), MINUTE_MS, START_MS + STEP_MS["1d"])
    traded = bars[bars[:, b.BASE] > 0]
    assert [row[:6] for row in made] == traded[:, b.OPEN_TIME : b.BASE + 1].tolist()
    for row, count in zip(made, traded[:, b.TRADES].tolist(), strict=True):
        assert row[6] == count or count < row[6] <= 4, "more trades only where so few cannot touch all prices"


@given(bars=minutes(), cut=st.floats(0, 1))
def test_trades_go_on_after_any_of_them_and_have_ids_and_times_that_rise(bars: Bars, cut: float) -> None:
    tape, end = Tape(Book(bars)), (START_MS + STEP_MS["1d"]) * NS_PER_MS
    whole = list(tape.trades(SYMBOL, 0, end))
    assert all(a.at_ns < z.at_ns and a.trade_id < z.trade_id for a, z in pairwise(whole))
    if whole:
        at = round(cut * (len(whole) - 1))
        assert list(tape.trades(SYMBOL, whole[at].at_ns, end)) == whole[at + 1 :]
        assert list(tape.trades(SYMBOL, 0, whole[at].at_ns)) == whole[: at + 1]


def test_a_world_of_hours_has_days_of_them_and_no_minutes() -> None:
    hours = [bar(START_MS + hour * HOUR_MS, (50, 60 + hour, 40, 55), 10**8, 9) for hour in range(30) if hour != 7]
    tape = Tape(Book(np.array(hours, dtype=np.int64), finest="1h"))
    (first, second) = shown(tape.candles(SYMBOL, "1d", START_MS, START_MS + 2 * STEP_MS["1d"]))
    assert (first[2] // UNIT, first[5], first[6]) == (83, 23 * 10**8, 23 * 9)
    assert second[6] == 6 * 9
    with pytest.raises(NotServedError):
        tape.candles(SYMBOL, "1m", START_MS, START_MS + HOUR_MS)
    assert tape.first_open(SYMBOL, "1d", START_MS + HOUR_MS) == START_MS
    assert tape.first_open(SYMBOL, "1h", START_MS - 1) is None
    assert tape.last_close(SYMBOL, START_MS + HOUR_MS) == 55 * UNIT
    assert tape.last_close(SYMBOL, START_MS) is None
