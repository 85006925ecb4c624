from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.replay import bars as b
from include.replay.bars import Precision

HOUR = b.STEP_MS["1h"]


def bar(opened: int, o: int, h: int, low: int, c: int, volume: int = 100) -> list[int]:
    return [opened, o, h, low, c, volume, opened + HOUR - 1, volume * c, volume, volume // 2, volume * c // 2]


@given(st.lists(st.integers(0, 6 * 10**15), max_size=20))
def test_floats_that_were_parsed_from_8_decimals_come_back_exactly(units: list[int]) -> None:
    values = np.array([float(Decimal(u).scaleb(-8)) for u in units], dtype=np.float64)
    assert b.fixed_point(values).tolist() == units


def test_a_float_too_large_for_8_decimals_takes_its_shortest_text() -> None:
    assert b.fixed_point(np.array([2282174002.1952176])).tolist() == [228217400219521760]


@pytest.mark.parametrize(
    ("units", "text"), [(0, "0.00000000"), (-5_000_000, "-0.05000000"), (1234567890123, "12345.67890123")]
)
def test_units_are_printed_with_8_decimals(units: int, text: str) -> None:
    assert b.decimal_text(units) == text


def test_a_kline_row_has_binances_order_and_types() -> None:
    row = np.array([[HOUR, 1 * b.UNIT, 4 * b.UNIT, 1, 2 * b.UNIT, 3, 2 * HOUR - 1, 6, 7, 1, 2]], dtype=np.int64)
    assert b.kline_rows(row) == [
        (
            HOUR,
            *("1.00000000", "4.00000000", "0.00000001", "2.00000000", "0.00000003"),
            2 * HOUR - 1,
            *("0.00000006", 7, "0.00000001", "0.00000002", "0"),
        )
    ]


def test_folding_takes_first_open_last_close_extremes_and_sums_and_leaves_holes() -> None:
    hours = np.array([bar(0, 5, 9, 4, 6), bar(HOUR, 6, 8, 2, 7, 50), bar(5 * HOUR, 7, 7, 7, 7, 0)], dtype=np.int64)
    folded = b.fold(hours, 2 * HOUR)
    assert folded[:, b.OPEN_TIME].tolist() == [0, 4 * HOUR]
    assert folded[:, b.CLOSE_TIME].tolist() == [2 * HOUR - 1, 6 * HOUR - 1]
    assert folded[0, b.OPEN : b.BASE + 1].tolist() == [5, 9, 2, 7, 150]
    assert folded[0, b.TRADES] == 150


@given(st.data())
def test_an_unfinished_candle_only_ever_grows_towards_the_final_one(data: st.DataObject) -> None:
    low, first, last, high = sorted(data.draw(st.lists(st.integers(1000, 10**13), min_size=4, max_size=4)))
    opened, closed = data.draw(st.permutations([first, last]))
    volume = data.draw(st.integers(0, 10**17))
    final = np.array([bar(0, opened, high, low, closed, 0)], dtype=np.int64)
    final[0, [b.BASE, b.QUOTE, b.TAKER_BASE, b.TAKER_QUOTE]] = volume, volume, volume // 3, volume // 3
    moments = sorted(data.draw(st.lists(st.integers(0, HOUR - 1), min_size=2, max_size=2)))
    earlier, later = (b.unfinished(final, at, HOUR, Precision(10, 100))[0] for at in moments)
    assert earlier[b.OPEN] == opened
    assert low <= later[b.LOW] <= earlier[b.LOW] <= earlier[b.HIGH] <= later[b.HIGH] <= high
    assert later[b.LOW] <= later[b.CLOSE] <= later[b.HIGH]
    for column in (b.BASE, b.QUOTE, b.TRADES, b.TAKER_BASE, b.TAKER_QUOTE):
        assert 0 <= earlier[column] <= later[column] <= final[0, column]
    assert later[b.TAKER_BASE] <= later[b.BASE]


def test_an_unfinished_candle_starts_flat_at_its_open() -> None:
    final = np.array([bar(0, 500, 900, 400, 600)], dtype=np.int64)
    begun = b.unfinished(final, 0, HOUR, Precision(1, 1))[0]
    assert begun[b.OPEN : b.BASE + 1].tolist() == [500, 500, 500, 500, 0]
