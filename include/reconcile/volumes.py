"""Volumes in wrong units, and hours in which a venue hardly traded while others did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from include.reconcile import thresholds as t
from include.reconcile.model import Finding, Floats, Panel
from include.reconcile.pairs import logs, trailing_median


def volumes(panel: Panel) -> Iterator[Finding]:
    """Volumes that jump against their own past and against every other venue at once, or lie above all for long.

    As the own past is a witness, the market is named with one other venue already. A volume in units of the quote is
    larger by the price; where a coin costs less than some ten units of the quote that cannot be told from trading.
    """
    amounts, prices = logs(panel.base_volume), np.abs(logs(panel.close))
    jump = amounts - trailing_median(amounts)
    venues = [instrument.venue for instrument in panel.instruments]
    for column, own in enumerate(venues):
        others = [k for k, venue in enumerate(venues) if venue != own]
        if not others:
            continue
        ratio = amounts[column] - amounts[others]
        against = ratio - trailing_median(ratio)
        noise = np.nan_to_num(trailing_median(np.abs(against)), nan=1.0).max(axis=0)
        unit = np.maximum(t.VOLUME_FLOOR, t.VOLUME_SHARE * prices[column])
        yield from _beyond(column, "volume_unit", np.minimum(jump[column], _least(against)), unit)
        little = np.minimum(-jump[column], _least(-against))
        yield from _beyond(column, "volume", little, t.VOLUME_FLOOR + t.VOLUME_NOISE * noise)
        if len({venues[k] for k in others}) > 1:
            whole = np.where(np.isnan(ratio).any(axis=0), np.nan, _least(ratio))
            yield from _beyond(column, "volume_unit", whole, np.maximum(unit, t.VOLUME_LEVEL_SHARE * prices[column]))


def _least(values: Floats) -> Floats:
    """The least of the values that are there [k, row] -> [row]; NaN where none is."""
    return np.asarray(np.fmin.reduce(values, axis=0))


def _beyond(column: int, reason: str, values: Floats, limits: Floats) -> Iterator[Finding]:
    for row in np.flatnonzero(values > limits).tolist():
        off = float(values[row]) * (-1 if reason == "volume" else 1)
        yield Finding(row, column, "outlier", reason, off, float(limits[row]), (column,), np.nan)
