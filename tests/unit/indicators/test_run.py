"""Indicators of a run: equal to formulas written out by hand, causal, and silent while they warm up."""

from __future__ import annotations

import numpy as np
import pytest

from include.features.registry import FEATURES
from include.indicators.run import WARM_UP, run_indicators
from include.indicators.windows import Array

LENGTH = 600


def random_walk(length: int = LENGTH, seed: int = 7) -> tuple[Array, Array, Array]:
    """High, low and close of a price that moves about 1 % a bar."""
    random = np.random.default_rng(seed)
    close = 20_000 * np.exp(np.cumsum(random.normal(0, 0.01, length)))
    opened = np.concatenate([[20_000.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + random.uniform(0, 0.004, length))
    low = np.minimum(opened, close) * (1 - random.uniform(0, 0.004, length))
    return high, low, close


def wilder(values: list[float], window: int) -> list[float]:
    """Wilder's smoothing of values from their first on; seeded with a plain mean."""
    smoothed = [sum(values[:window]) / window]
    for value in values[window:]:
        smoothed.append((smoothed[-1] * (window - 1) + value) / window)
    return [float("nan")] * (window - 1) + smoothed


def test_rsi_is_wilders() -> None:
    high, low, close = random_walk()
    moves = np.diff(close).tolist()
    gains = wilder([max(move, 0.0) for move in moves], 14)
    losses = wilder([max(-move, 0.0) for move in moves], 14)
    by_hand = [100 - 100 / (1 + gain / loss) for gain, loss in zip(gains, losses, strict=True)]
    rsi = run_indicators(high, low, close)["rsi_14"]
    # `ta` seeds its mean with the first value; after 400 bars nothing is left of the seed.
    np.testing.assert_allclose(rsi[401:], by_hand[400:], rtol=1e-9)
    assert rsi[14] == pytest.approx(by_hand[13], abs=10)


def test_atr_is_wilders() -> None:
    high, low, close = random_walk()
    ranges = [high[0] - low[0]]
    for place in range(1, LENGTH):
        before = close[place - 1]
        ranges.append(max(high[place] - low[place], abs(high[place] - before), abs(low[place] - before)))
    np.testing.assert_allclose(run_indicators(high, low, close)["atr_14"], wilder(ranges, 14), rtol=1e-12)


def test_adx_is_wilders() -> None:
    high, low, close = random_walk()
    plus, minus, ranges = [], [], []
    for place in range(1, LENGTH):
        up, down = high[place] - high[place - 1], low[place - 1] - low[place]
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)
        ranges.append(max(high[place], close[place - 1]) - min(low[place], close[place - 1]))
    smooth_plus, smooth_minus, smooth_range = (np.array(wilder(each, 14)) for each in (plus, minus, ranges))
    di_plus, di_minus = 100 * smooth_plus / smooth_range, 100 * smooth_minus / smooth_range
    strength = 100 * abs(di_plus - di_minus) / (di_plus + di_minus)
    adx = wilder(strength[13:].tolist(), 14)
    columns = run_indicators(high, low, close)
    np.testing.assert_allclose(columns["di_plus_14"][401:], di_plus[400:], rtol=1e-9)
    np.testing.assert_allclose(columns["di_minus_14"][401:], di_minus[400:], rtol=1e-9)
    np.testing.assert_allclose(columns["adx_14"][401:], adx[387:], rtol=1e-9)


def test_macd_is_the_difference_of_two_exponential_means() -> None:
    high, low, close = random_walk()

    def exponential(values: Array, window: int) -> Array:
        alpha, means = 2 / (window + 1), [values[0]]
        for value in values[1:]:
            means.append(alpha * value + (1 - alpha) * means[-1])
        return np.array(means)

    columns = run_indicators(high, low, close)
    macd = exponential(close, 12) - exponential(close, 26)
    np.testing.assert_allclose(columns["macd"][25:], macd[25:], rtol=1e-9)
    np.testing.assert_allclose(columns["macd_signal"][33:], exponential(macd[25:], 9)[8:], rtol=1e-9)
    np.testing.assert_array_equal(columns["macd_histogram"], columns["macd"] - columns["macd_signal"])
    np.testing.assert_allclose(columns["ema_12"][11:], exponential(close, 12)[11:], rtol=1e-12)
    np.testing.assert_allclose(columns["ema_26"][25:], exponential(close, 26)[25:], rtol=1e-12)


def test_bollinger_bands_are_two_population_deviations_wide() -> None:
    high, low, close = random_walk()
    columns = run_indicators(high, low, close)
    for place in (19, 20, 300, LENGTH - 1):
        window = close[place - 19 : place + 1]
        mean, deviation = window.mean(), window.std(ddof=0)
        assert columns["bollinger_middle"][place] == pytest.approx(mean, rel=1e-13)
        assert columns["bollinger_upper"][place] == pytest.approx(mean + 2 * deviation, rel=1e-12)
        assert columns["bollinger_lower"][place] == pytest.approx(mean - 2 * deviation, rel=1e-12)
        assert columns["bollinger_width"][place] == pytest.approx(400 * deviation / mean, rel=1e-9)
        expected = (close[place] - mean + 2 * deviation) / (4 * deviation)
        assert columns["bollinger_percent_b"][place] == pytest.approx(expected, rel=1e-9)


def test_stochastic_rsi_places_rsi_in_its_own_range() -> None:
    columns = run_indicators(*random_walk())
    rsi, stochastic, k, d = (columns[name] for name in ("rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d"))
    for place in (31, 100, LENGTH - 1):
        window = rsi[place - 13 : place + 1]
        assert stochastic[place] == pytest.approx(
            (rsi[place] - window.min()) / (window.max() - window.min()), rel=1e-12
        )
        assert k[place] == pytest.approx(stochastic[place - 2 : place + 1].mean(), rel=1e-12)
        assert d[place] == pytest.approx(k[place - 2 : place + 1].mean(), rel=1e-12)


@pytest.mark.parametrize("length", [0, 1, 2, 12, 13, 14, 15, 16, 27, 28, 29, 34, 35, 60, LENGTH - 1])
def test_later_bars_change_nothing_and_a_short_run_is_no_error(length: int) -> None:
    high, low, close = random_walk()
    whole, part = run_indicators(high, low, close), run_indicators(high[:length], low[:length], close[:length])
    for name, values in part.items():
        assert values.tobytes() == whole[name][:length].tobytes(), name


def test_warm_up_is_missing_exactly_as_declared() -> None:
    columns = run_indicators(*random_walk())
    for name, values in columns.items():
        missing = np.isnan(values)
        assert missing[: WARM_UP[name]].all(), name
        assert not missing[WARM_UP[name] :].any(), name


def test_every_indicator_is_in_the_registry() -> None:
    windows_of_bars = {
        f.name for f in FEATURES if f.source.startswith("ta ") or f.name.startswith(("bollinger", "stoch"))
    }
    assert set(run_indicators(*random_walk(40))) == windows_of_bars


def test_a_price_that_never_moved_has_no_strength_and_no_place_in_its_band() -> None:
    flat = np.full(80, 5.0)
    columns = run_indicators(flat, flat, flat)
    for name in ("rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d", "bollinger_percent_b"):
        assert np.isnan(columns[name]).all(), name
    assert columns["bollinger_width"][-1] == 0.0
    assert columns["atr_14"][-1] == 0.0
    assert columns["adx_14"][-1] == 0.0


def test_a_place_in_a_range_needs_a_whole_window_of_strengths() -> None:
    high, low, close = (np.concatenate([np.full(30, 20_000.0), each]) for each in random_walk(60))
    columns = run_indicators(high, low, close)
    first_strength = int(np.flatnonzero(~np.isnan(columns["rsi_14"]))[0])
    first_place = int(np.flatnonzero(~np.isnan(columns["stoch_rsi"]))[0])
    assert (first_strength, first_place) == (30, 43)
