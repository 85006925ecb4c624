"""The arithmetic of a limit: a token bucket that keeps "at most `units` in any `seconds`", wherever the window begins.

What a bucket lets pass in a span of d seconds is at most capacity + refill * d, so `capacity + refill * seconds`
must not exceed `units`. The buckets themselves are rows of ops.rate_budget, and ops.take_tokens fills and empties them.
"""

from __future__ import annotations

from typing import NamedTuple

from include.venues.capabilities import Limit

# Share of a limit that may be spent at once. Small for limits per second or minute, where it costs pace (the rest flows
# evenly), but what flows in BURST_SECONDS, so that whoever wakes up late finds what it has slept through; large for
# limits per hour or day, which are there to be spent in a few short runs.
BURST_SHARE = 0.015
BURST_SECONDS = 0.05
LONG_BURST_SHARE = 0.25
LONG_WINDOW_SECONDS = 3600
# A request reaches the host a little after it was let go, and not always by the same little: this many seconds of
# jitter (a share of the window, at least LEAST_SLACK_SECONDS) do not carry a request into a window that is full.
SLACK_SHARE = 0.01
LEAST_SLACK_SECONDS = 0.05


class Bucket(NamedTuple):
    """A limit as token bucket; `units` and `capacity` in the host's weight, `refill_per_second` in weight a second."""

    units: float
    seconds: int
    capacity: float
    refill_per_second: float


def bucket(limit: Limit, heaviest: float = 1) -> Bucket:
    """The bucket of a limit for requests of weight 1 and more, up to `heaviest`.

    It holds the limit for requests up to half of `units`. Heavier ones wait for a full bucket, pass, and are paid off
    before the next: the limit is then kept in the long run, and in the window exceeded by no more than that request.
    Raises ValueError for a limit that allows nothing.
    """
    if limit.units <= 0 or limit.seconds <= 0:
        raise ValueError(f"a limit of {limit.units} in {limit.seconds} s allows nothing")
    units = float(limit.units)
    share = max(BURST_SHARE, BURST_SECONDS / limit.seconds)
    if limit.seconds >= LONG_WINDOW_SECONDS:
        share = LONG_BURST_SHARE
    capacity = max(share * units, 1.0, float(heaviest) if heaviest <= units / 2 else 1.0)
    slack = max(SLACK_SHARE * limit.seconds, LEAST_SLACK_SECONDS)
    if capacity <= 1:
        # One request at a time, each from a full bucket: then even the request that ends a window is within it.
        return Bucket(units, limit.seconds, min(1.0, units), units / (limit.seconds + slack))
    return Bucket(units, limit.seconds, capacity, (units - capacity) / (limit.seconds + slack))
