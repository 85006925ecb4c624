"""Fear & Greed as it was known when a candle closed: joined by publication time, never by day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from include.features.model import FEAR_GREED_MISSING_ALLOWED, FEAR_GREED_STALE_DAYS, MEAN_DAYS
from include.indicators.windows import Array, window_mean

DAY_SECONDS = 86400


def known_fear_greed(index: pd.DataFrame, closed_at: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Columns `fear_greed` and `fear_greed_*d` at each close.

    index: columns day (number of days since the epoch), value, published_at (seconds since the epoch); one row a day.
    closed_at: seconds since the epoch. A mean looks at what was published no later than its newest day was.
    """
    names = ["fear_greed", *(f"fear_greed_{days}d" for days in MEAN_DAYS)]
    columns = {name: np.full(len(closed_at), np.nan) for name in names}
    if index.empty:
        return columns
    published = index.sort_values(["published_at", "day"], ignore_index=True)
    times = published["published_at"].to_numpy(np.int64)
    newest = np.maximum.accumulate(published["day"].to_numpy(np.int64))
    found = np.searchsorted(times, closed_at, side="right") - 1
    day = newest[np.maximum(found, 0)]
    usable = (found >= 0) & (closed_at - day * DAY_SECONDS < FEAR_GREED_STALE_DAYS * DAY_SECONDS)

    in_order = index.sort_values("day")
    first = int(in_order["day"].iloc[0])
    by_day = np.full(int(in_order["day"].iloc[-1]) - first + 1, np.nan)
    # A day that was published after a later one is left out: its value was not known when that one came.
    prompt = in_order["published_at"].to_numpy() <= _earliest_later(in_order["published_at"].to_numpy(np.int64))
    kept = in_order.loc[prompt]
    by_day[kept["day"].to_numpy(np.int64) - first] = kept["value"].to_numpy(np.float64)

    place = day - first
    columns["fear_greed"][usable] = by_day[place[usable]]
    for days in MEAN_DAYS:
        mean = window_mean(by_day, days, at_least=days - FEAR_GREED_MISSING_ALLOWED)
        columns[f"fear_greed_{days}d"][usable] = mean[place[usable]]
    return columns


def _earliest_later(published: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each day the earliest publication of it or any later day."""
    return np.minimum.accumulate(published[::-1])[::-1]
