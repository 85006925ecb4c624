"""Returns by a linear model of ranks, held back hard."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

# alpha counts like that many rows of "no relation": with three years of hours an input keeps about half its weight.
PARAMETERS: dict[str, Any] = {"n_quantiles": 200, "alpha": 20_000.0}


def make() -> Any:
    """The unfitted pipeline.

    Each input becomes the normal score of its rank, which bounds what one wild hour can do; NaN becomes the median.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import QuantileTransformer

    ranks = QuantileTransformer(
        n_quantiles=PARAMETERS["n_quantiles"], output_distribution="normal", subsample=None, random_state=0
    )
    return Pipeline(
        [
            ("ranks", ranks),
            ("median", SimpleImputer(strategy="constant", fill_value=0.0)),
            ("ridge", Ridge(alpha=PARAMETERS["alpha"], solver="cholesky")),
        ]
    )


RECIPE = Recipe(
    name="ridge", target=Target.LOG_RETURN, parameters=PARAMETERS, make=make, trusted_types=("numpy.dtype",)
)
