"""Returns by gradient-boosted trees, held back hard."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

# Hourly returns are nearly all noise: few, shallow trees with many rows in each leaf. Early stopping is off, since it
# would draw a random validation set out of overlapping outcomes.
PARAMETERS: dict[str, Any] = {
    "loss": "squared_error",
    "max_iter": 50,
    "learning_rate": 0.03,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 300,
    "l2_regularization": 10.0,
    "early_stopping": False,
    "random_state": 0,
}


def make() -> Any:
    """The unfitted pipeline; trees take NaN as they find it."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    return Pipeline([("boosting", HistGradientBoostingRegressor(**PARAMETERS))])


RECIPE = Recipe(
    name="boosting",
    target=Target.LOG_RETURN,
    parameters=PARAMETERS,
    make=make,
    trusted_types=("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",),
)
