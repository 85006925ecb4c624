"""The arithmetic of limits: never above them, and hardly below."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.politeness.bucket import bucket
from include.politeness.limits import buckets_of
from include.venues.capabilities import CAPABILITIES, Limit


@given(st.floats(0.1, 1e6), st.sampled_from([1, 10, 60, 3600, 86_400]), st.sampled_from([1, 1.5, 2, 20, 1000]))
def test_what_a_window_lets_pass_is_never_more_than_its_units(units: float, seconds: int, heaviest: float) -> None:
    made = bucket(Limit(units, seconds), heaviest)
    assert 0 < made.capacity <= units
    if made.capacity > 1:
        assert made.capacity + made.refill_per_second * seconds <= units
        assert made.capacity >= heaviest or heaviest > units / 2
    else:
        # Each request of weight 1 leaves from a full bucket: n of them span at least (n - 1) / refill seconds.
        assert made.refill_per_second * seconds < units


@pytest.mark.parametrize(
    ("units", "seconds", "share"), [(6000, 60, 0.97), (1200, 60, 0.97), (100, 10, 0.97), (100, 1, 0.9)]
)
def test_a_host_that_is_asked_without_pause_is_asked_near_its_limit(units: float, seconds: int, share: float) -> None:
    assert bucket(Limit(units, seconds)).refill_per_second * seconds >= share * units


def test_a_limit_per_second_is_paced_evenly() -> None:
    one = bucket(Limit(1, 1), 1.5)
    assert (one.capacity, round(1 / one.refill_per_second, 2)) == (1, 1.05)
    five = bucket(Limit(5, 1))
    assert (five.capacity, round(1 / five.refill_per_second, 2)) == (1, 0.21)


def test_a_limit_per_day_may_be_spent_in_short_runs() -> None:
    day = bucket(Limit(300, 86_400))
    assert day.capacity == 75
    assert day.refill_per_second * 86_400 == pytest.approx(225 / 1.01)


@pytest.mark.parametrize("limit", [Limit(0, 60), Limit(-1, 60), Limit(5, 0)])
def test_a_limit_that_allows_nothing_is_refused(limit: Limit) -> None:
    with pytest.raises(ValueError, match="allows nothing"):
        bucket(limit)


@pytest.mark.parametrize("source", sorted(CAPABILITIES))
def test_every_source_can_send_its_heaviest_request_at_once(source: str) -> None:
    known = CAPABILITIES[source]
    heaviest = max(known.candles_weight, known.tickers_weight, known.listing_weight)
    assert [each.seconds for each in buckets_of(source)] == [limit.seconds for limit in known.host_limits]
    for each in buckets_of(source):
        assert each.capacity >= heaviest or heaviest > each.units / 2
