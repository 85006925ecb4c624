"""The model learns what is there, learns the same every time, and finds nothing in a random walk."""

from __future__ import annotations

import numpy as np
import pandas as pd

from include.forecasting import model
from include.forecasting.evaluation import Evaluation, evaluate
from include.forecasting.promotion import decide


def returns(seed: int, momentum: float, count: int = 5_000) -> np.ndarray:
    """Log returns that carry on by the given share."""
    found = np.random.default_rng(seed).standard_normal(count) * 0.01
    for place in range(1, count):
        found[place] += momentum * found[place - 1]
    return found


def judged(seed: int, momentum: float, horizon: int) -> Evaluation:
    """Train on the older part of a series of returns, judge on the newer, through the product's own functions."""
    series = pd.Series(returns(seed, momentum))
    inputs = pd.DataFrame({f"past_{n}": series.rolling(n).sum() for n in (1, 6, 24, 168)})
    outcome = series.rolling(horizon).sum().shift(-horizon).to_numpy()
    volatility = np.sqrt((series**2).rolling(24).sum()).to_numpy()
    past, held = slice(168, 3_400), slice(3_400 + horizon + 24, 5_000 - horizon)
    pipeline = model.fit(inputs[past], outcome[past])
    return evaluate(outcome[held], model.predict(pipeline, inputs[held]), volatility[held], horizon)


def test_planted_momentum_is_found() -> None:
    found = judged(1, 0.3, 1)
    assert found.scores.skill > 0.03
    assert found.scores.direction is not None
    assert found.scores.direction.lower > 0.5
    assert decide(found.scores.skill, found.over_naive, None).verdict == "promoted"


def test_random_walk_shows_no_skill() -> None:
    """The canary of leaks: the whole road from training to verdict, on what nobody can forecast."""
    found = [judged(seed, 0.0, horizon) for seed in range(12) for horizon in (1, 24)]
    assert np.mean([each.scores.skill for each in found]) < 0.0
    verdicts = [decide(each.scores.skill, each.over_naive, None).verdict for each in found]
    assert verdicts.count("promoted") <= 1


def test_intervals_hold_what_they_promise() -> None:
    found = [judged(seed, 0.0, 1) for seed in range(6)]
    assert abs(np.mean([each.interval_coverage for each in found]) - 0.80) < 0.025
    assert abs(np.mean([each.naive_interval_coverage for each in found]) - 0.80) < 0.025


def test_same_rows_give_the_same_bits() -> None:
    inputs = pd.DataFrame(np.random.default_rng(2).standard_normal((2_000, 3)), columns=list("abc"))
    outcome = inputs["a"].to_numpy() * 0.1
    first, second = (model.predict(model.fit(inputs, outcome), inputs) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert np.std(first) > 0


def test_input_that_was_never_known_is_left_out() -> None:
    inputs = pd.DataFrame(np.random.default_rng(2).standard_normal((2_000, 3)), columns=list("abc"))
    inputs["b"] = np.nan
    inputs.loc[5, "c"] = np.nan
    known = model.known_inputs(inputs)
    assert known == ["a", "c"]
    assert np.isfinite(model.predict(model.fit(inputs[known], np.ones(2_000)), inputs[known])).all()


def test_definition_changes_with_the_parameters() -> None:
    before = model.definition_sha256()
    assert before == model.definition_sha256()
    model.PARAMETERS["max_iter"] += 1
    try:
        assert model.definition_sha256() != before
    finally:
        model.PARAMETERS["max_iter"] -= 1
