"""Limits as a deployment writes them, and the host's own count."""

from __future__ import annotations

import pytest

from include.politeness.limits import buckets_of, most_used_weight, read_limits
from include.venues.capabilities import Limit


def test_pairs_of_units_and_seconds_are_limits() -> None:
    assert read_limits([[1200, 60], [2.5, 1]]) == (Limit(1200, 60), Limit(2.5, 1))


@pytest.mark.parametrize(
    "value",
    [None, [], "1200/60", 1200, [1200, 60], [[1200]], [["1200", 60]], [[1200, 60.5]], [[True, 60]], [[0, 60]],
     [[1, 0]], [[float("nan"), 60]], [[float("inf"), 60]], {"limits": 1}, [[1200, True]], ["ab"]],
)  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"pairs of units and seconds, like \[\[1200, 60\]\]"):
        read_limits(value)


def test_two_limits_for_one_window_are_refused() -> None:
    with pytest.raises(ValueError, match="one limit for each number of seconds"):
        read_limits([[10, 60], [20, 60]])


def test_no_limit_is_no_budget() -> None:
    with pytest.raises(ValueError, match="mars has no limit"):
        buckets_of("mars")
    with pytest.raises(ValueError, match="binance has no limit"):
        buckets_of("binance", [])
    assert buckets_of("mars", [Limit(10, 60)])[0].units == 10


@pytest.mark.parametrize(
    ("source", "limits", "most"),
    [
        ("binance", None, 4800),
        ("binance", [Limit(6000, 60)], 6000),
        ("binance", [Limit(90, 1)], 5400),
        ("binance", [Limit(6000, 60), Limit(100_000, 3600)], 6000),
        ("kraken", None, None),
        ("mars", [Limit(1, 1)], None),
    ],
)
def test_we_pause_at_a_share_of_the_venues_own_count_but_not_for_our_own_pace(
    source: str, limits: list[Limit] | None, most: float | None
) -> None:
    assert most_used_weight(source, buckets_of(source, limits)) == most
