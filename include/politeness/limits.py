"""The limits a source is asked within: its own of capabilities.py, or those of a deployment."""

from __future__ import annotations

from collections.abc import Sequence

from include.politeness.bucket import Bucket, bucket
from include.politeness.verdict import USED_WEIGHT_HEADERS
from include.venues.capabilities import CAPABILITIES, Limit


def read_limits(value: object) -> tuple[Limit, ...]:
    """Limits as a setting writes them: `[[1200, 60], [300, 86400]]`, pairs of units and whole seconds.

    Raises ValueError for anything else.
    """
    wrong = ValueError(f"limits are pairs of units and seconds, like [[1200, 60]], not {value!r}")
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
        raise wrong
    limits = []
    for pair in value:
        if not isinstance(pair, Sequence) or isinstance(pair, str | bytes) or len(pair) != 2:
            raise wrong
        units, seconds = pair
        if isinstance(units, bool) or not isinstance(units, int | float) or type(seconds) is not int:
            raise wrong
        if not (0 < units < float("inf") and seconds > 0):
            raise wrong
        limits.append(Limit(units, seconds))
    if len({limit.seconds for limit in limits}) != len(limits):
        raise ValueError(f"one limit for each number of seconds, not {value!r}")
    return tuple(limits)


def buckets_of(source: str, limits: Sequence[Limit] | None = None) -> tuple[Bucket, ...]:
    """Buckets of a source's limits; ValueError where there is none, since no limit is no budget."""
    known = CAPABILITIES.get(source)
    limits = known.host_limits if limits is None and known else limits
    if not limits:
        raise ValueError(f"{source} has no limit: capabilities.py does not know it, and none is configured")
    heaviest = max(known.candles_weight, known.tickers_weight, known.listing_weight) if known else 1
    return tuple(bucket(limit, heaviest) for limit in limits)


def most_used_weight(source: str, buckets: Sequence[Bucket]) -> float | None:
    """Weight by the host's own count after which everybody waits for its next minute; None where it counts none.

    It never lies below what our own budget lets through in a minute: our own pace must not stop us.
    """
    known = CAPABILITIES.get(source)
    if known is None or source not in USED_WEIGHT_HEADERS:
        return None
    ours = min(each.units * max(1, 60 / each.seconds) for each in buckets)
    return max(known.pause_above * known.weight_per_minute, ours)
