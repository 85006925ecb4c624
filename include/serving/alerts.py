"""Price alerts that stand or were sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from include.serving.deadlines import TRANSFORM_LAG, candle_age, lagging, stale
from include.serving.selection import Answer, Selection, Snapshot, UnknownSubjectError
from include.serving.trust import Reason
from include.serving.window import window
from include.warehouse.sql import statement

HOUR = timedelta(hours=1)
USUAL = timedelta(days=90)
KEY = ("triggered_at", "crypto", "venue", "symbol", "direction")


class Searched(NamedTuple):
    """How far a coin's hours have been searched for alerts; times are closes, UTC, None where there is no hour.

    newest_candle: of all hours. newest_searched: of all searched. expected, searched: hours of the window.
    """

    crypto: str
    newest_candle: datetime | None
    newest_searched: datetime | None
    expected: int
    searched: int


def alerts(
    look: Snapshot, crypto: str | None = None, start: datetime | None = None, end: datetime | None = None
) -> Answer:
    """Alerts of a coin, of all where none is named, whose candle closed in [start, end), UTC.

    start None for the last 90 days, end None for up to now. Complete is the share of the hours with a candle that have
    been searched. Where it reaches to now, the answer abstains where a coin's candles are too old or the search lags
    behind them: no alert is no news then. Raises UnknownSubjectError for a coin without a market.
    """
    within = window(look, start, end, USUAL)
    asked = {"crypto": crypto, **within.values}
    rows = look.connection.execute(statement("serving/alert_hours.sql"), {**asked, "now": look.now}).fetchall()
    coins = [Searched(*row) for row in rows]
    if crypto and not coins:
        raise UnknownSubjectError(f"there is no market of {crypto} that trades")
    expected = sum(coin.expected for coin in coins)
    percent = 100 * sum(coin.searched for coin in coins) / expected if expected else None
    known = [coin.newest_searched for coin in coins if coin.newest_searched]
    trust = look.trust(min([*known, within.end]) if len(known) == len(coins) and coins else None, percent)
    if not coins:
        trust = trust.because(Reason("nothing_known", "there is no market yet: nothing has been collected"))
    if within.end > look.now - HOUR:
        trust = trust.because(*(reason for coin in coins for reason in _reasons(look.now, coin)))
    return Answer(Selection("alerts", asked, key=KEY), trust)


def _reasons(now: datetime, coin: Searched) -> list[Reason | None]:
    return [
        stale(f"the newest hourly candle of {coin.crypto}", coin.newest_candle, now, candle_age("1h")),
        lagging(f"hours of {coin.crypto} searched for alerts", coin.newest_searched, coin.newest_candle, TRANSFORM_LAG),
    ]
