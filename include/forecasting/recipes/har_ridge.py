"""Volatility by a linear model in logarithms: the HAR's windows, the EWMA, and what else is known of the market."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

PARAMETERS: dict[str, Any] = {"alpha": 1_000.0}


def make() -> Any:
    """The unfitted pipeline; NaN becomes the median."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline(
        [
            ("median", SimpleImputer(strategy="median")),
            ("scale", StandardScaler()),
            ("ridge", Ridge(alpha=PARAMETERS["alpha"], solver="cholesky")),
        ]
    )


RECIPE = Recipe(
    name="har_ridge",
    target=Target.VOLATILITY,
    parameters=PARAMETERS,
    make=make,
    link="log",
    trusted_types=("numpy.dtype",),
)
