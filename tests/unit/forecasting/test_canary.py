"""A few worlds of the canary (benchmarks/canary.py), with the real recipes and baselines."""

from __future__ import annotations

import pytest

from benchmarks.canary import World, beats_truth, interval, same_again, twin, verdict

ROWS = 2_200


@pytest.mark.parametrize("horizon_bars", [1, 24])
def test_martingales_promote_as_good_as_nothing(horizon_bars: int) -> None:
    found = [verdict(World(seed, ROWS, horizon_bars)) for seed in range(8)]
    # One in twenty may; with eight worlds two would be too many.
    assert sum(each.is_promoted for each in found) <= 1
    assert interval([each.skill for each in found])[1] < 0.0


def test_planted_skill_is_found() -> None:
    found = [verdict(World(seed, 3_000, r_squared=0.08)) for seed in range(4)]
    assert all(each.is_promoted for each in found)
    assert all(each.direction > 0.52 for each in found)


def test_models_of_volatility_do_not_beat_the_truth() -> None:
    assert sum(beats_truth(World(seed, ROWS, 24)) for seed in range(4)) == 0


def test_an_identical_challenger_is_never_promoted() -> None:
    for seed in range(2):
        world = World(seed, ROWS, r_squared=0.05 * seed)
        assert not same_again(world)
        assert not twin(world)
