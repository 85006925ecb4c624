from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.venues.coingecko_plan import SHORTEST_INTERVAL, coin_interval, is_due

FIRST = datetime(2024, 9, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_ten_minutes_where_no_limit_is_known_or_the_credits_do() -> None:
    assert coin_interval("keyless", None, 10**6, FIRST) == SHORTEST_INTERVAL
    assert coin_interval("pro", None, 10**6, FIRST) == SHORTEST_INTERVAL
    # 30 days in steps of 10 minutes are 4320 of the demo plan's 10,000.
    assert coin_interval("demo", None, 0, FIRST) == SHORTEST_INTERVAL
    assert coin_interval("demo", None, 4680, FIRST) == SHORTEST_INTERVAL


def test_less_often_where_they_do_not() -> None:
    assert coin_interval("demo", None, 4681, FIRST) == 20 * MINUTE
    assert coin_interval("demo", None, 8000, FIRST) == 50 * MINUTE
    assert coin_interval("pro", 1000, 0, FIRST) == 50 * MINUTE
    assert coin_interval("keyless", 100, 0, FIRST) == 480 * MINUTE
    assert coin_interval("demo", None, 8999, FIRST) == 30 * DAY


def test_not_again_this_month_where_nothing_is_left() -> None:
    now = datetime(2024, 12, 30, 18, tzinfo=UTC)
    assert coin_interval("demo", None, 9000, now) == timedelta(hours=30)
    assert coin_interval("demo", None, 12_000, now) == timedelta(hours=30)
    assert coin_interval("demo", 100_000, 12_000, now) == SHORTEST_INTERVAL


@given(
    credits=st.integers(1, 20_000),
    used=st.integers(0, 20_000),
    second=st.integers(0, 366 * 86_400 - 1),
)
def test_the_rest_of_the_month_never_costs_more_than_is_left(credits: int, used: int, second: int) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    month_ends = (now.replace(day=1, hour=0, minute=0, second=0) + 32 * DAY).replace(day=1)
    interval = coin_interval("demo", credits, used, now)
    assert interval >= min(SHORTEST_INTERVAL, month_ends - now)
    left = max(credits - used, 0)
    assert (month_ends - now) / interval <= max(left, 1)


def test_an_unknown_plan_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        coin_interval("gold", None, 0, FIRST)


def test_due_when_the_newest_is_an_interval_old_give_or_take_a_minute() -> None:
    assert is_due(None, 10 * MINUTE, FIRST)
    assert is_due(FIRST - 9 * MINUTE, 10 * MINUTE, FIRST)
    assert not is_due(FIRST - 8 * MINUTE, 10 * MINUTE, FIRST)
    assert not is_due(FIRST, 10 * MINUTE, FIRST)
