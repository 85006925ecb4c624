"""Buckets in the database: whatever is asked, whenever, no window holds more than its limit; and little less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.politeness import store
from include.politeness.bucket import bucket
from include.politeness.priority import Priority
from include.venues.capabilities import Limit
from include.warehouse.connection import Connection

START = datetime(2024, 6, 1, 12, 59, 57, tzinfo=UTC)  # three seconds before a minute, and an hour, begins
LIMITS = [
    [Limit(6000, 60)],
    [Limit(1200, 60)],
    [Limit(1, 1)],
    [Limit(5, 1)],
    [Limit(25, 60), Limit(300, 86_400)],
    [Limit(3, 7), Limit(40, 3600)],
]

Asked = tuple[float, float, Priority]  # seconds since the one before, weight, priority


def granted(
    connection: Connection, limits: list[Limit], asked: list[Asked], heaviest: float
) -> list[tuple[float, float]]:
    """Let requests come in; whoever has to wait comes back when told. Seconds since START and weight of each grant."""
    connection.execute("truncate ops.circuit, ops.rate_budget, ops.request_usage")
    store.configure(connection, "host", [bucket(limit, heaviest) for limit in limits], START)
    at, grants = 0.0, []
    for gap, weight, priority in asked:
        at += gap
        has_turn = False
        for _ in range(4):  # a wait for two buckets may be longer by their rounding, never endless
            grant = store.take(connection, "host", weight, priority, has_turn, START + timedelta(seconds=at))
            if grant.outcome == "granted":
                break
            assert grant.outcome == "wait"
            has_turn = True
            at += max(grant.wait_seconds, 1e-6)
        assert grant.outcome == "granted"
        grants.append((at, weight))
    return grants


def heaviest_window(grants: list[tuple[float, float]], seconds: float) -> float:
    """The most weight within any `seconds`, the end not included, wherever they begin."""
    most, sum_, first = 0.0, 0.0, 0
    for at, weight in grants:
        sum_ += weight
        while grants[first][0] <= at - seconds:
            sum_ -= grants[first][1]
            first += 1
        most = max(most, sum_)
    return most


GAPS = st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 5), st.sampled_from([59.999, 60, 3600]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_no_window_holds_more_than_its_limit(owner: Connection, limits: list[Limit], data: st.DataObject) -> None:
    weights = [1.0, 2.0, 20.0] if limits[0].units >= 1200 else [1.0]
    asked = data.draw(
        st.lists(st.tuples(GAPS, st.sampled_from(weights), st.sampled_from(list(Priority))), min_size=20, max_size=60)
    )
    grants = granted(owner, limits, asked, max(weights))
    for limit in limits:
        assert heaviest_window(grants, limit.seconds) <= limit.units


@pytest.mark.parametrize(("limits", "share"), [([Limit(6000, 60)], 0.97), ([Limit(5, 1)], 0.95), ([Limit(1, 1)], 0.95)])
def test_whoever_never_stops_asking_is_near_the_limit_and_never_above(
    owner: Connection, limits: list[Limit], share: float
) -> None:
    weight = 20.0 if limits[0].units > 100 else 1.0
    grants = granted(owner, limits, [(0.0, weight, Priority.BACKFILL)] * 400, weight)
    lasted = grants[-1][0] - grants[0][0]
    assert sum(weight for _, weight in grants[1:]) / lasted >= share * limits[0].units / limits[0].seconds
    assert heaviest_window(grants, limits[0].seconds) <= limits[0].units


def test_a_request_heavier_than_the_limit_passes_alone_and_is_paid_off(owner: Connection) -> None:
    asked = [(0.0, 1.5, Priority.LIVE)] * 5
    times = [at for at, _ in granted(owner, [Limit(1, 1)], asked, 1.5)]
    assert [round(later - earlier, 2) for earlier, later in pairwise(times)] == [1.57] * 4


def test_a_clock_that_is_set_back_gives_nothing_and_stops_nothing(owner: Connection) -> None:
    granted(owner, [Limit(1, 1)], [(0.0, 1, Priority.LIVE)] * 3, 1)
    earlier = START - timedelta(hours=1)
    first = store.take(owner, "host", 1, Priority.LIVE, False, earlier)
    later = store.take(owner, "host", 1, Priority.LIVE, True, earlier + timedelta(seconds=first.wait_seconds))
    assert (first.outcome, later.outcome) == ("wait", "wait"), "the wait counts from the last known time"
    assert first.wait_seconds == pytest.approx(1.05, abs=0.01)


def test_a_low_priority_leaves_a_reserve_and_a_limit_per_day_has_tokens_for_live_at_once(owner: Connection) -> None:
    day = [bucket(Limit(300, 86_400))]
    store.configure(owner, "host", day, START)

    def until_refused(priority: Priority) -> int:
        count = 0
        while store.take(owner, "host", 1, priority, False, START).outcome == "granted":
            count += 1
        store.give_up_turn(owner, "host", priority)
        return count

    assert [until_refused(each) for each in (Priority.BACKFILL, Priority.REPAIR, Priority.LIVE)] == [56, 11, 8]


def test_usage_is_summed_by_hour_and_a_month_can_be_asked(owner: Connection) -> None:
    store.configure(owner, "kraken", [bucket(Limit(1000, 1))], START)
    for seconds, weight, priority in [(0, 1, Priority.LIVE), (1, 1.5, Priority.LIVE), (3, 1.5, Priority.REPAIR)]:
        store.take(owner, "kraken", weight, priority, False, START + timedelta(seconds=seconds))
    rows = owner.execute("select hour, priority, requests, weight from ops.request_usage order by 1, 2").fetchall()
    hour = datetime(2024, 6, 1, 12, tzinfo=UTC)
    assert rows == [(hour, "live", 2, 2.5), (hour + timedelta(hours=1), "repair", 1, 1.5)]
    assert store.used_since(owner, "kraken", datetime(2024, 6, 1, tzinfo=UTC)) == (3, 4.0)
    assert store.used_since(owner, "kraken", datetime(2024, 6, 1, 13, 30, tzinfo=UTC)) == (1, 1.5)
    assert store.used_since(owner, "kraken", datetime(2024, 6, 1, 14, tzinfo=UTC)) == (0, 0.0)
    assert store.used_since(owner, "coinbase", START) == (0, 0.0)
    assert store.used_since(owner, "kraken") == (0, 0.0), "this month, by the database's clock"
    store.take(owner, "kraken", 1, Priority.LIVE)
    assert store.used_since(owner, "kraken") == (1, 1.0)
