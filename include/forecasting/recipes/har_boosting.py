"""Volatility as the mean of a linear model and of boosted trees, both in logarithms."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.recipes import har_ridge
from include.forecasting.targets import Target

# Few rows are independent, as outcomes of a day overlap: leaves of hundreds of hours. Few bins make the fits quick.
TREES: dict[str, Any] = {
    "loss": "squared_error",
    "max_iter": 100,
    "learning_rate": 0.05,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 300,
    "l2_regularization": 10.0,
    "max_bins": 63,
    "early_stopping": False,
    "random_state": 0,
}


def make() -> Any:
    """The unfitted pair.

    Trees know the hours of the day and week and how inputs act together, but nothing beyond what they have seen; the
    linear model goes on there. Forecasts of different making, averaged, err less than each (Bates and Granger, 1969).
    """
    from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor

    return VotingRegressor([("linear", har_ridge.make()), ("trees", HistGradientBoostingRegressor(**TREES))])


RECIPE = Recipe(
    name="har_boosting",
    target=Target.VOLATILITY,
    parameters={**har_ridge.RIDGE, **TREES},
    make=make,
    link="log",
    trusted_types=(
        *har_ridge.TRUSTED_TYPES,
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.utils._bunch.Bunch",
    ),
)
