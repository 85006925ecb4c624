"""Finds look-ahead in a computation of features: the future is changed, and no bit of the past may move.

A candle is known once it has closed, an index value from its publication on. A cut is the close of one candle: all that
was not known by then is exchanged for other futures, and every column of every row up to the cut is compared with what
it was, byte by byte. A NaN stands for NULL, whatever its payload. Times: bars and days are counted from the epoch,
`published_at` and closes are seconds since it (UTC), as in include/features/compute.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from include.candles.timeframes import SECONDS

DAY_SECONDS = 86400
PRICES = ["open", "high", "low", "close"]
VOLUMES = ["base_volume", "taker_buy_base_volume"]


class Inputs(NamedTuple):
    """What features are computed from: candles by bar, index values by day, each in order and unique."""

    candles: pd.DataFrame
    fear_greed: pd.DataFrame


class Cut(NamedTuple):
    """The close of a bar, and the inputs known by then and not."""

    bar: int
    closes_at: int
    step: int
    known: Inputs
    unknown: Inputs


class Leak(NamedTuple):
    """A column whose value at `bar` depends on what became known after `cut`, the close of a bar at or after it."""

    column: str
    bar: int
    cut: int
    future: str


Compute = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
Future = Callable[[Cut, np.random.Generator], Inputs]


def split(inputs: Inputs, bar: int, timeframe: str) -> Cut:
    """Cut the inputs at the close of a bar."""
    step = SECONDS[timeframe]
    closes_at = (bar + 1) * step
    closed, published = inputs.candles["bar"] <= bar, inputs.fear_greed["published_at"] <= closes_at
    return Cut(
        bar,
        closes_at,
        step,
        Inputs(inputs.candles.loc[closed], inputs.fear_greed.loc[published]),
        Inputs(inputs.candles.loc[~closed], inputs.fear_greed.loc[~published]),
    )


def with_future(cut: Cut, future: Inputs) -> Inputs:
    """The known past with another future. Raises ValueError where that is not one: then a leak would prove nothing."""
    if (future.candles["bar"] <= cut.bar).any() or (future.fear_greed["published_at"] <= cut.closes_at).any():
        raise ValueError("a future begins after the cut")
    candles, index = (
        # An empty frame beside a full one would only decide about types.
        pd.concat([part for part in parts if len(part)] or parts[:1])
        for parts in zip(cut.known, future, strict=True)
    )
    return Inputs(
        candles.sort_values("bar", ignore_index=True).astype({"bar": np.int64}),
        index.drop_duplicates("day").sort_values("day", ignore_index=True),
    )


def none(cut: Cut, random: np.random.Generator) -> Inputs:
    """Nothing comes any more."""
    return Inputs(cut.unknown.candles.iloc[:0], cut.unknown.fear_greed.iloc[:0])


def dearer(cut: Cut, random: np.random.Generator) -> Inputs:
    """Prices and volumes beyond any seen; the index at its highest and all of it published at once."""
    candles, index = cut.unknown.candles.copy(), cut.unknown.fear_greed.copy()
    candles[PRICES + VOLUMES] *= 1e6
    index["value"] = 100.0
    index["published_at"] = cut.closes_at + 1
    return Inputs(candles, index)


def cheaper(cut: Cut, random: np.random.Generator) -> Inputs:
    """Next to no price, no trade, no taker known; the index at its lowest and days late."""
    candles, index = cut.unknown.candles.copy(), cut.unknown.fear_greed.copy()
    candles[PRICES] *= 1e-6
    candles["base_volume"] = 0.0
    candles["taker_buy_base_volume"] = np.nan
    index["value"] = 0.0
    index["published_at"] += 9 * DAY_SECONDS
    return Inputs(candles, index)


def drawn(cut: Cut, random: np.random.Generator) -> Inputs:
    """Other prices, volumes, values and hours of publication of the same size as the real ones."""
    candles, index = cut.unknown.candles.copy(), cut.unknown.fear_greed.copy()
    candles[PRICES] = candles[PRICES].mul(np.exp(random.normal(0, 0.05, len(candles))), axis=0)
    candles[VOLUMES] = candles[VOLUMES].mul(random.uniform(0.2, 3, len(candles)), axis=0)
    index["value"] = random.integers(0, 101, len(index)).astype(float)
    delays = random.integers(1, 2 * DAY_SECONDS, len(index))
    index["published_at"] = np.maximum(index["published_at"], cut.closes_at) + delays
    return Inputs(candles, index)


def reversed_(cut: Cut, random: np.random.Generator) -> Inputs:
    """The same candles and values in the opposite order: sums, means and extremes of the whole stay as they were."""
    candles, index = cut.unknown.candles.copy(), cut.unknown.fear_greed.copy()
    candles[PRICES + VOLUMES] = candles[PRICES + VOLUMES].to_numpy()[::-1]
    index["value"] = index["value"].to_numpy()[::-1]
    return Inputs(candles, index)


def thinned(cut: Cut, random: np.random.Generator) -> Inputs:
    """An outage of 30 bars right after the cut, later every other candle missing, and every third value."""
    candles, index = cut.unknown
    bars = candles["bar"].to_numpy(np.int64)
    stays = (bars > cut.bar + 30) & (random.uniform(size=len(bars)) < 0.5)
    return Inputs(candles.loc[stays], index.loc[np.arange(len(index)) % 3 > 0])


def filled(cut: Cut, random: np.random.Generator) -> Inputs:
    """No outage any more and a longer history; what was never published comes late, old days too."""
    candles, index = cut.unknown
    known = cut.known
    if candles.empty:
        candles = known.candles.iloc[-1:].assign(bar=cut.bar + 1)
    grid = np.arange(cut.bar + 1, int(candles["bar"].max()) + 50)
    full = candles.set_index("bar").reindex(grid).bfill().ffill().reset_index()
    every = pd.concat([known.fear_greed, index])["day"]
    today = cut.closes_at // DAY_SECONDS
    first, last = (min(every.min(), today), max(every.max(), today)) if len(every) else (today, today)
    absent = np.setdiff1d(np.arange(first - 40, last + 3), every)
    late = pd.DataFrame({"day": absent, "value": 77.0, "published_at": cut.closes_at + 1 + np.arange(len(absent)) * 50})
    return Inputs(full, pd.concat([index, late]) if len(index) else late)


FUTURES: tuple[Future, ...] = (none, dearer, cheaper, drawn, reversed_, thinned, filled)


def telling_cuts(inputs: Inputs, timeframe: str, count: int, also: Iterable[int] = (), seed: int = 0) -> list[int]:
    """Bars to cut at: the first ones, both sides of outages, around publications, `also`, and drawn ones.

    At most `count` and those of `also` that are there, ascending. A leak of one bar shows only next to where it leaks.
    """
    random = np.random.default_rng(seed)
    bars = inputs.candles["bar"].to_numpy(np.int64)
    closes = (bars + 1) * SECONDS[timeframe]
    holes = np.flatnonzero(np.diff(bars) > 1)
    published = inputs.fear_greed["published_at"].to_numpy(np.int64)
    before = np.searchsorted(closes, published[(published > closes[0]) & (published <= closes[-1])], side="left") - 1
    places = [
        *range(min(3, len(bars))),
        *holes[:4],
        *(holes[:4] + 1),
        *random.permutation(before)[: count // 4],
        len(bars) - 2,
    ]
    rest = [place for place in random.permutation(len(bars)) if place not in places]
    chosen = bars[list(dict.fromkeys([*places, *rest]))[:count]]
    return sorted({*chosen.tolist(), *set(also) & set(bars.tolist())})


def find_leaks(
    compute: Compute, inputs: Inputs, timeframe: str, cuts: Sequence[int], futures: Sequence[Future] = FUTURES
) -> list[Leak]:
    """One leak per column, cut and future that moved it, with the first row that moved; none where there is none.

    compute: candles and index to one row per candle, `bar` and columns of float64. A computation that does not repeat
    itself on the same inputs is a leak of the future `as_it_was`.
    """
    present = compute(*_copied(inputs))
    found = _moved(present, compute(*_copied(inputs)), int(present["bar"].max()), "as_it_was")
    for bar in cuts:
        cut = split(inputs, bar, timeframe)
        for number, future in enumerate(futures):
            other = with_future(cut, future(cut, np.random.default_rng([bar, number])))
            found += _moved(present, compute(*other), bar, future.__name__.strip("_"))
    return found


def accused(leaks: Iterable[Leak]) -> set[str]:
    """The columns that leak."""
    return {leak.column for leak in leaks}


def _copied(inputs: Inputs) -> Inputs:
    return Inputs(inputs.candles.copy(), inputs.fear_greed.copy())


def _moved(left: pd.DataFrame, right: pd.DataFrame, cut: int, future: str) -> list[Leak]:
    """Columns that differ in a row at or before the cut."""
    past, again = left.loc[left["bar"] <= cut], right.loc[right["bar"] <= cut]
    if list(left.columns) != list(right.columns) or past["bar"].tolist() != again["bar"].tolist():
        return [Leak("bar", cut, cut, future)]
    differs = _bits(past) != _bits(again)
    bars = past["bar"].to_numpy(np.int64)
    return [
        Leak(str(past.columns[place]), int(bars[np.argmax(differs[:, place])]), cut, future)
        for place in np.flatnonzero(differs.any(axis=0))
    ]


def _bits(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    values = np.ascontiguousarray(frame.to_numpy(np.float64))
    return np.where(np.isnan(values), np.nan, values).view(np.int64)
