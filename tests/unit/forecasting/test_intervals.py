"""Intervals know no future, go on where they stopped, hold their forecast, and cover what they promise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.calibration import OVERALL_POINTS, QUARTER_POINTS, kept
from include.forecasting.baselines.listing import served_baseline
from include.forecasting.calibration import LEVELS, Calibration
from include.forecasting.intervals import FEWEST_RESIDUALS, Bands, walk
from include.forecasting.recorded import recorded_rows
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import FORECASTS, ForecastKind, Target
from include.forecasting.worlds import simulated

ROWS = 800
HOUR, DAY, VOLATILITY = FORECASTS
HOUR_STEP = np.timedelta64(1, "h")


def naive(rows: ForecastRows) -> FloatArray:
    return served_baseline(rows.target).fit(rows.matured()).predict(rows)


def walked(rows: ForecastRows, start: Calibration | None = None) -> tuple[Bands, Calibration]:
    forecast = rows.volatility["ewma"].to_numpy() if rows.target is Target.VOLATILITY else np.zeros(len(rows))
    return walk(rows.target, rows.horizon_bars, rows.as_of, rows.outcome, forecast, rows.volatility, start)


def with_outcome(rows: ForecastRows, outcome: FloatArray) -> ForecastRows:
    return replace(rows, outcome=outcome)


WORLDS = {kind: simulated("garch", 3, ROWS, kind) for kind in FORECASTS}


@settings(max_examples=10, phases=[Phase.generate])
@given(st.sampled_from(FORECASTS), st.integers(FEWEST_RESIDUALS + 30, ROWS - 1), st.sampled_from([np.nan, 0.9]))
def test_what_comes_later_changes_no_bit(kind: ForecastKind, row: int, other: float) -> None:
    rows = WORLDS[kind]
    known = rows.as_of + kind.horizon_bars * HOUR_STEP <= rows.as_of[row]
    bands, _ = walked(rows)
    changed, _ = walked(with_outcome(rows, np.where(known, rows.outcome, other)))
    assert np.isfinite(bands.quantiles[row]).all()
    assert bands.quantiles[: row + 1].tobytes() == changed.quantiles[: row + 1].tobytes()
    assert bands.up_probability[: row + 1].tobytes() == changed.up_probability[: row + 1].tobytes()


@pytest.mark.parametrize("kind", FORECASTS)
def test_a_truth_counts_in_the_row_in_which_it_is_due(kind: ForecastKind) -> None:
    rows, row = WORLDS[kind], 500
    outcome = rows.outcome.copy()
    outcome[row] = 0.9
    before, _ = walked(rows)
    after, _ = walked(with_outcome(rows, outcome))
    differs = np.flatnonzero((before.quantiles != after.quantiles).any(axis=1) & np.isfinite(before.lower_80))
    assert differs[0] == row + kind.horizon_bars


@settings(max_examples=10, phases=[Phase.generate])
@given(st.sampled_from(FORECASTS), st.integers(0, ROWS), st.integers(0, ROWS), st.booleans())
def test_walks_in_pieces_are_one_walk(kind: ForecastKind, first: int, second: int, is_known_early: bool) -> None:
    rows = WORLDS[kind]
    whole, end = walked(rows)
    state, pieces, begins = None, [], 0
    for stop in (*sorted((first, second)), ROWS):
        since = begins
        if state is not None and state.since is not None:
            since = int(np.searchsorted(rows.as_of, np.datetime64(state.since.replace(tzinfo=None))))
        part = rows.part(slice(since, stop))
        if not is_known_early and len(part):
            due = part.as_of + kind.horizon_bars * HOUR_STEP <= part.as_of[-1]
            part = with_outcome(part, np.where(due, part.outcome, np.nan))
        bands, state = walked(part, state)
        pieces.append(bands.quantiles[begins - since :])
        state = Calibration.from_json(json.loads(json.dumps(state.as_json(), allow_nan=False)))
        begins = max(begins, stop)
    assert np.concatenate(pieces).tobytes() == whole.quantiles.tobytes()
    assert state is not None
    assert replace(state, pending=()) == replace(end, pending=())
    assert [row.edges for row in state.pending] == [row.edges for row in end.pending]
    assert len(json.dumps(end.as_json())) < 20_000


@pytest.mark.parametrize("kind", FORECASTS)
def test_shape(kind: ForecastKind) -> None:
    rows = WORLDS[kind]
    forecast = naive(rows)
    bands, state = walk(rows.target, rows.horizon_bars, rows.as_of, rows.outcome, forecast, rows.volatility)
    known = np.isfinite(bands.lower_80)
    first = FEWEST_RESIDUALS + kind.horizon_bars - 1
    assert not known[:first].any()
    assert known[first:].all()
    assert state.truths == ROWS - kind.horizon_bars
    grid, inner = bands.quantiles[known], forecast[known]
    assert grid.shape[1] == len(LEVELS)
    assert (np.diff(grid, axis=1) >= 0).all()
    for level, edge in ((0.025, bands.lower_95), (0.1, bands.lower_80), (0.9, bands.upper_80), (0.975, bands.upper_95)):
        assert (grid[:, LEVELS.index(level)] == edge[known]).all()
    assert ((bands.lower_95 <= bands.lower_80) & (bands.upper_80 <= bands.upper_95))[known].all()
    assert ((bands.lower_80[known] <= inner) & (inner <= bands.upper_80[known])).all()
    if kind.target is Target.VOLATILITY:
        assert (grid > 0).all()
        assert np.isnan(bands.up_probability).all()
    else:
        assert ((bands.up_probability[known] > 0.3) & (bands.up_probability[known] < 0.7)).all()


def test_a_forecast_far_above_zero_is_nearly_sure_to_rise() -> None:
    rows = WORLDS[HOUR]
    drift = np.where(np.arange(ROWS) % 2, 0.05, -0.05)
    bands, _ = walk(Target.LOG_RETURN, 1, rows.as_of, rows.outcome + drift, drift, rows.volatility)
    known = np.isfinite(bands.up_probability)
    assert (bands.up_probability[known & (drift > 0)] > 0.98).all()
    assert (bands.up_probability[known & (drift < 0)] < 0.02).all()


def test_a_biased_forecast_is_still_covered_and_held() -> None:
    rows = simulated("garch", 5, 6_000, DAY)
    biased = np.full(len(rows), 0.05)
    bands, _ = walk(Target.LOG_RETURN, 24, rows.as_of, rows.outcome, biased, rows.volatility)
    late = slice(2_000, None)
    hit = (rows.outcome >= bands.lower_80) & (rows.outcome <= bands.upper_80)
    # The forecast lies beyond the upper quantile, and the interval reaches up to it.
    assert (bands.upper_80[late] >= 0.05).all()
    assert hit[late].mean() == pytest.approx(0.80, abs=0.04)


def test_forecasts_of_another_size_are_learned() -> None:
    rows = simulated("jumps", 5, 6_000, VOLATILITY)
    forecast = 10 * rows.volatility["week"].to_numpy()
    bands, _ = walk(Target.VOLATILITY, 24, rows.as_of, rows.outcome, forecast, rows.volatility)
    hit = (rows.outcome >= bands.lower_80) & (rows.outcome <= bands.upper_80)
    assert hit[3_000:].mean() == pytest.approx(0.80, abs=0.04)
    assert np.isfinite(bands.quantiles[-1]).all()


def test_what_is_not_known_teaches_nothing_and_breaks_nothing() -> None:
    rows = WORLDS[HOUR]
    forecast = np.zeros(ROWS)
    forecast[500:510] = np.nan
    outcome = rows.outcome.copy()
    outcome[600:620] = np.nan
    volatility = rows.volatility.copy()
    volatility.iloc[650:700] = np.nan
    volatility.iloc[720:760, 1] = 0.0
    bands, state = walk(Target.LOG_RETURN, 1, rows.as_of, outcome, forecast, volatility)
    assert np.flatnonzero(np.isnan(bands.lower_80[FEWEST_RESIDUALS:])).tolist() == [
        *range(500 - FEWEST_RESIDUALS, 510 - FEWEST_RESIDUALS)
    ]
    assert state.truths == ROWS - 1 - 10 - 20
    bands, state = walk(Target.LOG_RETURN, 1, rows.as_of, outcome, forecast, volatility * np.nan)
    assert np.isnan(bands.quantiles).all()
    assert (state.truths, state.pending) == (0, ())


def test_what_is_refused() -> None:
    rows = WORLDS[DAY]
    _, state = walked(rows)
    with pytest.raises(ValueError, match="a calibration of log_return 24 bars ahead"):
        walked(WORLDS[HOUR], state)
    for target, wrong in ((Target.LOG_RETURN, np.inf), (Target.VOLATILITY, 0.0)):
        with pytest.raises(ValueError, match="have to be finite, and those of volatility above 0"):
            walk(target, 24, rows.as_of, rows.outcome, np.full(ROWS, wrong), rows.volatility)
    plain = state.as_json()
    with pytest.raises(ValueError, match="another version"):
        Calibration.from_json({**plain, "base": plain["base"][1:]})


# All worlds, markets and kinds: benchmarks/bench_calibration.py.
@pytest.mark.parametrize(
    ("process", "kind"), [("garch", HOUR), ("jumps", DAY), ("regimes", DAY), ("regimes", VOLATILITY)]
)
def test_promise_in_simulated_worlds(process: str, kind: ForecastKind) -> None:
    rows = simulated(process, 1, 9_000, kind)
    for one in kept(rows, naive(rows), rows.as_of[2_200], rows.as_of[-1]):
        assert one.coverage == pytest.approx(one.share, abs=OVERALL_POINTS), one
        assert one.worst_quarter == pytest.approx(one.share, abs=QUARTER_POINTS), one


@pytest.mark.parametrize(
    ("market", "kind"),
    [("BTCUSDT", HOUR), ("BTCUSDT", DAY), ("BTCUSDT", VOLATILITY), ("ETHUSDT", DAY), ("BNBUSDT", VOLATILITY)],
)
def test_promise_on_recorded_data(market_data_dir: Path, market: str, kind: ForecastKind) -> None:
    rows = recorded_rows(market_data_dir, market, kind)
    rows = rows.part((rows.as_of >= np.datetime64("2020-06-01")) & (rows.as_of < np.datetime64("2025-01-01")))
    for one in kept(rows, naive(rows), np.datetime64("2021-01-01"), np.datetime64("2025-01-01")):
        assert one.count > 34_000
        assert one.coverage == pytest.approx(one.share, abs=OVERALL_POINTS), one
        assert one.worst_quarter == pytest.approx(one.share, abs=QUARTER_POINTS), one
        assert one.relative_score < 1, one
