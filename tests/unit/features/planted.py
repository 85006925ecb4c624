"""Columns that see the future, as people have really written them, and honest ones that look much like them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from ta.trend import DPOIndicator, IchimokuIndicator, KSTIndicator

from include.candles.timeframes import SECONDS
from include.features.compute import compute_features

DAY_SECONDS = 86400


class Given(NamedTuple):
    """What a column is made of: candles, index, and the real features of them."""

    candles: pd.DataFrame
    fear_greed: pd.DataFrame
    timeframe: str
    step: int
    features: pd.DataFrame


Values = pd.Series | npt.NDArray[np.float64]
Column = Callable[[Given], Values]


def with_columns(
    candles: pd.DataFrame, fear_greed: pd.DataFrame, *, columns: tuple[Column, ...], timeframe: str
) -> pd.DataFrame:
    """The real features and, beside them, columns of ours."""
    features = compute_features(candles, fear_greed, timeframe)
    given = Given(candles, fear_greed, timeframe, SECONDS[timeframe], features)
    return features.assign(**{column.__name__: column(given) for column in columns})


def known_day(given: Given) -> npt.NDArray[np.float64]:
    """The newest day published by each close, NaN before the first."""
    published = given.fear_greed.sort_values("published_at")
    found = np.searchsorted(published["published_at"], (given.candles["bar"] + 1) * given.step, side="right")
    return np.concatenate([[np.nan], np.maximum.accumulate(published["day"].to_numpy(float))])[found]


def with_publication(given: Given, published_at: pd.Series[int]) -> pd.DataFrame:
    """The real features of an index that was published at other times."""
    return compute_features(given.candles, given.fear_greed.assign(published_at=published_at), given.timeframe)


def centred_window(given: Given) -> Values:
    return given.candles["close"].rolling(25, center=True, min_periods=1).mean()


def smoothed_by_convolution(given: Given) -> Values:
    return np.convolve(given.candles["close"], np.full(9, 1 / 9))[4:-4]


def next_bar(given: Given) -> Values:
    return np.log(given.candles["close"]).diff().shift(-1)


def window_with_the_next_bar(given: Given) -> Values:
    return given.candles["high"].rolling(24, min_periods=1).max().shift(-1)


def open_candle(given: Given) -> Values:
    """The row is stamped with its close, the candle found by its open time: the one that has just begun."""
    rows = pd.DataFrame({"at": (given.candles["bar"] + 1) * given.step})
    found = pd.merge_asof(rows, given.candles.assign(at=given.candles["bar"] * given.step), on="at")
    return found["high"] - found["low"]


def back_filled(given: Given) -> Values:
    return given.features["rsi_14"].bfill()


def shuffled_join(given: Given) -> Values:
    return given.features["range_percent"].sample(frac=1, random_state=7).reset_index(drop=True)


def wrapped_around(given: Given) -> Values:
    return given.candles["close"].to_numpy() / np.roll(given.candles["close"], 24)


def days_close_for_its_hours(given: Given) -> Values:
    return given.candles["close"].groupby(given.candles["bar"] // 24).transform("last")


def standardised_by_the_whole(given: Given) -> Values:
    return (given.candles["close"] - given.candles["close"].mean()) / given.candles["close"].std()


def scaled_by_the_maximum(given: Given) -> Values:
    return given.candles["base_volume"] / given.candles["base_volume"].max()


def scaled_by_its_block(given: Given) -> Values:
    return given.candles["close"] / given.candles["close"].groupby(given.candles["bar"] // 480).transform("max")


def quantile_of_the_whole(given: Given) -> Values:
    return given.candles["base_volume"].rank(pct=True)


def filtered_both_ways(given: Given) -> Values:
    forth = given.candles["close"].ewm(alpha=0.1, adjust=False).mean()
    return forth[::-1].ewm(alpha=0.1, adjust=False).mean()[::-1]


def freed_of_its_trend(given: Given) -> Values:
    logs = np.log(given.candles["close"].to_numpy())
    return logs - np.linspace(logs[0], logs[-1], len(logs))


def low_frequencies(given: Given) -> Values:
    spectrum = np.fft.rfft(given.candles["close"].to_numpy())
    spectrum[20:] = 0
    return np.fft.irfft(spectrum, len(given.candles))


def summed_from_the_end(given: Given) -> Values:
    """The sum up to here, right but for its last bits: those come from what follows."""
    volume = given.candles["base_volume"]
    return volume.sum() - volume[::-1].cumsum()[::-1]


def rounded_to_the_scale_of_the_whole(given: Given) -> Values:
    """Fixed point with as many places as the largest value of the series leaves."""
    quantum = 2.0 ** (np.ceil(np.log2(given.candles["close"].max())) - 50)
    return (given.candles["close"] / 3 / quantum).round() * quantum


def bars_to_the_next_outage(given: Given) -> Values:
    """Says nothing of any price, and a lot of which candles will be there."""
    last_of_run = given.candles["bar"].where(given.candles["bar"].diff(-1) != -1).bfill()
    return (last_of_run - given.candles["bar"]).astype(float)


def sentiment_by_day(given: Given) -> Values:
    return with_publication(given, given.fear_greed["day"] * DAY_SECONDS)["fear_greed"]


def sentiment_by_floored_publication(given: Given) -> Values:
    floored = given.fear_greed["published_at"] // given.step * given.step
    return with_publication(given, floored)["fear_greed"]


def sentiment_back_filled(given: Given) -> Values:
    return given.features["fear_greed"].bfill()


def sentiment_with_late_days(given: Given) -> Values:
    """The newest day is one that was published; the days before it are taken without asking."""
    by_day = given.fear_greed.set_index("day")["value"]
    every = pd.RangeIndex(int(by_day.index.min()), int(by_day.index.max()) + 1) if len(by_day) else pd.RangeIndex(0)
    means = by_day.reindex(every).rolling(7, min_periods=1).mean()
    return pd.Series(known_day(given)).map(means)


def kst_of_ta(given: Given) -> Values:
    return KSTIndicator(given.candles["close"]).kst()


def ichimoku_of_ta(given: Given) -> Values:
    return IchimokuIndicator(given.candles["high"], given.candles["low"], visual=True).ichimoku_a()


def detrended_price_of_ta(given: Given) -> Values:
    return DPOIndicator(given.candles["close"], fillna=True).dpo()


LEAKS: tuple[Column, ...] = (
    centred_window, smoothed_by_convolution, next_bar, window_with_the_next_bar, open_candle, back_filled,
    shuffled_join, wrapped_around, days_close_for_its_hours, standardised_by_the_whole, scaled_by_the_maximum,
    scaled_by_its_block, quantile_of_the_whole, filtered_both_ways, freed_of_its_trend, low_frequencies,
    summed_from_the_end, rounded_to_the_scale_of_the_whole, bars_to_the_next_outage, sentiment_by_day,
    sentiment_by_floored_publication, sentiment_back_filled, sentiment_with_late_days, kst_of_ta, ichimoku_of_ta,
    detrended_price_of_ta,
)  # fmt: skip


def trailing_window(given: Given) -> Values:
    return given.candles["close"].rolling(25, min_periods=1).mean()


def previous_bar(given: Given) -> Values:
    return np.log(given.candles["close"]).diff().shift(1)


def closed_candle(given: Given) -> Values:
    rows = pd.DataFrame({"at": (given.candles["bar"] + 1) * given.step})
    found = pd.merge_asof(rows, given.candles.assign(at=(given.candles["bar"] + 1) * given.step), on="at")
    return found["high"] - found["low"]


def carried_forward(given: Given) -> Values:
    return given.features["rsi_14"].ffill()


def days_close_of_yesterday(given: Given) -> Values:
    day = given.candles["bar"] // 24
    return day.map(given.candles["close"].groupby(day).last().shift(1))


def days_high_so_far(given: Given) -> Values:
    return given.candles["high"].groupby(given.candles["bar"] // 24).cummax()


def standardised_by_the_past(given: Given) -> Values:
    past = given.candles["close"].expanding(2)
    return (given.candles["close"] - past.mean()) / past.std()


def quantile_of_the_past(given: Given) -> Values:
    return given.candles["base_volume"].expanding().rank(pct=True)


def filtered_forth(given: Given) -> Values:
    return given.candles["close"].ewm(alpha=0.1, adjust=False).mean()


def summed_from_the_start(given: Given) -> Values:
    return given.candles["base_volume"].cumsum()


def newest_day_published(given: Given) -> Values:
    return known_day(given)


HONEST: tuple[Column, ...] = (
    trailing_window, previous_bar, closed_candle, carried_forward, days_close_of_yesterday, days_high_so_far,
    standardised_by_the_past, quantile_of_the_past, filtered_forth, summed_from_the_start, newest_day_published,
)  # fmt: skip
