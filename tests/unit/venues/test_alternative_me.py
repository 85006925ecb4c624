import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.venues.alternative_me import AlternativeMe
from include.venues.errors import NoDataError, RequestRejectedError, UnavailableError
from include.venues.http import Response, Retry

Answer = Callable[..., Response]
NEWEST = {
    "value": "40",
    "value_classification": "Fear",
    "timestamp": "1551139200",
    "time_until_update": "68499",
}
BEFORE = {"value": "39", "value_classification": "Fear", "timestamp": "1551052800"}


def body(*items: Any, error: str | None = None) -> dict[str, Any]:
    return {"name": "Fear and Greed Index", "data": list(items), "metadata": {"error": error}}


def test_days_come_ascending_with_the_time_from_which_they_are_known(scripted: Any, answer: Answer) -> None:
    transport = scripted(answer(body(NEWEST, BEFORE), headers={"X-Replay-World": "synthetic"}))
    days = AlternativeMe(transport).fear_greed(2)
    assert transport.requests[0][:2] == ("/fng/", {"limit": 2})
    assert list(days) == [
        (date(2019, 2, 25), 39, "Fear", datetime(2019, 2, 25, 0, 15, tzinfo=UTC)),
        (date(2019, 2, 26), 40, "Fear", datetime(2019, 2, 26, 0, 15, tzinfo=UTC)),
    ]
    assert days.world == "synthetic"


@pytest.mark.parametrize(
    "change", [{"value": "101"}, {"value": "-1"}, {"value": None}, {"value_classification": ""}, {"timestamp": "now"}]
)
def test_a_bad_item_is_kept_with_its_reason(scripted: Any, answer: Answer, change: dict[str, Any]) -> None:
    bad = NEWEST | change
    days = AlternativeMe(scripted(answer(body(bad, BEFORE)))).fear_greed(2)
    assert [reading.value for reading in days] == [39]
    (row,) = days.rejected
    assert row.reason.startswith("index cannot be read")
    assert json.loads(row.raw) == bad


def test_equal_copies_of_a_day_count_once_and_different_ones_not_at_all(scripted: Any, answer: Answer) -> None:
    days = AlternativeMe(scripted(answer(body(NEWEST, NEWEST, BEFORE, BEFORE | {"value": "38"})))).fear_greed(0)
    assert [reading.value for reading in days] == [40]
    assert {row.reason for row in days.rejected} == {"different values for 2019-02-25"}
    assert len(days.rejected) == 2


@pytest.mark.parametrize("items", [[], [{}]])
def test_an_answer_without_a_day_is_an_error(scripted: Any, answer: Answer, items: list[Any]) -> None:
    with pytest.raises(NoDataError):
        AlternativeMe(scripted(answer(body(*items)))).fear_greed(1)


@pytest.mark.parametrize("broken", [body(NEWEST, error="maintenance"), {}, [], {"metadata": {}, "data": [NEWEST]}])
def test_a_broken_answer_is_tried_again(scripted: Any, answer: Answer, retry: Retry, broken: Any) -> None:
    transport = scripted(answer(broken), answer(body(NEWEST)))
    assert len(AlternativeMe(transport, retry).fear_greed(1)) == 1
    transport = scripted(answer(broken))
    with pytest.raises(UnavailableError):
        AlternativeMe(transport, retry).fear_greed(1)


def test_a_refusal_is_final(scripted: Any, answer: Answer) -> None:
    with pytest.raises(RequestRejectedError, match="no such format"):
        AlternativeMe(scripted(answer({"error": "no such format"}, 400))).fear_greed(1)
    with pytest.raises(ValueError, match="negative"):
        AlternativeMe(scripted()).fear_greed(-1)


def test_the_recorded_index_comes_through_with_its_missing_days(
    market_data_dir: Path, scripted: Any, answer: Answer
) -> None:
    with (market_data_dir / "alternative_me/fng_daily.csv").open() as file:
        recorded = list(csv.DictReader(file))
    items = [
        {
            "value": str(int(float(row["value"]))),
            "value_classification": row["classification"],
            "timestamp": row["timestamp"],
        }
        for row in reversed(recorded)
    ]
    days = AlternativeMe(scripted(answer(body(*items)))).fear_greed(0)
    assert days.rejected == []
    assert [(str(reading.day), reading.value) for reading in days] == [
        (row["date"], int(float(row["value"]))) for row in recorded
    ]
    steps = {later.day: later.day - earlier.day for earlier, later in zip(days.rows, days.rows[1:], strict=False)}
    assert [day for day, step in steps.items() if step > timedelta(days=1)] == [date(2018, 4, 17), date(2024, 10, 27)]
