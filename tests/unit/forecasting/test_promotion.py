"""Each road to each verdict, and that the reason carries the figures it rests on."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from include.forecasting.metrics import Skill
from include.forecasting.promotion import SIGNIFICANCE, ChallengerEvidence, ChampionEvidence, adjusted, decide
from include.forecasting.significance import DieboldMariano


def outcome(p_value: float, *, gain: float = 1e-6) -> DieboldMariano:
    return DieboldMariano(gain, 0.0, p_value, 4_320)


def challenger(p_value: float, tries: int = 2) -> ChallengerEvidence:
    return ChallengerEvidence("boosting", "drift", Skill(0.004, 0.001, 0.007), outcome(p_value), tries)


AHEAD, LEVEL, BEHIND = Skill(0.01, 0.0, 0.02), Skill(0.0, 0.0, 0.0), Skill(-0.01, -0.02, 0.0)
BEHIND_BY_LUCK = Skill(-0.01, -0.2, 0.2)
STRONG, WEAK = challenger(0.01), challenger(0.03)
OLD = "older than 90 days"


@pytest.mark.parametrize(
    ("new", "champion", "verdict"),
    [
        (STRONG, None, "promoted"),
        (WEAK, None, "naive"),
        (STRONG, ChampionEvidence("3", AHEAD, outcome(0.02)), "promoted"),
        (STRONG, ChampionEvidence("3", AHEAD, outcome(0.04)), "kept"),
        (WEAK, ChampionEvidence("3", AHEAD, outcome(0.02)), "kept"),
        (STRONG, ChampionEvidence("3", BEHIND, outcome(0.06)), "retired"),
        (STRONG, ChampionEvidence("3", BEHIND_BY_LUCK, outcome(0.06)), "kept"),
        (STRONG, ChampionEvidence("3", BEHIND_BY_LUCK, outcome(0.02)), "promoted"),
        (STRONG, ChampionEvidence("3", BEHIND, outcome(0.6, gain=-1e-6)), "retired"),
        (STRONG, ChampionEvidence("3", BEHIND, outcome(1.0, gain=0.0)), "retired"),
        (WEAK, ChampionEvidence("3", BEHIND, outcome(0.02)), "retired"),
        (WEAK, ChampionEvidence("3", LEVEL, outcome(1.0, gain=0.0)), "retired"),
        (STRONG, ChampionEvidence("3", unjudged="only 7 rows"), "kept"),
        (STRONG, ChampionEvidence("3", unjudged="only 7 rows", is_identical=True), "kept"),
        (STRONG, ChampionEvidence("3", BEHIND, outcome(0.01), is_identical=True), "kept"),
        (STRONG, ChampionEvidence("3", unusable=OLD), "promoted"),
        (STRONG, ChampionEvidence("3", unusable=OLD, is_identical=True), "retired"),
        (WEAK, ChampionEvidence("3", unusable=OLD), "retired"),
    ],
)
def test_verdict(new: ChallengerEvidence, champion: ChampionEvidence | None, verdict: str) -> None:
    decision = decide(new, champion)
    assert decision.verdict == verdict
    assert f"p = {new.over_baseline.p_value * 2:.3f} for the best of 2 tries (needs p < 0.05)" in decision.reason
    assert "boosting has skill +0.40% over drift (95 % interval +0.10% to +0.70%) on 4320 rows" in decision.reason
    if champion:
        assert "champion 3" in decision.reason
        assert champion.unusable is None or champion.unusable in decision.reason
        assert champion.is_identical or champion.unjudged is None or champion.unjudged in decision.reason
        if champion.challenger_over_it and not champion.is_identical:
            over_it = min(1.0, champion.challenger_over_it.p_value * 2)
            assert f"over the champion p = {over_it:.3f} on 4320 rows after its training" in decision.reason


def test_each_try_raises_the_bar() -> None:
    assert [decide(replace(STRONG, tries=tries), None).verdict for tries in (1, 4, 5, 500)] == [
        "promoted",
        "promoted",
        "naive",
        "naive",
    ]
    assert "p < 0.001 for the best of 2 tries" in decide(challenger(1e-9), None).reason
    assert "for one try" in decide(replace(STRONG, tries=1), None).reason
    assert adjusted(0.3, 5) == 1.0


def test_tries_count_against_the_champion_as_well() -> None:
    barely = ChampionEvidence("3", AHEAD, outcome(0.02))
    assert decide(challenger(0.001, tries=2), barely).verdict == "promoted"
    assert decide(challenger(0.001, tries=3), barely).verdict == "kept"


def test_a_life_of_weekly_trainings_promotes_by_luck_hardly_more_often_than_one() -> None:
    """Three years of trainings, each judging all rows so far, of a recipe that is exactly as good as the baseline."""
    draws, first, weeks, lives = np.random.default_rng(1), 1_500, 156, 1_000
    gains = np.cumsum(
        np.column_stack(
            [
                draws.standard_normal(lives) * math.sqrt(first),
                draws.standard_normal((lives, weeks)) * math.sqrt(168),
            ]
        ),
        axis=1,
    )
    statistics = gains / np.sqrt(first + 168 * np.arange(weeks + 1))
    lucky = [
        any(
            adjusted(1.0 - NormalDist().cdf(statistic), tries) < SIGNIFICANCE
            for tries, statistic in enumerate(life, start=1)
        )
        for life in statistics.tolist()
    ]
    assert sum(lucky) / lives <= 0.08
