"""Who serves: the new model, the present champion, or the naive forecast. Evidence decides, never age.

A new model has to beat naive beyond luck and the champion as well, on the same rows neither was trained on. A champion
that has fallen behind naive is retired. "No model beats naive" is a result, and a frequent one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from include.forecasting.significance import DieboldMariano

# Retraining tries again and again, so the bar over naive is higher than for a single test.
SIGNIFICANCE_OVER_NAIVE = 0.01
SIGNIFICANCE_OVER_CHAMPION = 0.05

Verdict = Literal["promoted", "kept", "retired", "naive"]


@dataclass(frozen=True, slots=True)
class ChampionEvidence:
    """The present champion on those rows of the hold-out that lie after its own training.

    skill: against naive there. challenger_over_it: the new model against it on the same rows.
    Both None where it cannot be judged: `unjudged` says why, or `unusable` why it cannot even be served.
    """

    version: str
    skill: float | None = None
    challenger_over_it: DieboldMariano | None = None
    unjudged: str | None = None
    unusable: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and why, in a sentence with its figures."""

    verdict: Verdict
    reason: str


def decide(skill: float, over_naive: DieboldMariano, champion: ChampionEvidence | None) -> Decision:
    """Decide who serves. skill, over_naive: the new model against naive on the hold-out."""
    beats_naive = over_naive.p_value < SIGNIFICANCE_OVER_NAIVE
    against_naive = (
        f"skill {skill:+.2%} over naive on {over_naive.pairs} rows, p = {over_naive.p_value:.3f}"
        f" (needs p < {SIGNIFICANCE_OVER_NAIVE})"
    )
    if champion is None:
        if beats_naive:
            return Decision("promoted", f"beats naive: {against_naive}; there was no champion")
        return Decision("naive", f"does not beat naive beyond luck: {against_naive}; naive is served")

    name = f"champion {champion.version}"
    if champion.unusable:
        if beats_naive:
            return Decision("promoted", f"beats naive: {against_naive}; {name} cannot be served: {champion.unusable}")
        return Decision("retired", f"{name} cannot be served: {champion.unusable}; new model: {against_naive}")
    if champion.skill is None or champion.challenger_over_it is None:
        return Decision("kept", f"{name} stays, it cannot be compared: {champion.unjudged}; new model: {against_naive}")
    against_champion = f"p = {champion.challenger_over_it.p_value:.3f} (needs p < {SIGNIFICANCE_OVER_CHAMPION})"
    if beats_naive and champion.challenger_over_it.p_value < SIGNIFICANCE_OVER_CHAMPION:
        return Decision("promoted", f"beats naive: {against_naive}; and {name}: {against_champion}")
    if champion.skill > 0.0:
        stays = f"{name} stays with skill {champion.skill:+.2%}"
        return Decision("kept", f"{stays}; the new model: {against_naive}, over the champion {against_champion}")
    behind = f"{name} has fallen behind naive with skill {champion.skill:+.2%}"
    if beats_naive and champion.challenger_over_it.mean_gain > 0.0:
        return Decision("promoted", f"{behind}; the new model beats naive: {against_naive}")
    return Decision("retired", f"{behind}, and the new model does not beat naive: {against_naive}; naive is served")
