"""Fear & Greed as it was known when a candle closed: joined by publication time, never by day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from include.features.model import FEAR_GREED_MISSING_ALLOWED, FEAR_GREED_STALE_DAYS, MEAN_DAYS
from include.indicators.windows import Array, window_mean

DAY_SECONDS = 86400


def known_fear_greed(index: Mapping[str, Array], closed_at: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Columns `fear_greed` and `fear_greed_*d` at each close.

    index: columns day (number of days since the epoch), value, published_at (seconds since the epoch); one row a day.
    closed_at: seconds since the epoch. A mean looks at what was published no later than its newest day was.
    """
    names = ["fear_greed", *(f"fear_greed_{days}d" for days in MEAN_DAYS)]
    columns = {name: np.full(len(closed_at), np.nan) for name in names}
    day_of, values = index["day"].astype(np.int64), index["value"]
    published_at = index["published_at"].astype(np.int64)
    if len(day_of) == 0:
        return columns
    by_publication = np.lexsort((day_of, published_at))
    newest = np.maximum.accumulate(day_of[by_publication])
    found = np.searchsorted(published_at[by_publication], closed_at, side="right") - 1
    day = newest[np.maximum(found, 0)]
    usable = (found >= 0) & (closed_at - day * DAY_SECONDS < FEAR_GREED_STALE_DAYS * DAY_SECONDS)

    in_order = np.argsort(day_of)
    day_of, values, published_at = day_of[in_order], values[in_order], published_at[in_order]
    first = int(day_of[0])
    by_day = np.full(int(day_of[-1]) - first + 1, np.nan)
    # A day that was published after a later one is left out: its value was not known when that one came.
    prompt = published_at <= _earliest_later(published_at)
    by_day[day_of[prompt] - first] = values[prompt]

    place = day - first
    columns["fear_greed"][usable] = by_day[place[usable]]
    for days in MEAN_DAYS:
        mean = window_mean(by_day, days, at_least=days - FEAR_GREED_MISSING_ALLOWED)
        columns[f"fear_greed_{days}d"][usable] = mean[place[usable]]
    return columns


def _earliest_later(published: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each day the earliest publication of it or any later day."""
    return np.minimum.accumulate(published[::-1])[::-1]
