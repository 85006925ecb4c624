"""Returns by a linear model of ranks, held back hard."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

# alpha counts like that many rows of "no relation": with three years of hours an input keeps about half its weight.
# Without an intercept, a row of medians is forecast to stay where it is: past drift is a baseline of its own, and a
# poor one.
RANKS: dict[str, Any] = {"n_quantiles": 200, "output_distribution": "normal", "subsample": None, "random_state": 0}
RIDGE: dict[str, Any] = {"alpha": 20_000.0, "fit_intercept": False, "solver": "cholesky"}


def make() -> Any:
    """The unfitted pipeline.

    Each input becomes the normal score of its rank, which bounds what one wild hour can do; NaN becomes the median.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import QuantileTransformer

    return Pipeline(
        [
            ("ranks", QuantileTransformer(**RANKS)),
            ("median", SimpleImputer(strategy="constant", fill_value=0.0)),
            ("ridge", Ridge(**RIDGE)),
        ]
    )


RECIPE = Recipe(
    name="ridge", target=Target.LOG_RETURN, parameters={**RANKS, **RIDGE}, make=make, trusted_types=("numpy.dtype",)
)
