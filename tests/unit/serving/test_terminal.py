"""How values and rows are printed for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from include.serving.terminal import cell, table, time

AT = datetime(2024, 2, 3, 4, 5, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.10000000"), "0.10000000"),
        (0.1234567, "0.123457"),
        (AT, "2024-02-03 04:05"),
        (date(2024, 2, 3), "2024-02-03"),
        (timedelta(hours=24), "24 h"),
        (["1h", "1d"], "1h 1d"),
        ([], "-"),
        ("naive", "naive"),
    ],
)
def test_values_are_printed_for_people(value: object, printed: str) -> None:
    assert cell(value) == printed


def test_a_table_has_numbers_to_the_right_and_only_the_columns_named() -> None:
    rows = [
        {"symbol": "BTC/USDT", "price": Decimal("102312.32"), "hidden": "x"},
        {"symbol": "BNB", "price": None, "hidden": "y"},
    ]
    assert table(rows, ("symbol", "price")) == [
        "    symbol        price",
        "    BTC/USDT  102312.32",
        "    BNB               -",
    ]


def test_a_time_without_a_zone_is_utc() -> None:
    assert time("2024-02-03T04:05:59") == AT
    assert time("2024-02-03T06:05:59+02:00") == AT
    assert time("2024-02-03T06:05:59+02:00").tzinfo != timezone(timedelta(hours=2))
    with pytest.raises(ValueError, match="yesterday"):
        time("yesterday")
