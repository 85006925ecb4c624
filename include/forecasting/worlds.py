"""Simulated markets whose truth is known: what a method promises is checked where nothing else can be the reason.

Hourly log returns are drawn from published processes with seeds; the same seed draws the same world. No world holds
anything to forecast of its returns' direction, except the one skill is planted in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from include.forecasting.inputs import INPUTS
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.volatility import DAY_BARS, LOOKBACK_BARS, future_volatility, past_volatility

# Standard deviation of an hour's log return in every world, about Bitcoin's.
HOURLY_DEVIATION = 0.006
FIRST_CLOSE = np.datetime64("2020-01-01T00:00", "us")
# The input that holds the planted signal.
PLANTED_INPUT = "rsi_14"

# GARCH(1,1): share of the last squared return and of the last variance; a shock's half-life is about three days.
_ARCH, _GARCH = 0.05, 0.94
_DEGREES_OF_FREEDOM = 6.0
# A jump comes every four days on average and is six times as large as an hour's diffusion.
_JUMPS_PER_BAR, _JUMP_SIZE = 1 / 96, 6.0
# Calm, normal and stormy hours: volatility in units of calm, and how many hours a stay lasts on average.
_REGIME_VOLATILITY = (1.0, 2.0, 5.0)
_REGIME_STAY = (480.0, 240.0, 96.0)


def garch(draws: np.random.Generator, bars: int) -> FloatArray:
    """GARCH(1,1) with Student t innovations (Bollerslev, 1987)."""
    innovations = draws.standard_t(_DEGREES_OF_FREEDOM, bars) * math.sqrt(1 - 2 / _DEGREES_OF_FREEDOM)
    returns = np.empty(bars)
    constant, variance = 1 - _ARCH - _GARCH, 1.0
    for place, innovation in enumerate(innovations.tolist()):
        drawn = math.sqrt(variance) * innovation
        returns[place] = drawn
        variance = constant + _ARCH * drawn * drawn + _GARCH * variance
    return HOURLY_DEVIATION * returns


def jump_diffusion(draws: np.random.Generator, bars: int) -> FloatArray:
    """Normal returns of one volatility, and rare large jumps (Merton, 1976)."""
    count = draws.poisson(_JUMPS_PER_BAR, bars)
    returns = draws.standard_normal(bars) + _JUMP_SIZE * np.sqrt(count) * draws.standard_normal(bars)
    return HOURLY_DEVIATION * returns / math.sqrt(1 + _JUMPS_PER_BAR * _JUMP_SIZE**2)


def regime_switch(draws: np.random.Generator, bars: int) -> FloatArray:
    """Normal returns whose volatility is a Markov chain's state (Hamilton, 1989); a stay ends in either other state."""
    size, volatility = np.array(_REGIME_VOLATILITY), np.empty(bars)
    begins, regime = 0, 0
    while begins < bars:
        ends = begins + int(draws.geometric(1 / _REGIME_STAY[regime]))
        volatility[begins:ends] = size[regime]
        begins, regime = ends, (regime + int(draws.integers(1, 3))) % 3
    stay = np.array(_REGIME_STAY)
    typical = math.sqrt(float((stay * size**2).sum() / stay.sum()))
    return HOURLY_DEVIATION * volatility / typical * draws.standard_normal(bars)


PROCESSES: Mapping[str, Callable[[np.random.Generator, int], FloatArray]] = MappingProxyType(
    {"garch": garch, "jumps": jump_diffusion, "regimes": regime_switch}
)


def simulated(process: str, seed: int, rows: int, kind: ForecastKind) -> ForecastRows:
    """Rows of a world of PROCESSES, every outcome known. Raises KeyError for a process it does not know."""
    draws = np.random.default_rng(seed)
    returns = PROCESSES[process](draws, LOOKBACK_BARS + rows + kind.horizon_bars)
    return _rows_of(returns, _noise(draws, rows), kind)


def martingale(seed: int, rows: int, horizon_bars: int = 1) -> ForecastRows:
    """Log returns nobody can forecast (GARCH with t innovations), beside inputs as persistent as a market's."""
    return simulated("garch", seed, rows, ForecastKind(Target.LOG_RETURN, horizon_bars))


def planted_skill(seed: int, rows: int, r_squared: float, horizon_bars: int = 1) -> ForecastRows:
    """A world as `martingale` whose PLANTED_INPUT explains `r_squared` of the outcomes' variance, linearly.

    The input is an autoregressive process that drifts the next hour's return; it halves in four horizons. Raises
    ValueError unless r_squared is at least 0 and can be reached at this horizon.
    """
    draws = np.random.default_rng(seed)
    bars = LOOKBACK_BARS + rows + horizon_bars
    shocks = garch(draws, bars)
    inputs = _noise(draws, rows)
    decay = 0.5 ** (1 / (4 * horizon_bars))
    signal = _autoregressive(draws, bars, decay)
    # Var(E[sum | signal]) = (gain * reach)^2, Var(sum) = horizon * Var(shock) + gain^2 * spread, for the sum of the
    # horizon's returns of drift gain * signal.
    lags = np.arange(1, horizon_bars)
    reach = float((decay ** np.arange(horizon_bars)).sum())
    spread = horizon_bars + 2 * float(((horizon_bars - lags) * decay**lags).sum())
    if r_squared < 0 or reach**2 <= r_squared * spread:
        raise ValueError(f"an R² of {r_squared} cannot be planted {horizon_bars} bars ahead")
    gain = HOURLY_DEVIATION * math.sqrt(r_squared * horizon_bars / (reach**2 - r_squared * spread))
    inputs[PLANTED_INPUT] = signal[LOOKBACK_BARS : LOOKBACK_BARS + rows]
    drift = np.concatenate([[0.0], gain * signal[:-1]])
    return _rows_of(shocks + drift, inputs, ForecastKind(Target.LOG_RETURN, horizon_bars))


def _autoregressive(draws: np.random.Generator, bars: int, decay: float) -> FloatArray:
    """A stationary first-order process of variance 1."""
    from scipy.signal import lfilter  # type: ignore[import-untyped]

    innovations = math.sqrt(1 - decay**2) * draws.standard_normal(bars)
    innovations[0] = draws.standard_normal()
    return np.asarray(lfilter([1.0], [1.0, -decay], innovations), dtype=np.float64)


def _noise(draws: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    """Inputs that say nothing, forgotten within an hour to a month: persistence is what makes noise look like skill."""
    memory = np.geomspace(1.0, 30 * DAY_BARS, len(INPUTS))
    return {name: _autoregressive(draws, rows, math.exp(-1 / bars)) for name, bars in zip(INPUTS, memory, strict=True)}


def _rows_of(returns: FloatArray, inputs: dict[str, FloatArray], kind: ForecastKind) -> ForecastRows:
    """Rows of all bars but the first LOOKBACK_BARS and the last horizon's."""
    import pandas as pd

    bars = np.arange(len(returns), dtype=np.int64)
    path = np.cumsum(returns)
    closes = np.exp(path)
    shown = slice(LOOKBACK_BARS, len(returns) - kind.horizon_bars)
    as_of = FIRST_CLOSE + bars[shown] * np.timedelta64(1, "h")
    hours = np.arange(shown.start, shown.stop)
    # What a market's own past and the clock say stands in the inputs as it does in a real one's.
    inputs["log_return"] = returns[shown]
    for name, width in (("log_return_24h", DAY_BARS), ("log_return_7d", 7 * DAY_BARS)):
        inputs[name] = path[hours] - path[hours - width]
    volatility = past_volatility(bars, closes).iloc[shown].reset_index(drop=True)
    inputs["realised_volatility_24h"] = volatility["day"].to_numpy(np.float64)
    inputs["realised_volatility_7d"] = volatility["week"].to_numpy(np.float64)
    since_epoch = (as_of - np.datetime64(0, "us")) // np.timedelta64(1, "h")
    inputs["hour_of_day"] = (since_epoch % 24).astype(np.float64)
    inputs["day_of_week"] = ((since_epoch // 24 + 3) % 7).astype(np.float64)
    if kind.target is Target.VOLATILITY:
        outcome = future_volatility(bars, closes, kind.horizon_bars)[shown]
    else:
        outcome = path[hours + kind.horizon_bars] - path[hours]
    return ForecastRows(
        target=kind.target,
        horizon_bars=kind.horizon_bars,
        as_of=np.asarray(as_of, dtype="datetime64[us]"),
        inputs=pd.DataFrame({name: inputs[name] for name in INPUTS}),
        volatility=volatility,
        outcome=outcome,
    )
