"""Parts of Coinbase's twin that need no server: its limit, and how it writes numbers."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from include.replay import bars as b
from include.replay.bars import Bars
from include.replay.coinbase_bodies import advanced_candles, exchange_candles, number_text
from include.replay.request_bucket import RequestBucket

STEP_MS = 3_600_000


class Machine:
    def __init__(self) -> None:
        self.seconds = 600.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_let_in_then_as_many_as_time_brings() -> None:
    machine = Machine()
    bucket = RequestBucket(10, 15, seconds=machine)
    assert [bucket.take() for _ in range(17)] == [True] * 15 + [False] * 2
    machine.seconds += 0.25
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    machine.seconds += 3600
    assert sum(bucket.take() for _ in range(99)) == 15
    machine.seconds -= 60  # a machine whose clock is set back
    assert not bucket.take()


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, "0"), (10**9, "10"), (6_358_207 * 10**6, "63582.07"), (1, "0.00000001"), (-5 * 10**6, "-0.05")],
)
def test_numbers_have_no_trailing_zeros(units: int, text: str) -> None:
    assert number_text(units) == text
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) * 10**8 == units


def hours(count: int) -> Bars:
    first = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp()) * 1000
    bars = np.zeros((count, b.WIDTH), dtype=np.int64)
    bars[:, b.OPEN_TIME] = first + np.arange(count) * STEP_MS
    bars[:, b.OPEN], bars[:, b.HIGH], bars[:, b.LOW], bars[:, b.CLOSE] = 10**8, 4 * 10**8, 10**7, 2 * 10**8
    bars[:, b.BASE] = 123_456_789 + np.arange(count)
    return bars


def test_some_volumes_have_float_noise_and_always_the_same_ones() -> None:
    page = hours(70)
    rows = json.loads(exchange_candles(page, STEP_MS), parse_float=Decimal)
    exact = [Decimal(int(volume)).scaleb(-8) for volume in page[::-1, b.BASE]]
    noise = [row[5] - volume for row, volume in zip(rows, exact, strict=True)]
    assert (sum(n > 0 for n in noise), sum(n < 0 for n in noise)) == (10, 10)
    assert max(abs(n) for n in noise) < Decimal("1e-14")
    alone = json.loads(exchange_candles(page[11:12], STEP_MS), parse_float=Decimal)
    assert alone == [rows[-12]]


def test_both_interfaces_give_the_same_figures_in_their_own_form() -> None:
    page = hours(20)
    rows = json.loads(exchange_candles(page, STEP_MS), parse_float=Decimal)
    objects = json.loads(json.dumps(advanced_candles(page, STEP_MS)))["candles"]
    assert [rows[0][0], rows[-1][0]] == [int(page[-1, b.OPEN_TIME]) // 1000, int(page[0, b.OPEN_TIME]) // 1000]
    assert [rows[0][1], rows[0][2], rows[0][3], rows[0][4]] == [Decimal("0.1"), 4, 1, 2]
    names = ("start", "low", "high", "open", "close", "volume")
    assert [[Decimal(entry[name]) for name in names] for entry in objects] == rows
