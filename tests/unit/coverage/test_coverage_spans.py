"""Sets of open times: the algebra of spans is the algebra of sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.range import Range

from include.coverage.spans import Span, count, from_ranges, intersect, of_opens, subtract, to_ranges, union, within

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
hours = st.sets(st.integers(0, 30))


def spans_of(chosen: set[int]) -> list[Span]:
    return of_opens((START + hour * HOUR for hour in chosen), HOUR)


def hours_of(spans: list[Span]) -> set[int]:
    return {(span.start - START) // HOUR + n for span in spans for n in range((span.end - span.start) // HOUR)}


@given(hours, hours)
def test_span_algebra_is_set_algebra(left: set[int], right: set[int]) -> None:
    a, b = spans_of(left), spans_of(right)
    assert hours_of(subtract(a, b)) == left - right
    assert hours_of(intersect(a, b)) == left & right
    assert hours_of(union([*a, *b])) == left | right
    assert count(a, HOUR) == len(left)
    for result in (subtract(a, b), intersect(a, b), union([*a, *b])):
        assert all(before.end < after.start for before, after in pairwise(result))
        assert all(span.start < span.end for span in result)


@given(hours)
def test_spans_go_to_the_database_and_back(chosen: set[int]) -> None:
    assert from_ranges(to_ranges(spans_of(chosen))) == spans_of(chosen)


def test_a_range_without_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="no bounds"):
        from_ranges([Range(START, None)])


@pytest.mark.parametrize(
    ("first", "last", "opens"),
    [
        ("00:00", "03:00", [0, 1, 2]),
        ("00:28:14", "03:00", [1, 2]),
        ("00:00", "02:59:59", [0, 1]),
        ("00:30", "01:30", []),
        ("00:10", "00:50", []),
    ],
)
def test_only_whole_candles_lie_within_an_outage(first: str, last: str, opens: list[int]) -> None:
    outage = Span(*(datetime.fromisoformat(f"2024-01-01 {at}").replace(tzinfo=UTC) for at in (first, last)))
    assert hours_of(within([outage], "1h")) == set(opens)
