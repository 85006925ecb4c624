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
            venues = [instruments[other].venue for _, other, _ in places]
            for row in np.flatnonzero((beyond > limits).any(axis=0)).tolist():
                # Of several markets of one venue the one with the narrowest limit speaks.
                speaks = {
                    venue: min(
                        (k for k, v in enumerate(venues) if v == venue and not np.isnan(beyond[k, row])),
                        key=lambda k: float(limits[k, row]),
                        default=None,
                    )
                    for venue in set(venues)
                }
                asked = [k for k in speaks.values() if k is not None]
                if all(beyond[k, row] > limits[k, row] for k in asked):
                    least = min(asked, key=lambda k: float(beyond[k, row]))
                    others = {places[k][1] for k in range(len(places)) if not np.isnan(beyond[k, row])}
                    suspects = (column,) if len(asked) > 1 else tuple(sorted({column, *others}))
                    off, limit = sign * float(beyond[least, row]), float(limits[least, row])
                    for k in suspects:
                        yield Finding(row, k, "outlier", reason, off, limit, suspects, np.nan)


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
