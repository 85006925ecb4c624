"""Shares and their uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from include.forecasting.held import share_of


def test_independent_hits_have_wilsons_interval() -> None:
    hits = np.zeros(100)
    hits[::5] = 1.0  # regular: the variance of their mean is below that of coins, and counts as a coin's
    found = share_of(hits, 1)
    assert found is not None
    assert (found.share, found.count) == (0.2, 100)
    assert (found.lower, found.upper) == pytest.approx((0.1334, 0.2888), abs=1e-4)
    assert str(found) == "20.0% [13.3%, 28.9%]"


def test_overlap_widens_the_interval() -> None:
    drawn = np.random.default_rng(1).random(100) < 0.8
    apart, overlapping = share_of(drawn.astype(float), 1), share_of(np.repeat(drawn, 24).astype(float), 24)
    assert apart is not None
    assert overlapping is not None
    assert overlapping.share == apart.share
    assert overlapping.upper - overlapping.lower == pytest.approx(apart.upper - apart.lower, rel=0.3)


def test_all_hits_are_no_certainty() -> None:
    hour, day = share_of(np.ones(48), 1), share_of(np.ones(48), 24)
    assert hour is not None
    assert day is not None
    assert (hour.share, hour.upper) == pytest.approx((1.0, 1.0))
    assert hour.lower == pytest.approx(48 / (48 + 1.96**2), abs=1e-3)
    assert day.lower < 0.4, "two days are worth two forecasts"


def test_unknown_ones_do_not_count() -> None:
    found = share_of(np.array([np.nan, 1.0, 0.0, np.nan]), 1)
    assert found is not None
    assert (found.share, found.count) == (0.5, 2)
    assert share_of(np.array([np.nan]), 1) is None
