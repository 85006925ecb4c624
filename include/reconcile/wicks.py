"""Highs above everybody else's and lows below them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from include.reconcile import thresholds as t
from include.reconcile.model import Finding, Floats
from include.reconcile.pairs import Pairs, logs


def wicks(pairs: Pairs) -> Iterator[Finding]:
    """Extremes further out than those of all other venues.

    A venue that only lacks a wick of another is not accused: its trades need not have reached that far.
    """
    instruments = pairs.panel.instruments
    for reason, sign, values in (("high", 1.0, logs(pairs.panel.high)), ("low", -1.0, logs(pairs.panel.low))):
        for column in range(len(instruments)):
            places = [
                (place, i if column == j else j, 1.0 if column == i else -1.0)
                for place, (i, j) in enumerate(pairs.index)
                if column in {i, j} and instruments[i].venue != instruments[j].venue
            ]
            if not places:
                continue
            beyond, limits = _beyond(pairs, values, sign, column, places)
            nearest = np.nanargmin(np.where(np.isnan(beyond), np.inf, beyond), axis=0)
            rows = np.arange(beyond.shape[1])
            excess, limit = beyond[nearest, rows], limits[nearest, rows]
            for row in map(int, np.flatnonzero(excess > limit)):
                others = [k for place, (_, k, _) in enumerate(places) if not np.isnan(beyond[place, row])]
                alone = len({instruments[k].venue for k in others}) >= 2
                suspects = (column,) if alone else tuple(sorted({column, *others}))
                for k in suspects:
                    off = float(excess[row])
                    yield Finding(row, k, "outlier", reason, sign * off, float(limit[row]), suspects, np.nan)


def _beyond(
    pairs: Pairs, values: Floats, sign: float, column: int, places: list[tuple[int, int, float]]
) -> tuple[Floats, Floats]:
    """How far a column's extreme lies outside each other venue's, and how far it may [place, row]."""
    beyond, limits = [], []
    quote = pairs.panel.instruments[column].quote
    for place, other, side in places:
        beyond.append(sign * (values[column] - values[other] - side * pairs.usual[place]))
        limit = np.maximum(t.WICK_FLOOR, t.WICK_WIDE * pairs.spread + t.WICK_NOISE * pairs.noise[place])
        if pairs.panel.instruments[other].quote != quote:
            # While a quote moves within the hour, its extremes lie anywhere between both ends of that move.
            limit = limit + np.abs(pairs.close.distance[place]) + np.abs(pairs.open.distance[place])
        limits.append(limit)
    return np.stack(beyond), np.stack(limits)
