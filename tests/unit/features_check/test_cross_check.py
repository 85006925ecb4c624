"""The second opinion: independent, silent where it has none, and of use against what is stored."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pandas as pd
import pytest

from include.features.compute import compute_features
from include.features.registry import FEATURES
from include.features_check import second_opinion as module
from include.features_check.cross_check import COMPARED_ROWS, TAIL_BARS, CheckedSeries, compare, last_run, turn
from include.features_check.second_opinion import RATIOS, SETTLED_BARS, second_opinion

SERIES = [CheckedSeries(number, "1h", f"binance:C{number}/USDT") for number in range(7)]


def walk(length: int, volatility: float = 0.01, seed: int = 3) -> pd.DataFrame:
    """Candles of a random walk, with holes that indicators step over."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, volatility, length)))
    opened = np.concatenate([[100.0], close[:-1]])
    candles = pd.DataFrame({"bar": np.arange(480_000.0, 480_000 + length), "open": opened, "close": close})
    candles["high"] = candles[["open", "close"]].max(axis=1) * (1 + volatility * random.random(length))
    candles["low"] = candles[["open", "close"]].min(axis=1) * (1 - volatility * random.random(length))
    candles["base_volume"] = random.uniform(1, 100, length)
    candles["taker_buy_base_volume"] = candles["base_volume"] / 2
    return candles.drop(index=[300, 301, 390]).reset_index(drop=True)


def disagreements(candles: pd.DataFrame, fault: dict[str, float] | None = None) -> tuple[set[str], int]:
    """Columns that differ anywhere, day by day, and how many values were compared; fault: factors of stored ones."""
    prices, features, names, compared = candles[["bar", "high", "low", "close"]].to_numpy(), stored(candles), set(), 0
    for end in range(len(candles), 200, -COMPARED_ROWS):
        run = last_run(prices[max(end - TAIL_BARS, 0) : end])
        for name, computed in second_opinion(*run[:, 1:].T).items():
            held = features[name].to_numpy()[end - len(run) : end] * (fault or {}).get(name, 1.0)
            has_opinion, differs = compare(held, computed, None if name in RATIOS else run[:, 3])
            compared += int(has_opinion.sum())
            names |= {name} if differs.any() else set()
    return names, compared


def opinion(candles: pd.DataFrame) -> dict[str, np.ndarray]:
    return second_opinion(*(candles[name].to_numpy() for name in ("high", "low", "close")))


def stored(candles: pd.DataFrame) -> pd.DataFrame:
    nothing = pd.DataFrame({"day": [], "value": [], "published_at": []})
    return compute_features(candles, nothing, "1h")


@pytest.mark.parametrize("volatility", [0.1, 0.01, 1e-4])
def test_it_agrees_with_what_is_stored_on_every_settled_bar(volatility: float) -> None:
    candles = walk(2500, volatility)
    columns, features = opinion(candles), stored(candles)
    for name, computed in columns.items():
        for end in range(len(candles), SETTLED_BARS + 200, -COMPARED_ROWS):
            has_opinion, differs = compare(features[name].to_numpy()[:end], computed[:end])
            assert not differs.any(), (name, end)
            assert has_opinion.sum() == COMPARED_ROWS


def test_it_has_one_of_every_indicator() -> None:
    indicators = {feature.name for feature in FEATURES if feature.bars is not None}
    assert set(opinion(walk(600))) == indicators - {"change_percent", "log_return"}


def test_it_shares_no_code_with_what_is_stored() -> None:
    tree = ast.parse(inspect.getsource(module))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {name for name in imported if name.startswith("include")} == {"include.features.model"}
    assert "talib" not in inspect.getsource(module)
    assert not any("fillna" in ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_it_has_none_in_the_beginning_or_of_a_short_run() -> None:
    columns = opinion(walk(SETTLED_BARS + 200))
    for values in columns.values():
        assert np.isnan(values[:SETTLED_BARS]).all()
        assert np.isfinite(values[SETTLED_BARS:]).all()
    assert opinion(walk(SETTLED_BARS + 3)) == {}
    assert second_opinion(np.empty(0), np.empty(0), np.empty(0)) == {}


def test_a_market_at_rest_has_no_strength_direction_or_band() -> None:
    flat = np.full(1000, 7.0)
    columns, features = second_opinion(flat, flat, flat), stored(at_rest(flat))
    undefined = {"rsi_14", "stoch_rsi", "stoch_rsi_k", "stoch_rsi_d", "bollinger_percent_b", "bollinger_width"}
    for name, computed in columns.items():
        has_opinion, differs = compare(features[name].to_numpy(), computed)
        assert not differs.any(), name
        assert not has_opinion.any() or name not in undefined


@pytest.mark.parametrize("rest", [100, 450, 800])
def test_a_market_that_begins_at_rest_is_no_disagreement(rest: int) -> None:
    candles = pd.concat([at_rest(np.full(rest, 100.0)), walk(1000)], ignore_index=True)
    candles["bar"] = np.arange(480_000.0, 480_000 + len(candles))
    features = stored(candles)
    for name, computed in opinion(candles).items():
        for end in range(len(candles), SETTLED_BARS, -COMPARED_ROWS):
            assert not compare(features[name].to_numpy()[:end], computed[:end])[1].any(), (name, end)


def test_a_market_that_comes_to_rest_is_no_disagreement() -> None:
    close = np.concatenate([walk(900)["close"].to_numpy(), np.full(300, 90.0)])
    candles = at_rest(close)
    for name, computed in opinion(candles).items():
        assert not compare(stored(candles)[name].to_numpy(), computed)[1].any(), name


def at_rest(close: np.ndarray) -> pd.DataFrame:
    """Candles that open, close and range at one price."""
    bars = np.arange(480_000.0, 480_000 + len(close))
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    return pd.DataFrame({"bar": bars, **prices, "base_volume": 0.0, "taker_buy_base_volume": 0.0})


def test_only_the_last_rows_are_compared_and_null_is_no_agreement() -> None:
    computed, held = np.full(100, 50.0), np.full(100, 50.0)
    held[[10, -COMPARED_ROWS - 1]] = 0.0
    held[-1] = np.nan
    held[-2] = 50.0 * (1 + 1e-5)
    held[-3] = 50.0 * (1 + 1e-7)
    held[-COMPARED_ROWS] = -50.0
    computed[-5] = np.nan
    has_opinion, differs = compare(held, computed)
    assert np.flatnonzero(differs).tolist() == [100 - COMPARED_ROWS, 98, 99]
    assert has_opinion.sum() == COMPARED_ROWS - 1
    nothing = compare(held, np.full(100, np.nan))
    assert not nothing[0].any()
    assert not nothing[1].any()


def test_near_zero_the_columns_own_size_counts() -> None:
    computed = np.full(100, 2.0)
    computed[-1] = 0.0
    held = computed.copy()
    held[-1] = 1e-7
    assert not compare(held, computed)[1].any()
    computed[:-1] = held[:-1] = 0.0  # as where nothing moves
    held[-1] = 1e-9
    assert not compare(held, computed, np.full(100, 20.0))[1].any()
    assert compare(held, computed, np.full(100, 5.0))[1].sum() == 1
    assert not compare(held, computed)[1].any()
    held[-1] = 1e-5
    assert compare(held, computed)[1].sum() == 1


def test_a_flat_stretch_is_no_disagreement_during_and_after_it() -> None:
    before, after = walk(1000), walk(900, seed=8)
    close = float(before["close"].iloc[-1])
    after[["open", "high", "low", "close"]] *= close / 100.0
    candles = pd.concat([before, at_rest(np.full(900, close)), after], ignore_index=True)
    candles["bar"] = np.arange(480_000.0, 480_000 + len(candles))
    names, compared = disagreements(candles)
    assert names == set()
    assert compared > 20_000


@pytest.mark.parametrize("moving", [0.1, 0.005])
def test_a_price_that_seldom_moves_is_no_disagreement(moving: float) -> None:
    random = np.random.default_rng(6)
    steps = random.normal(0, 0.01, 2400) * (random.random(2400) < moving)
    names, compared = disagreements(at_rest(np.round(60_000 * np.exp(np.cumsum(steps)), 2)))
    assert names == set()
    assert compared > 10_000


@pytest.mark.parametrize("share", [0.25, 0.3, 0.6])
def test_a_market_without_most_of_its_bars_is_no_disagreement(share: float) -> None:
    candles = walk(6000)
    there = np.random.default_rng(4).random(len(candles)) < share
    names, compared = disagreements(candles[there].reset_index(drop=True))
    assert names == set()
    assert (compared > 0) == (share == 0.6)  # else there are never as many rows as the beginnings take to settle


@pytest.mark.parametrize("length", [1500, 1447])  # the newest block long begun, and 7 bars old
def test_a_fault_of_a_thousandth_is_found_whatever_the_column(length: int) -> None:
    candles = walk(length)
    names, _ = disagreements(candles)
    assert names == set()
    candles = candles.tail(1300).reset_index(drop=True)
    assert disagreements(candles, dict.fromkeys(opinion(candles), 1.001))[0] == set(opinion(candles))


def test_both_opinions_begin_at_one_candle() -> None:
    bars = np.arange(480_000.0, 482_000)
    begin = 481_920 - 768  # the newest block's, less its warm-up
    assert last_run(bars[:, None])[0, 0] == begin
    assert last_run(np.delete(bars, slice(1300, 1325))[:, None])[0, 0] == 481_325
    assert last_run(np.delete(bars, slice(1300, 1324))[:, None])[0, 0] == begin
    assert len(last_run(np.empty((0, 4)))) == 0


def test_all_series_have_their_turn_in_a_circle_of_hours() -> None:
    seen = [each.instrument_id for hour in range(7) for each in turn(SERIES, 480_000 + hour, 2)]
    assert sorted(seen) == sorted([*range(7), *range(7)])
    assert all(len(set(turn(SERIES, hour, 3))) == 3 for hour in range(20))
    assert turn(SERIES, 5, None) == turn(SERIES, 6, 7) == turn(SERIES, 7, 99) == SERIES
    assert turn([], 3, 24) == turn([], 3, None) == []
