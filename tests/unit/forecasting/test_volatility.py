"""Past volatility looks back only, and ends where it says; future volatility is that of the bars ahead, all of them."""

from __future__ import annotations

import numpy as np
import pytest

from include.forecasting.significance import FloatArray
from include.forecasting.volatility import (
    COLUMNS,
    DAY_BARS,
    EWMA_DECAY,
    FEWEST_EWMA_DAYS,
    FEWEST_SHARE,
    LOOKBACK_BARS,
    WINDOWS,
    future_volatility,
    hourly_grid,
    level,
    log_volatility,
    past_volatility,
    usual_volatility,
)

FIRST = 450_000
COUNT = 3_000


def series(count: int = COUNT, seed: int = 3) -> tuple[np.ndarray, FloatArray]:
    """Bars without a hole and closes whose volatility changes."""
    draws = np.random.default_rng(seed)
    size = np.exp(0.4 * np.sin(np.arange(count) / 200)) * 0.006
    return FIRST + np.arange(count), 100 * np.exp(np.cumsum(size * draws.standard_normal(count)))


def without(bars: np.ndarray, closes: FloatArray, missing: slice) -> tuple[np.ndarray, FloatArray]:
    return np.delete(bars, missing), np.delete(closes, missing)


def test_windows_are_roots_of_mean_daily_sums() -> None:
    bars, closes = series()
    found = past_volatility(bars, closes)
    returns = np.diff(np.log(closes), prepend=np.nan)
    assert list(found.columns) == list(COLUMNS)
    for name, width in WINDOWS.items():
        for at in (width, width + 1, 1_500, COUNT - 1):
            expected = np.sqrt(DAY_BARS * np.mean(returns[at - width + 1 : at + 1] ** 2))
            assert found[name][at] == pytest.approx(expected, rel=1e-12)


def test_a_change_after_a_close_moves_nothing_known_at_it() -> None:
    bars, closes = series()
    known_at = 2_400
    changed = closes.copy()
    changed[known_at + 1 :] *= np.linspace(0.5, 3.0, COUNT - known_at - 1)
    before, after = past_volatility(bars, closes), past_volatility(bars, changed)
    assert before[: known_at + 1].to_numpy().tobytes() == after[: known_at + 1].to_numpy().tobytes()
    assert (before["day"][known_at + 1 :] != after["day"][known_at + 1 :]).all()
    cut = past_volatility(bars[: known_at + 1], closes[: known_at + 1])
    assert cut.to_numpy().tobytes() == before[: known_at + 1].to_numpy().tobytes()


def test_no_value_depends_on_where_the_loaded_history_begins() -> None:
    bars, closes = series(LOOKBACK_BARS + 400)
    whole = past_volatility(bars, closes)
    for start in (1, 100, 399):
        later = past_volatility(bars[start:], closes[start:])
        compared = slice(LOOKBACK_BARS, None)
        assert later[compared].to_numpy().tobytes() == whole[start:][compared].to_numpy().tobytes()


def test_a_close_before_the_window_does_not_count() -> None:
    bars, closes = series()
    at, width = 2_000, WINDOWS["week"]
    outside, inside = closes.copy(), closes.copy()
    outside[at - width - 1] *= 2  # the oldest return of the window starts at at - width
    inside[at - width] *= 2
    week = past_volatility(bars, closes)["week"][at]
    assert past_volatility(bars, outside)["week"][at] == week
    assert past_volatility(bars, inside)["week"][at] > week


def test_a_window_wants_most_of_its_returns() -> None:
    bars, closes = series()
    width = WINDOWS["day"]
    allowed = width - int(np.ceil(FEWEST_SHARE * width))  # missing returns a day may have
    for missing_closes in range(1, 8):
        kept, known = without(bars, closes, slice(1_000, 1_000 + missing_closes))
        day = past_volatility(kept, known)["day"]
        at = int(np.flatnonzero(kept == FIRST + 1_000 + missing_closes)[0])  # the first candle after the hole
        # A hole of n closes takes n + 1 returns.
        assert np.isfinite(day[at]) == (missing_closes + 1 <= allowed)
        expected = np.sqrt(DAY_BARS * np.mean(np.diff(np.log(closes))[1_000 + missing_closes - width : 999] ** 2))
        assert not np.isfinite(day[at]) or day[at] == pytest.approx(expected)


def test_a_hole_is_not_a_return() -> None:
    bars, closes = series()
    moved = closes.copy()
    moved[1_005:] *= 5  # the price is another one after the hole; nobody knows the road
    holed = past_volatility(*without(bars, moved, slice(1_000, 1_005)))
    assert holed["week"].max() < 0.1
    assert hourly_grid(bars[:3], closes[:3]).tolist() == closes[:3].tolist()
    assert np.isnan(hourly_grid(np.delete(bars[:3], 1), np.delete(closes[:3], 1))[1])


def test_ewma_is_the_recursion_over_days() -> None:
    bars, closes = series(200 * DAY_BARS + 1)
    found = past_volatility(bars, closes)
    daily = np.square(found["day"].to_numpy())[DAY_BARS::DAY_BARS]  # days that end at the same hour as the last bar
    variance = daily[0]
    for day in daily[1:]:
        variance = EWMA_DECAY * variance + (1 - EWMA_DECAY) * day
    # The recursion never quite forgets; 90 days hold all but 0.94 ** 90 = 0.4 % of its weight.
    assert found["ewma"].iloc[-1] == pytest.approx(np.sqrt(variance), rel=0.01)
    weights = EWMA_DECAY ** np.arange(90)
    exact = np.sqrt(weights @ daily[::-1][:90] / weights.sum())
    assert found["ewma"].iloc[-1] == pytest.approx(exact, rel=1e-12)


def test_ewma_waits_for_its_days() -> None:
    bars, closes = series()
    ewma = past_volatility(bars, closes)["ewma"]
    # A first day counts once FEWEST_SHARE of its returns are there.
    first_day = int(np.flatnonzero(np.isfinite(past_volatility(bars, closes)["day"]))[0])
    assert int(np.flatnonzero(np.isfinite(ewma))[0]) == first_day + (FEWEST_EWMA_DAYS - 1) * DAY_BARS


@pytest.mark.parametrize("horizon", [1, 24])
def test_future_volatility_by_hand(horizon: int) -> None:
    bars, closes = without(*series(400), slice(200, 203))
    close_of = dict(zip(bars.tolist(), closes.tolist(), strict=True))
    expected = []
    for bar in bars.tolist():
        path = [close_of.get(bar + step, np.nan) for step in range(horizon + 1)]
        expected.append(np.sqrt(np.sum(np.diff(np.log(path)) ** 2)))
    found = future_volatility(bars, closes, horizon)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(found[-horizon:]).all()
    assert np.isnan(found).sum() == horizon + (horizon if horizon < 24 else 24)


def test_future_volatility_looks_ahead_only() -> None:
    bars, closes = series(400)
    changed = closes.copy()
    changed[:100] *= 2
    assert future_volatility(bars, changed, 24)[100:].tobytes() == future_volatility(bars, closes, 24)[100:].tobytes()


def test_yesterdays_future_is_todays_past() -> None:
    bars, closes = series(400)
    future, past = future_volatility(bars, closes, 24), past_volatility(bars, closes)["day"].to_numpy()
    np.testing.assert_allclose(future[24:-24], past[48:], rtol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 24])
def test_short_series_know_nothing(count: int) -> None:
    bars, closes = series(30)
    past = past_volatility(bars[:count], closes[:count])
    future = future_volatility(bars[:count], closes[:count], 24)
    assert len(past) == len(future) == count
    assert np.isnan(future).all()
    assert past[["week", "month", "ewma"]].isna().all(axis=None)


def test_a_price_that_stands_still_has_no_volatility() -> None:
    bars = FIRST + np.arange(COUNT)
    found = past_volatility(bars, np.full(COUNT, 7.0))
    assert (found[LOOKBACK_BARS:] == 0.0).all(axis=None)


def test_logarithms_of_a_market_that_stood_still_are_of_a_hundredth_of_the_usual() -> None:
    found = np.exp(log_volatility(np.array([0.02, 0.0, 0.0001, np.nan]), 0.05))
    np.testing.assert_allclose(found, [0.02, 0.0005, 0.0005, np.nan])
    assert np.isfinite(log_volatility(np.zeros(2), 0.0)).all()
    assert usual_volatility(np.array([3.0, 4.0])) == pytest.approx(np.sqrt(12.5))
    assert usual_volatility(np.empty(0)) == 0.0


def test_level_makes_the_mean_ratio_of_variances_one() -> None:
    actual, predicted = np.array([0.01, 0.03, 0.02]), np.array([0.02, 0.02, 0.05])
    factor = level(np.log(actual / predicted))
    assert np.mean((actual / (factor * predicted)) ** 2) == pytest.approx(1.0)
