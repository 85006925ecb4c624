"""Simulated worlds are what they say: unforecastable, forecastable by as much as planted, as wild as their process."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from include.forecasting.inputs import INPUTS
from include.forecasting.targets import FORECASTS, ForecastKind, Target
from include.forecasting.volatility import COLUMNS
from include.forecasting.worlds import HOURLY_DEVIATION, PLANTED_INPUT, PROCESSES, martingale, planted_skill, simulated

SEEDS = range(8)


@pytest.mark.parametrize("kind", FORECASTS)
@pytest.mark.parametrize("process", PROCESSES)
def test_rows_are_complete_and_the_same_again(process: str, kind: ForecastKind) -> None:
    rows = simulated(process, 1, 600, kind)
    assert (rows.target, rows.horizon_bars, len(rows)) == (kind.target, kind.horizon_bars, 600)
    assert tuple(rows.inputs.columns) == INPUTS
    assert tuple(rows.volatility.columns) == COLUMNS
    assert (np.diff(rows.as_of) == np.timedelta64(1, "h")).all()
    for values in (rows.inputs.to_numpy(), rows.volatility.to_numpy(), rows.outcome):
        assert np.isfinite(values).all()
    assert simulated(process, 1, 600, kind).sha256() == rows.sha256()
    assert simulated(process, 2, 600, kind).sha256() != rows.sha256()


@pytest.mark.parametrize("process", PROCESSES)
def test_returns_have_the_stated_size_and_heavy_tails(process: str) -> None:
    returns = np.concatenate([simulated(process, seed, 20_000, FORECASTS[0]).outcome for seed in SEEDS])
    assert returns.std() == pytest.approx(HOURLY_DEVIATION, rel=0.15)
    assert np.mean(returns**4) / np.mean(returns**2) ** 2 > 4


@pytest.mark.parametrize("process", ["garch", "regimes"])
def test_volatility_clusters(process: str) -> None:
    rows = simulated(process, 1, 20_000, ForecastKind(Target.VOLATILITY, 24))
    assert np.corrcoef(np.log(rows.outcome), np.log(rows.volatility["day"]))[0, 1] > 0.5


def test_outcomes_are_the_sum_of_the_hours_ahead() -> None:
    hour, day = martingale(4, 400), martingale(4, 377, horizon_bars=24)
    sums = np.lib.stride_tricks.sliding_window_view(hour.outcome, 24).sum(axis=1)
    assert day.outcome == pytest.approx(sums)
    volatility = simulated("garch", 4, 377, ForecastKind(Target.VOLATILITY, 24))
    squares = np.lib.stride_tricks.sliding_window_view(np.square(hour.outcome), 24).sum(axis=1)
    assert volatility.outcome == pytest.approx(np.sqrt(squares))
    assert hour.inputs["log_return"].to_numpy()[1:] == pytest.approx(hour.outcome[:-1])
    assert hour.inputs["log_return_24h"].to_numpy()[24:] == pytest.approx(sums[:-1][: 400 - 24])


def explained(r_squared: float | None, horizon_bars: int = 1) -> dict[str, float]:
    """Mean share of the outcomes' variance that each input explains in worlds of 12,000 hours."""
    shares = []
    for seed in SEEDS:
        rows = martingale(seed, 12_000) if r_squared is None else planted_skill(seed, 12_000, r_squared, horizon_bars)
        shares.append(rows.inputs.corrwith(pd.Series(rows.outcome)).pow(2))
    return {str(name): float(share) for name, share in pd.concat(shares, axis=1).mean(axis=1).items()}


def test_no_input_explains_a_martingale() -> None:
    assert max(explained(None).values()) < 0.0006


@pytest.mark.parametrize(("r_squared", "horizon_bars"), [(0.01, 1), (0.05, 1), (0.05, 24), (0.2, 24)])
def test_the_planted_input_explains_what_was_planted(r_squared: float, horizon_bars: int) -> None:
    assert explained(r_squared, horizon_bars)[PLANTED_INPUT] == pytest.approx(r_squared, rel=0.3)


def test_no_skill_planted_is_a_martingale() -> None:
    assert explained(0.0)[PLANTED_INPUT] < 0.0006


@pytest.mark.parametrize("r_squared", [-0.01, 0.99])
def test_skill_that_cannot_be_planted(r_squared: float) -> None:
    with pytest.raises(ValueError, match=f"an R² of {r_squared} cannot be planted 24 bars ahead"):
        planted_skill(0, 100, r_squared, horizon_bars=24)
