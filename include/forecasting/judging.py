"""The whole judgement of a training, from rows to a decision: pure, without a database or a registry.

Every recipe and every baseline walks forward over the same folds. The best recipe is compared with the best baseline
and with the champion; that it was chosen, and that earlier trainings chose on the same rows, counts as tries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from include.forecasting.evaluation import Evaluation, evaluate, judged_rows
from include.forecasting.forecaster import Fitted, Forecaster
from include.forecasting.losses import loss_of
from include.forecasting.metrics import skill
from include.forecasting.promotion import ChallengerEvidence, ChampionEvidence, Decision, decide
from include.forecasting.recipe import MissingInputsError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray, diebold_mariano
from include.forecasting.times import to_array
from include.forecasting.walkforward import FEWEST_TEST_ROWS, Fold, embargo_bars, folds, walk_forward

# A champion is judged by outcomes of a month at least where they reach a day: they overlap.
FEWEST_HORIZONS_OF_CHAMPION = 30


class Candidate(Forecaster, Protocol):
    """A recipe for a model, known by the digest of its definition."""

    def sha256(self) -> str:
        """Equal digests make equal models of equal rows."""


CandidateT = TypeVar("CandidateT", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Champion:
    """The model that serves now, as a training finds it.

    model: None where it could not be loaded. unusable: why it cannot serve, e.g. that it is older than its limit.
    trained_until: when the last outcome it was fitted on was known (UTC); None where that is not known.
    recipe_sha256, dataset_sha256: of the recipe (`Candidate.sha256`) and of the matured rows (`ForecastRows.sha256`)
    that it was made of; a challenger of the same two is the same model.
    """

    version: str
    model: Fitted | None
    trained_until: datetime | None
    recipe_sha256: str | None = None
    dataset_sha256: str | None = None
    unusable: str | None = None

    def __post_init__(self) -> None:
        if self.unusable is None and (self.model is None or self.trained_until is None):
            raise ValueError(f"champion {self.version} is neither a model nor unusable")


@dataclass(frozen=True)
class Judgement(Generic[CandidateT]):
    """What a training found out.

    rows: those that were judged on or learned from, all with an outcome; dataset_sha256 is theirs.
    predictions: walk-forward forecasts by name of recipe or baseline, one per row, NaN where it was not judged.
    losses: their means over the judged rows.
    recipe: the best one, by mean loss; `evaluation` is its own, against each baseline.
    champion_predictions: the champion's on the rows after its training, NaN before; None where it was not judged.
    """

    decision: Decision
    challenger: ChallengerEvidence
    champion: ChampionEvidence | None
    recipe: CandidateT
    evaluation: Evaluation
    rows: ForecastRows
    dataset_sha256: str
    folds: list[Fold]
    predictions: Mapping[str, FloatArray]
    losses: Mapping[str, float]
    champion_predictions: FloatArray | None


def judge(
    rows: ForecastRows,
    recipes: Sequence[CandidateT],
    baselines: Sequence[Forecaster],
    champion: Champion | None,
    earlier_tries: int,
    bar: timedelta,
) -> Judgement[CandidateT]:
    """Walk forward, compare and decide.

    earlier_tries: how many trainings have already judged rows that are judged here, on other data than this.
    Raises NotEnoughHistoryError where there is too little to judge by, ValueError where a forecaster is of another
    target, shares its name, or makes a forecast that is not finite.
    """
    _check(rows, recipes, baselines)
    known = rows.matured()
    cuts = folds(known.as_of, known.horizon_bars, bar)
    everyone: list[Forecaster] = [*recipes, *baselines]
    predictions = {each.name: walk_forward(each, known, cuts) for each in everyone}
    judged = judged_rows(known, predictions[recipes[0].name])
    losses = _losses(known, predictions, judged)
    mean_loss = {name: float(values.mean()) for name, values in losses.items()}
    # The first of equals: the order of the listings is fixed.
    recipe = min(recipes, key=lambda each: mean_loss[each.name])
    baseline = min(baselines, key=lambda each: mean_loss[each.name]).name
    compared = losses[baseline], losses[recipe.name], rows.horizon_bars
    challenger = ChallengerEvidence(
        recipe=recipe.name,
        baseline=baseline,
        skill=skill(*compared),
        over_baseline=diebold_mariano(*compared),
        tries=len(recipes) * (1 + earlier_tries),
    )
    dataset = known.sha256()
    evidence, of_champion = None, None
    if champion is not None:
        is_identical = (champion.recipe_sha256, champion.dataset_sha256) == (recipe.sha256(), dataset)
        of_both = {"challenger": predictions[recipe.name], "baseline": predictions[baseline]}
        evidence, of_champion = _champion_evidence(known, champion, of_both, bar)
        evidence = replace(evidence, is_identical=is_identical)
    return Judgement(
        decision=decide(challenger, evidence),
        challenger=challenger,
        champion=evidence,
        recipe=recipe,
        evaluation=evaluate(
            known, predictions[recipe.name], {each.name: predictions[each.name] for each in baselines}, bar
        ),
        rows=known,
        dataset_sha256=dataset,
        folds=cuts,
        predictions=predictions,
        losses=mean_loss,
        champion_predictions=of_champion,
    )


def _check(rows: ForecastRows, recipes: Sequence[Forecaster], baselines: Sequence[Forecaster]) -> None:
    if not recipes or not baselines:
        raise ValueError("there has to be a recipe and a baseline")
    everyone = (*recipes, *baselines)
    if len({each.name for each in everyone}) < len(everyone):
        raise ValueError(f"names are not unique: {', '.join(each.name for each in everyone)}")
    others = [each.name for each in everyone if each.target is not rows.target]
    if others:
        raise ValueError(f"not forecasters of {rows.target}: {', '.join(others)}")


def _losses(
    rows: ForecastRows, predictions: Mapping[str, FloatArray], judged: npt.NDArray[np.bool_]
) -> dict[str, FloatArray]:
    loss = loss_of(rows.target)
    return {name: loss(rows.outcome[judged], values[judged]) for name, values in predictions.items()}


def _champion_evidence(
    rows: ForecastRows, champion: Champion, others: Mapping[str, FloatArray], bar: timedelta
) -> tuple[ChampionEvidence, FloatArray | None]:
    """The champion beside the `challenger` and the `baseline` on the judged rows after its training."""
    if champion.unusable is not None or champion.model is None or champion.trained_until is None:
        return ChampionEvidence(champion.version, unusable=champion.unusable), None
    begins = to_array([champion.trained_until])[0] + embargo_bars(rows.horizon_bars) * np.timedelta64(bar)
    fair = judged_rows(rows, others["challenger"]) & (rows.as_of >= begins)
    predicted = np.full(len(rows), np.nan)
    try:
        predicted[fair] = champion.model.predict(rows.part(fair))
    except MissingInputsError as error:
        return ChampionEvidence(champion.version, unusable=str(error)), None
    if not np.isfinite(predicted[fair]).all():
        return ChampionEvidence(champion.version, unusable="its forecasts are not all finite"), None
    fewest = max(FEWEST_TEST_ROWS, FEWEST_HORIZONS_OF_CHAMPION * rows.horizon_bars)
    if int(fair.sum()) < fewest:
        why = f"only {int(fair.sum())} judged rows lie after its training, {fewest} are needed"
        return ChampionEvidence(champion.version, unjudged=why), predicted
    losses = _losses(rows, {**others, "champion": predicted}, fair)
    evidence = ChampionEvidence(
        version=champion.version,
        skill=skill(losses["baseline"], losses["champion"], rows.horizon_bars),
        challenger_over_it=diebold_mariano(losses["champion"], losses["challenger"], rows.horizon_bars),
    )
    return evidence, predicted
