"""What a series says against itself, whoever else is there: impossible prices, impossible averages, no movement."""

from __future__ import annotations

import numpy as np

from include.reconcile import thresholds as t
from include.reconcile.model import Mask, Panel
from include.reconcile.pairs import logs, neighbour, usual_range


def impossible_prices(panel: Panel) -> Mask:
    """Candles [column, row] whose high is not the highest or whose low is not the lowest price, or not positive."""
    low, high = panel.low.T, panel.high.T
    sane = (low > 0) & (low <= np.fmin(panel.open, panel.close).T) & (high >= np.fmax(panel.open, panel.close).T)
    return np.asarray(panel.present.T & ~sane)


def impossible_average(panel: Panel) -> Mask:
    """Candles [column, row] whose quote volume per base unit lies outside their own range: volumes in other units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        average = (panel.quote_volume / panel.base_volume).T
    judged = (panel.base_volume.T > 0) & ~np.isnan(average)
    outside = (average < panel.low.T * (1 - t.VWAP_SLACK)) | (average > panel.high.T * (1 + t.VWAP_SLACK))
    return np.asarray(judged & outside)


def stale(panel: Panel) -> Mask:
    """Candles [column, row] that repeat the one before, or stand still for STALE_RUN, while other venues move."""
    closes, highs, lows = logs(panel.close), logs(panel.high), logs(panel.low)
    opens, volumes = logs(panel.open), panel.base_volume.T
    same = np.ones(closes.shape, dtype=np.bool_)
    for values in (opens, highs, lows, closes, volumes):
        same &= values == neighbour(values, -1)
    moving = np.zeros(closes.shape, dtype=np.bool_)
    for column, instrument in enumerate(panel.instruments):
        others = [k for k, other in enumerate(panel.instruments) if other.venue != instrument.venue]
        if others:
            moving[column] = usual_range(highs[others], lows[others]) > t.STALE_RANGE
    still = (highs == lows) & moving
    run = still.copy()
    for _ in range(t.STALE_RUN - 1):
        run[:, 1:] &= still[:, :-1] & (closes[:, 1:] == closes[:, :-1])
        run[:, 0] = False
    # Once a run is long enough its first candles belong to it as well.
    if run.shape[1] > 1:
        for _ in range(t.STALE_RUN - 1):
            run[:, :-1] |= run[:, 1:] & still[:, :-1]
    return np.asarray((same & moving) | run)
