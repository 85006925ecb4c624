"""When CoinGecko may be asked for the next snapshot: by what its plan's credits allow until the month ends."""

from __future__ import annotations

from datetime import datetime

from include.collect.outcome import NothingToCollect
from include.politeness.store import used_since
from include.venues.coingecko_plan import coin_interval, is_due
from include.warehouse.connection import Connection


def require_due(
    connection: Connection, tier: str, coins: list[str], credits_per_month: int | None, now: datetime
) -> None:
    """Raises NothingToCollect while the newest snapshot is younger than what the plan's credits allow."""
    used = used_since(connection, "coingecko").requests
    interval = coin_interval(tier, credits_per_month, used, now)
    # Midnights are of the daily history.
    query = (
        "select max(observed_at) from market.coin_snapshot"
        " where coin = any(%s) and observed_at <> date_trunc('day', observed_at, 'UTC')"
    )
    row = connection.execute(query, (coins,)).fetchone()
    newest = row[0] if row else None
    if not is_due(newest, interval, now):
        raise NothingToCollect(
            f"the {tier} plan allows snapshots every {interval} ({used} requests this month); "
            f"the newest is of {newest:%Y-%m-%d %H:%M} UTC"
        )
