"""What questions may say is what the rest of the product knows."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from include.api.columns import FIELDS, Columns, split
from include.api.questions import Timeframe, Windowed
from include.candles.timeframes import SECONDS
from include.features.registry import NAMES


class Asked(BaseModel):
    columns: Columns = ""


def test_every_timeframe_can_be_asked_for_and_no_other() -> None:
    assert get_args(Timeframe) == tuple(SECONDS)


def test_columns_come_once_and_in_the_registrys_order() -> None:
    backwards = ",".join([*reversed(NAMES), NAMES[3], ""])
    assert split(Asked(columns=backwards).columns) == list(NAMES)
    assert split(Asked().columns) == []
    assert tuple(FIELDS) == NAMES


@pytest.mark.parametrize("columns", ["price", "rsi_14;", "rsi_14, no", "*", "RSI_14"])
def test_a_column_that_is_none_is_refused(columns: str) -> None:
    with pytest.raises(ValidationError, match="there is no column"):
        Asked(columns=columns)


@pytest.mark.parametrize("end", ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+02:00", "2023-01-01T00:00:00Z"])
def test_a_window_has_to_end_after_it_begins(end: str) -> None:
    with pytest.raises(ValidationError, match="later than"):
        Windowed.model_validate({"from": "2024-01-01T00:00:00Z", "to": end})
    assert Windowed.model_validate({"to": end}).end
