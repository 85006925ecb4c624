"""How many candles a bar of a chart is made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH, SECONDS, ceil, step
from include.serving.candles import bar_length
from include.serving.window import Window

TIMES = st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HOUR = timedelta(hours=1)


def bars(within: Window, timeframe: str, length: timedelta) -> int:
    """How many bars hold an open time of the window."""
    first, last = ceil(within.start, timeframe), ceil(within.end, timeframe) - step(timeframe)
    return max(0, (last - EPOCH) // length - (first - EPOCH) // length + 1)


@given(TIMES, TIMES, st.sampled_from(list(SECONDS)), st.integers(1, 2000))
def test_there_are_never_more_bars_than_wanted(one: datetime, other: datetime, timeframe: str, points: int) -> None:
    within = Window(min(one, other), max(one, other))
    length = bar_length(within, timeframe, points)
    assert length % step(timeframe) == timedelta(0)
    assert bars(within, timeframe, length) <= points


@given(st.integers(0, 400), st.integers(2, 40))
def test_a_length_is_the_shortest_for_every_place_of_the_window(hours: int, points: int) -> None:
    windows = [Window(EPOCH + shift * HOUR, EPOCH + (shift + hours) * HOUR) for shift in range(2 * hours + 1)]
    (length,) = {bar_length(within, "1h", points) for within in windows}
    assert length == HOUR or max(bars(within, "1h", length - HOUR) for within in windows) > points


@pytest.mark.parametrize(
    ("since", "hours", "points", "length"),
    [(0, 1, 1, 1), (0, 24, 24, 1), (0, 24, 23, 2), (0, 25, 2, 24), (3, 25, 1, 28), (0, 0, 5, 1)],
)
def test_few_hours(since: int, hours: int, points: int, length: int) -> None:
    start = EPOCH + since * HOUR
    assert bar_length(Window(start, start + hours * HOUR), "1h", points) == length * HOUR
