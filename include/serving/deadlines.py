"""How old the newest of each kind may be before answers about now abstain: the deadlines that are also alerted on."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.candles.timeframes import step
from include.serving.trust import Reason

CANDLE_GRACE = timedelta(hours=1)  # beyond one candle's length after the newest close
FEATURE_LAG = timedelta(hours=2)  # behind the newest candle
TICKER_AGE = timedelta(minutes=30)
SENTIMENT_AGE = timedelta(hours=50)  # since the newest value was published; daily, sometimes late
FORECAST_AGE = timedelta(hours=2)  # since the close that the newest forecast starts from
RANKING_AGE = timedelta(hours=50)  # since the start of the newest ranked day
MODEL_AGE = timedelta(days=14)  # since the newest training, which judges who serves, the baseline too


def candle_age(timeframe: str) -> timedelta:
    """Largest age of the newest candle's close."""
    return step(timeframe) + CANDLE_GRACE


def stale(what: str, newest: datetime | None, now: datetime, deadline: timedelta) -> Reason | None:
    """A reason to abstain where the newest is older than its deadline, or there is none; None where it is in time.

    what: subject of the sentence, e.g. `the newest hourly candle of binance BTC/USDT`. newest: its time, UTC.
    """
    if newest is None:
        return Reason("nothing_known", f"there is none of what was asked for: {what}")
    if now - newest <= deadline:
        return None
    said = f"{what} is of {newest:%Y-%m-%d %H:%M} UTC, {_words(now - newest)} old; the deadline is {_words(deadline)}"
    return Reason("stale", said, newest + deadline)


def features_behind(what: str, newest: datetime | None, candle: datetime | None) -> Reason | None:
    """A reason to abstain where features lag too far behind the newest candle; None where they are in time.

    what: whose features, e.g. `binance BTC/USDT 1h`. newest, candle: close times, UTC, of the newest candle that has
    features and of the newest one there is.
    """
    if newest is None:
        return Reason("nothing_known", f"there is none of what was asked for: features of {what}")
    if candle is None or candle - newest <= FEATURE_LAG:
        return None
    lag, deadline = _words(candle - newest), _words(FEATURE_LAG)
    said = f"the newest features of {what} are of {newest:%Y-%m-%d %H:%M} UTC, {lag} behind the candles"
    return Reason("stale", f"{said}; the deadline is {deadline}", newest + FEATURE_LAG)


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // 1440} days"
