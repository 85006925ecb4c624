"""The committed record of simulated operation keeps the budget of a month; a breach is seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.month.budget import RECORD, breaches, limits, worst
from benchmarks.month.trend import HOURS_OF_A_MONTH, TICKERS_OF_A_MONTH, month, trend, trends

FEWEST_HOURS = 100


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


def test_a_month_as_the_record_carries_it_on_keeps_the_budget(record: dict[str, Any]) -> None:
    assert breaches(worst(record), limits("month")) == []


def test_what_was_seen_counts_where_the_line_ends_below_it() -> None:
    assert worst({"month": {"memory_bytes": 5, "open_files": 7}, "most": {"memory_bytes": 6, "open_files": 1}}) == {
        "memory_bytes": 6,
        "open_files": 7,
    }


def test_the_record_is_of_hours_that_all_succeeded_and_a_whole_one_of_retention(record: dict[str, Any]) -> None:
    assert record["hours"] >= FEWEST_HOURS
    assert record["samples"][-1]["hour"] == record["hours"]
    assert max(each["sitting"] for each in record["samples"]) == len(record["seconds"])
    assert record["failed_runs"] == []
    if record["hours"] >= HOURS_OF_A_MONTH:  # before, history has to stay for the hours to come
        assert record["trimmed"]["shrank"] is True


def test_the_month_follows_from_the_samples_that_are_there(record: dict[str, Any]) -> None:
    assert month(trends(record["samples"]), record["ticker"]) == record["month"]
    assert record["month"]["metadata_rows"] > TICKERS_OF_A_MONTH * record["ticker"]["metadata_rows"] > 0


@pytest.mark.parametrize("name", limits("month"))
def test_a_planted_breach_is_found(name: str) -> None:
    allowed = limits("month")
    assert breaches(allowed, allowed) == [], "a limit may be reached"
    (line,) = breaches({**allowed, name: allowed[name] + 1}, allowed)
    assert line.startswith(name)


def test_what_was_not_measured_is_a_breach() -> None:
    allowed = limits("month")
    figures = {name: value for name, value in allowed.items() if name != "memory_bytes"}
    assert [line.split(":")[0] for line in breaches(figures, allowed)] == ["memory_bytes"]


def test_a_ticker_run_is_added_for_every_five_minutes_of_the_month() -> None:
    found = {"metadata_rows": trend([0, 1, 2], [10, 20, 30]), "open_files": trend([0, 1, 2], [5, 5, 5])}
    assert month(found, {"metadata_rows": 2.5}) == {
        "metadata_rows": 10 + 10 * HOURS_OF_A_MONTH + 2.5 * 8_640,
        "open_files": 5,
    }


def test_the_first_third_is_warming_up_and_figures_that_come_and_go_are_left_out() -> None:
    samples = [{"hour": hour, "sitting": 1, "memory": 900 if hour < 3 else 100} for hour in range(9)]
    samples[4]["memory.tasks"] = 7
    assert {name: each.month for name, each in trends(samples).items()} == {"memory": 100}
    again = [each | {"hour": each["hour"] + 8, "sitting": 2} for each in samples]
    assert {name: each.month for name, each in trends(samples + again).items()} == {"memory": 100}


def test_what_a_new_start_gives_back_is_no_decline() -> None:
    samples = [{"hour": hour, "sitting": hour // 10, "memory": 100 + hour % 10} for hour in range(30)]
    assert trends(samples)["memory"].per_hour == 1


def test_a_line_is_carried_on_and_one_jump_does_not_bend_it() -> None:
    hours = list(range(24))
    values = [100.0 + 2 * hour for hour in hours]
    values[10] = 10_000.0
    found = trend(hours, values)
    assert found.per_hour == 2
    assert (found.first, found.last, found.most) == (100, 146, 10_000)
    assert found.month == 10_000, "what was seen once may be seen again"
    assert trend(hours, [100.0 + 2 * hour for hour in hours]).month == 100 + 2 * HOURS_OF_A_MONTH


def test_what_shrinks_is_not_carried_on_below_what_was_seen() -> None:
    assert trend([0, 1, 2], [9, 8, 7]).month == 9


def test_two_samples_make_no_line() -> None:
    with pytest.raises(ValueError, match="three"):
        trend([0, 1], [1, 2])


def test_the_budget_file_has_both_sections() -> None:
    assert limits("month").keys() >= {"memory_bytes", "open_files", "log_bytes", "metadata_rows"}
    assert limits("run").keys() >= {"log_bytes", "metadata_rows"}
    with pytest.raises(KeyError):
        limits("year")
