"""How old the newest of each kind may be before answers about now abstain: the deadlines that are also alerted on."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.candles.timeframes import step
from include.serving.trust import Reason

CANDLE_GRACE = timedelta(hours=1)  # beyond one candle's length after the newest close
FEATURE_LAG = timedelta(hours=2)  # behind the newest candle
TRANSFORM_LAG = timedelta(hours=2)  # of the hours searched for alerts, behind the newest candle
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
    return lagging(f"features of {what}", newest, candle, FEATURE_LAG)


def lagging(what: str, newest: datetime | None, candle: datetime | None, deadline: timedelta) -> Reason | None:
    """A reason to abstain where what is made of candles lags too far behind the newest one; None where it is in time.

    what: made of candles, in the plural. newest, candle: close times, UTC, of the newest candle it was made of and of
    the newest one there is.
    """
    if newest is None:
        return Reason("nothing_known", f"there is none of what was asked for: {what}")
    if candle is None or candle - newest <= deadline:
        return None
    said = f"the newest {what} are of {newest:%Y-%m-%d %H:%M} UTC, {_words(candle - newest)} behind the candles"
    return Reason("stale", f"{said}; the deadline is {_words(deadline)}", newest + deadline)


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // 1440} days"
