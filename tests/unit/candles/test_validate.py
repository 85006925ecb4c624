import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.model import Candle
from include.candles.validate import fault, split_valid

START = datetime(2024, 3, 1, tzinfo=UTC)
END = datetime(2024, 4, 1, tzinfo=UTC)
GOOD = Candle(
    opened_at=START,
    open=Decimal("10"),
    high=Decimal("12"),
    low=Decimal("9"),
    close=Decimal("11"),
    base_volume=Decimal("5"),
    quote_volume=Decimal("52"),
    trade_count=3,
    taker_buy_base_volume=Decimal("2"),
    taker_buy_quote_volume=Decimal("21"),
)


def test_a_sound_candle_has_no_fault() -> None:
    assert fault(GOOD, "1h", START, END) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"opened_at": START + timedelta(minutes=1)}, "open time is not a multiple of 1h"),
        ({"opened_at": START - timedelta(hours=1)}, "open time lies outside the window that was asked for"),
        ({"opened_at": END}, "open time lies outside the window that was asked for"),
        ({"open": Decimal("NaN")}, "open is not finite"),
        ({"high": Decimal("Infinity")}, "high is not finite"),
        ({"quote_volume": Decimal("sNaN")}, "quote_volume is not finite"),
        ({"base_volume": Decimal("1e20")}, "base_volume has too many digits"),
        ({"trade_count": 10**18}, "trade_count has too many digits"),
        ({"low": Decimal("1e-41")}, "low has too many digits"),
        ({"low": Decimal(0)}, "a price is not positive"),
        ({"close": Decimal(-1)}, "a price is not positive"),
        ({"vwap": Decimal(0)}, "vwap is not positive"),
        ({"high": Decimal("10.9")}, "high is not the highest price"),
        ({"low": Decimal("10.1")}, "low is not the lowest price"),
        ({"base_volume": Decimal(-1)}, "a volume or count is negative"),
        ({"trade_count": -1}, "a volume or count is negative"),
        ({"taker_buy_base_volume": Decimal("5.1")}, "taker buy base volume exceeds base volume"),
        ({"taker_buy_quote_volume": Decimal("52.1")}, "taker buy quote volume exceeds quote volume"),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], reason: str) -> None:
    assert fault(GOOD._replace(**change), "1h", START, END) == reason


@pytest.mark.parametrize("field", ["quote_volume", "trade_count", "vwap", "taker_buy_base_volume"])
def test_what_a_venue_does_not_supply_is_no_fault(field: str) -> None:
    assert fault(GOOD._replace(**{field: None}), "1h", START, END) is None


def test_a_flat_candle_without_trades_is_sound() -> None:
    price, nothing = Decimal("10"), Decimal("0E-8")
    flat = Candle(START, price, price, price, price, nothing, nothing, 0, None, nothing, nothing)
    assert fault(flat, "1h", START, END) is None


def test_a_refused_row_keeps_its_text_reason_and_time() -> None:
    bad = GOOD._replace(low=Decimal(0))
    good, rejected = split_valid([(GOOD, "unused"), (bad, [1, "0.00"])], "1h", START, END)
    assert good == [GOOD]
    assert [(row.reason, json.loads(row.raw), row.opened_at) for row in rejected] == [
        ("a price is not positive", [1, "0.00"], START)
    ]


def test_equal_copies_count_once() -> None:
    copy = GOOD._replace(open=Decimal("10.00"))
    assert split_valid([(GOOD, ""), (copy, "")], "1h", START, END) == ([GOOD], [])


def test_different_values_for_one_time_are_all_refused() -> None:
    other = GOOD._replace(close=Decimal("10"))
    good, rejected = split_valid([(GOOD, "a"), (other, "b")], "1h", START, END)
    assert good == []
    assert {(row.reason, row.raw) for row in rejected} == {
        ("different values for one open time", "a"),
        ("different values for one open time", "b"),
    }


@given(st.permutations(range(12)))
def test_good_candles_come_out_in_ascending_order(hours: list[int]) -> None:
    rows = [(GOOD._replace(opened_at=START + timedelta(hours=hour)), "") for hour in hours]
    good, rejected = split_valid(rows, "1h", START, END)
    assert [candle.opened_at for candle in good] == [START + timedelta(hours=hour) for hour in range(12)]
    assert rejected == []


@given(
    st.lists(
        st.tuples(
            st.integers(-2, 12),
            st.decimals(allow_nan=True, allow_infinity=True),
            st.decimals(allow_nan=True, allow_infinity=True),
        )
    )
)
def test_no_figures_whatever_break_it_and_no_row_is_lost(rows: list[tuple[int, Decimal, Decimal]]) -> None:
    candles = [
        (GOOD._replace(opened_at=START + timedelta(hours=hour), close=close, base_volume=volume), str(index))
        for index, (hour, close, volume) in enumerate(rows)
    ]
    good, rejected = split_valid(candles, "1h", START, END)
    refused = {int(row.raw) for row in rejected}
    kept = {candle for index, (candle, _) in enumerate(candles) if index not in refused}
    assert len(refused) == len(rejected)
    assert set(good) == kept
