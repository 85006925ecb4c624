"""CoinGecko's plans: where each is served, what it allows, and how often it lets us look.

Facts: the API's own documentation as of 2026; of the demo plan's history and of keyless calls only users tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SHORTEST_INTERVAL = timedelta(minutes=10)
# Part of a month's credits that is left for the daily history and for requests that are tried again.
RESERVE = 0.1
# Runs do not begin to the second, and CoinGecko's own stamp is up to a minute older than the answer.
_SLACK = timedelta(minutes=1)
_FREE_REACH = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Plan:
    """One of CoinGecko's plans.

    base_url: of its host. key_header: how its key is sent; a key does not show its plan, and a wrong header is
    refused. credits_per_month: requests it pays for; None where no limit is known. history_reach: how far back it
    answers; None for everything there is.
    """

    base_url: str
    key_header: str | None
    credits_per_month: int | None
    history_reach: timedelta | None


PLANS: dict[str, Plan] = {
    "keyless": Plan("https://api.coingecko.com/api/v3", None, None, _FREE_REACH),
    "demo": Plan("https://api.coingecko.com/api/v3", "x-cg-demo-api-key", 10_000, _FREE_REACH),
    # What a paid plan's month holds depends on the contract: configure it.
    "pro": Plan("https://pro-api.coingecko.com/api/v3", "x-cg-pro-api-key", None, None),
}


def coin_interval(tier: str, credits_per_month: int | None, used_this_month: int, now: datetime) -> timedelta:
    """How far apart snapshots lie so that the plan's credits last until the month (UTC) ends: 10 minutes, or more.

    credits_per_month: of the contract; None for what the plan is known to have. Where nothing is left, all that is
    left of the month.
    """
    allowed = PLANS[tier].credits_per_month if credits_per_month is None else credits_per_month
    if allowed is None:
        return SHORTEST_INTERVAL
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rest = (month + timedelta(days=32)).replace(day=1) - now
    left = math.floor(allowed * (1 - RESERVE)) - used_this_month
    if left <= 0:
        return rest
    return max(SHORTEST_INTERVAL, math.ceil(rest / left / SHORTEST_INTERVAL) * SHORTEST_INTERVAL)


def is_due(newest: datetime | None, interval: timedelta, now: datetime) -> bool:
    """Whether the next snapshot may be taken at `now`, the last one being of `newest` (None: there is none)."""
    return newest is None or now - newest >= interval - _SLACK
