"""Who serves: the new model, the present champion, or the baseline. Evidence decides, never age.

A new model has to beat the best baseline beyond luck, and the champion as well, on rows that neither was trained on,
and the more was tried the stronger its evidence has to be (Bonferroni). A champion that has fallen behind the baseline
beyond luck is retired. "No model beats the baseline" is a result, and a frequent one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from include.forecasting.metrics import Skill
from include.forecasting.p_values import p_stated
from include.forecasting.significance import DieboldMariano

# Probability, over all tries, that a model which is no better passes.
SIGNIFICANCE = 0.05

Verdict = Literal["promoted", "kept", "retired", "naive"]


@dataclass(frozen=True, slots=True)
class ChallengerEvidence:
    """The best recipe against the best baseline on the rows of the walk-forward.

    tries: how many forecasters could have won by luck on these rows: recipes, times trainings that judged them.
    """

    recipe: str
    baseline: str
    skill: Skill
    over_baseline: DieboldMariano
    tries: int

    @property
    def p_value_adjusted(self) -> float:
        """Against "nothing that was tried beats the baseline"."""
        return adjusted(self.over_baseline.p_value, self.tries)


@dataclass(frozen=True, slots=True)
class ChampionEvidence:
    """The present champion on those judged rows that lie after its own training.

    skill: against the best baseline there. challenger_over_it: the new model against it on the same rows.
    Both None where it cannot be judged: `unjudged` says why, or `unusable` why it is no bar (it cannot be served).
    is_identical: the new model is the champion's recipe on the champion's data.
    """

    version: str
    skill: Skill | None = None
    challenger_over_it: DieboldMariano | None = None
    unjudged: str | None = None
    unusable: str | None = None
    is_identical: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and why, in a sentence with its figures."""

    verdict: Verdict
    reason: str


def adjusted(p_value: float, tries: int) -> float:
    """Bonferroni's p-value for the best of several tries."""
    return min(1.0, p_value * tries)


def decide(challenger: ChallengerEvidence, champion: ChampionEvidence | None) -> Decision:
    """Decide who serves."""
    beats_baseline = challenger.p_value_adjusted < SIGNIFICANCE
    bar = challenger.baseline
    figures = (
        f"{challenger.recipe} has skill {challenger.skill.value:+.2%} over {bar}"
        f" (95 % interval {challenger.skill.lower:+.2%} to {challenger.skill.upper:+.2%})"
        f" on {challenger.over_baseline.pairs} rows, {p_stated(challenger.p_value_adjusted)}"
        f" for {_tries(challenger.tries)} (needs p < {SIGNIFICANCE})"
    )
    if champion is None:
        if beats_baseline:
            return Decision("promoted", f"beats {bar}: {figures}; there was no champion")
        return Decision("naive", f"does not beat {bar} beyond luck: {figures}; the baseline is served")

    name = f"champion {champion.version}"
    if champion.is_identical:
        same = f"the new model is the same recipe on the same data; {figures}"
        if champion.unusable:
            return Decision("retired", f"{name} cannot be served: {champion.unusable}, and {same}")
        return Decision("kept", f"{name} stays: {same}")
    if champion.unusable:
        if beats_baseline:
            return Decision("promoted", f"beats {bar}: {figures}; {name} cannot be served: {champion.unusable}")
        return Decision("retired", f"{name} cannot be served: {champion.unusable}; the baseline is served; {figures}")
    if champion.skill is None or champion.challenger_over_it is None:
        return Decision("kept", f"{name} stays, it cannot be compared: {champion.unjudged}; {figures}")
    over_champion = adjusted(champion.challenger_over_it.p_value, challenger.tries)
    against_champion = (
        f"over the champion {p_stated(over_champion)} on {champion.challenger_over_it.pairs} rows after its training"
    )
    if beats_baseline and over_champion < SIGNIFICANCE:
        return Decision("promoted", f"beats {bar} and {name}: {figures}; {against_champion}")
    since = (
        f"skill {champion.skill.value:+.2%} over {bar}"
        f" (95 % interval {champion.skill.lower:+.2%} to {champion.skill.upper:+.2%}) since its training"
    )
    # A few weeks of a good model are often behind by luck; what is retired has to be behind beyond it.
    if champion.skill.upper > 0.0:
        return Decision("kept", f"{name} stays with {since}; {figures}; {against_champion}")
    behind = f"{name} has fallen behind with {since}"
    return Decision("retired", f"{behind}; the baseline is served; {figures}; {against_champion}")


def _tries(tries: int) -> str:
    return "one try" if tries == 1 else f"the best of {tries} tries"
