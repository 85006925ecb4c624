"""The sealed form says everything of a row, in one way only."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.forecasting.chain import COLUMNS, GENESIS, SealedRow, instant, sealed_bytes, sha256_of, texts

ROW: dict[str, Any] = {
    "venue": "binance",
    "symbol": "BTC/USDT",
    "forecast_id": 7,
    "instrument_id": 1,
    "timeframe": "1h",
    "horizon_bars": 24,
    "as_of": Decimal("1709251200000000.000000"),
    "target_at": Decimal("1709337600000000.000000"),
    "made_at": Decimal("1709251261000001.000000"),
    "sealed_at": Decimal("1709251262500000.000000"),
    "as_of_price": Decimal("60000.10"),
    "predicted_log_return": 0.1,
    "predicted_price": Decimal("66310.3"),
    "lower_price": Decimal("5E+4"),
    "upper_price": Decimal("0.000000120"),
    "coverage": 0.8,
    "model": "naïve",
    "model_version": None,
    "is_naive": False,
    "lower_price_95": Decimal("49000.50"),
    "upper_price_95": Decimal(70000),
    "up_probability": 0.5,
    "drift_log_return": 0.25,
    "seasonal_log_return": None,
    "model_trained_until": Decimal("1709251200000000.000000"),
    "predicted_volatility": 0.5,
    "lower_volatility": 0.25,
    "upper_volatility": 1.0,
    "lower_volatility_95": 0.125,
    "upper_volatility_95": 2.0,
    "volatility_model": "har",
    "volatility_model_version": None,
    "volatility_trained_until": None,
    "ewma_volatility": 0.5,
    "har_volatility": 0.5,
    "chain_position": 1,
    "previous_sha256": GENESIS,
}
FORM = """venue=7:binance
symbol=8:BTC/USDT
forecast_id=1:7
instrument_id=1:1
timeframe=2:1h
horizon_bars=2:24
as_of=16:1709251200000000
target_at=16:1709337600000000
made_at=16:1709251261000001
sealed_at=16:1709251262500000
as_of_price=7:60000.1
predicted_log_return=16:3fb999999999999a
predicted_price=7:66310.3
lower_price=5:50000
upper_price=10:0.00000012
coverage=16:3fe999999999999a
model=6:naïve
is_naive=5:false
lower_price_95=7:49000.5
upper_price_95=5:70000
up_probability=16:3fe0000000000000
drift_log_return=16:3fd0000000000000
model_trained_until=16:1709251200000000
predicted_volatility=16:3fe0000000000000
lower_volatility=16:3fd0000000000000
upper_volatility=16:3ff0000000000000
lower_volatility_95=16:3fc0000000000000
upper_volatility_95=16:4000000000000000
volatility_model=3:har
ewma_volatility=16:3fe0000000000000
har_volatility=16:3fe0000000000000
chain_position=1:1
previous_sha256=64:0000000000000000000000000000000000000000000000000000000000000000
"""


def form(**changed: Any) -> bytes:
    return sealed_bytes(texts(ROW | changed))


def test_by_hand() -> None:
    assert form().decode() == FORM
    assert sha256_of(texts(ROW)) == hashlib.sha256(FORM.encode()).hexdigest()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_counts(column: str) -> None:
    value = ROW[column]
    unlike = {"text": "x", "float": 0.75, "time": Decimal(7)}
    other = unlike[COLUMNS[column]] if value is None else (value + value[-1:] if isinstance(value, str) else value + 1)
    assert form(**{column: other}) != form()
    assert form(**{column: None}) != form(**{column: other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"predicted_log_return": 0.0}, {"predicted_log_return": -0.0}),
        ({"predicted_log_return": 0.1}, {"predicted_log_return": math.nextafter(0.1, 1)}),
        ({"predicted_log_return": 5e-324}, {"predicted_log_return": 0.0}),
        ({"model_version": None}, {"model_version": ""}),
        ({"model": "a\nmodel_version=1:b"}, {"model": "a", "model_version": "b"}),
        ({"model": "a", "model_version": "b\nis_naive=5:false"}, {"model": "a", "model_version": "b"}),
        ({"made_at": Decimal(-1)}, {"made_at": Decimal(1)}),
        ({"made_at": Decimal("Infinity")}, {"made_at": Decimal("-Infinity")}),
    ],
)
def test_what_differs_has_another_form(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert form(**one) != form(**other)


@pytest.mark.parametrize("same", ["1", "1.0", "1.000", "1E0", "0.1E1"])
def test_a_number_has_one_form(same: str) -> None:
    assert form(as_of_price=Decimal(same)) == form(as_of_price=Decimal(1))
    assert b"as_of_price=1:1\n" in form(as_of_price=Decimal(same))


def test_zeros_before_the_point_stay() -> None:
    assert b"as_of_price=6:100000\n" in form(as_of_price=Decimal(100_000))
    assert b"as_of_price=1:0\n" in form(as_of_price=Decimal("0.00"))


@given(st.tuples(st.text(), st.none() | st.text()), st.tuples(st.text(), st.none() | st.text()))
def test_texts_cannot_run_into_each_other(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    forms = [form(model=model, model_version=version) for model, version in (one, other)]
    assert (forms[0] == forms[1]) == (one == other)


def test_a_row_of_before_a_column_has_the_same_form() -> None:
    """What an older row does not say leaves no line, wherever the column stands."""
    later = [name for name in COLUMNS if "95" in name or "volatility" in name]
    older = form(**dict.fromkeys(later)).decode()
    assert older.splitlines() == [line for line in FORM.splitlines() if line.split("=")[0] not in later]


def test_a_row_is_whole_while_it_says_what_was_hashed() -> None:
    sha256 = hashlib.sha256(FORM.encode()).hexdigest()
    assert SealedRow(ROW, sha256).is_whole
    assert not SealedRow(ROW | {"coverage": 0.9}, sha256).is_whole
    assert not SealedRow(ROW, None).is_whole


def test_times_that_no_calendar_has_are_none() -> None:
    assert instant(Decimal(1_709_251_200_000_000)) == datetime(2024, 3, 1, tzinfo=UTC)
    assert [instant(each) for each in (None, Decimal("Infinity"), Decimal("NaN"), Decimal(10**18))] == [None] * 4
