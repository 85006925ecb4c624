"""Intervals hold the share they promise on data they were not calibrated on, in calm and in storm."""

from __future__ import annotations

import numpy as np
import pytest

from include.forecasting.conformal import Interval, TooFewResidualsError, calibrate, covered


def test_by_hand() -> None:
    # 100 residuals of 1..100 volatilities: the 81st (of 101 * 0.8 = 80.8, rounded up) is the promised one.
    interval = calibrate(np.arange(1.0, 101.0) * 0.01, np.full(100, 0.01))
    assert interval == Interval(pytest.approx(81.0), 0.01, 100)
    assert interval.half_width(np.array([0.02]))[0] == pytest.approx(1.62)


def test_coverage_on_new_data_overall_and_by_regime() -> None:
    draws = np.random.default_rng(7)
    volatility = np.exp(draws.normal(-4, 0.7, 20_000))
    residuals = volatility * draws.standard_t(4, 20_000)
    interval = calibrate(residuals[:4_000], volatility[:4_000])
    assert covered(residuals[4_000:], volatility[4_000:], interval) == pytest.approx(0.80, abs=0.02)
    storm = volatility > np.quantile(volatility, 0.9)
    storm[:4_000] = False
    assert covered(residuals[storm], volatility[storm], interval) == pytest.approx(0.80, abs=0.03)


def test_unknown_or_zero_volatility_is_taken_as_typical() -> None:
    interval = calibrate(np.linspace(-1, 1, 200), np.full(200, 0.5))
    widths = interval.half_width(np.array([np.nan, 0.0, 0.5, 1.0]))
    assert widths[0] == widths[1] == widths[2]
    assert widths[3] == 2 * widths[2]


@pytest.mark.parametrize(("count", "known"), [(99, 99), (200, 0)])
def test_too_few(count: int, known: int) -> None:
    volatility = np.full(count, np.nan)
    volatility[:known] = 0.1
    with pytest.raises(TooFewResidualsError, match=f"{count} residuals, {known} with"):
        calibrate(np.ones(count), volatility)
