"""What a training leaves in words and figures."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from include.forecasting.baselines.listing import baselines
from include.forecasting.card import TrainingFacts, evidence_of, metrics_of, model_card, plain
from include.forecasting.judging import Judgement, judge
from include.forecasting.recipe import Recipe
from include.forecasting.recipes.listing import recipe
from include.forecasting.registry import DESCRIPTION_LIMIT
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.worlds import simulated

NAMES = {Target.LOG_RETURN: "ridge", Target.VOLATILITY: "har_ridge"}
AT = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=list(Target), ids=str)
def judgement(request: pytest.FixtureRequest) -> Judgement[Recipe]:
    target: Target = request.param
    rows = simulated("garch", 5, 2_400, ForecastKind(target, 24))
    return judge(rows, [recipe(target, NAMES[target])], baselines(target), None, 2, timedelta(hours=1))


def facts_of(judgement: Judgement[Recipe]) -> TrainingFacts:
    return TrainingFacts(
        "recorded", "binance:BTC/USDT", "1h", str(judgement.rows.target), 24, judgement.recipe.name, 2_400, AT, AT,
        len(judgement.folds), judgement.evaluation.overall.count, AT, AT, AT, AT,
        "a" * 64, "b" * 64, "c" * 64, "d" * 64, tuple(f"input_{place}" for place in range(40)),
    )  # fmt: skip


def test_metrics_are_the_judgements_figures(judgement: Judgement[Recipe]) -> None:
    metrics = metrics_of(judgement)
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics["skill"] == judgement.challenger.skill.value
    assert metrics["tries"] == 3.0
    assert metrics["p_value_adjusted"] == min(1.0, 3 * metrics["p_value_over_baseline"])
    assert {f"loss.{name}" for name in judgement.losses} <= set(metrics)
    assert metrics[f"skill_over.{judgement.challenger.baseline}"] == pytest.approx(metrics["skill"])
    assert {"interval_coverage", "interval_coverage_95", "crps"} <= set(metrics)
    assert ("direction_accuracy" in metrics) == (judgement.rows.target is Target.LOG_RETURN)
    assert any(name.startswith(("calm.", "normal.", "storm.")) for name in metrics)


def test_evidence_is_json(judgement: Judgement[Recipe]) -> None:
    evidence = json.loads(json.dumps(evidence_of(judgement), allow_nan=False))
    assert evidence["losses"] == dict(judgement.losses)
    assert evidence["challenger"]["baseline"] == judgement.challenger.baseline
    assert evidence["champion"] is None
    assert set(evidence["overall"]["against"]) == {each.name for each in baselines(judgement.rows.target)}
    assert plain({"a": [math.nan, 1.0, (-math.inf,)], "b": "x"}) == {"a": [None, 1.0, [None]], "b": "x"}


def test_card_says_what_how_and_why(judgement: Judgement[Recipe]) -> None:
    card = model_card(facts_of(judgement), judgement, judgement.recipe.parameters)
    volatility = judgement.rows.target is Target.VOLATILITY
    assert ("realised volatility" in card) == volatility
    assert ("QLIKE" in card) == volatility
    assert ("direction right" in card) != volatility
    for name, loss in judgement.losses.items():
        assert f"of `{name}` | {loss:.6g} |" in card
    assert f"Decision: {judgement.decision.verdict}. {judgement.decision.reason}." in card
    for mark in "abcd":
        assert f"`{mark * 64}`" in card
    assert "in calm hours" in card
    assert "Not investment advice." in card
    assert " nan" not in card
    assert len(card) < DESCRIPTION_LIMIT
    assert np.isfinite(judgement.evaluation.overall.loss)
