"""Volatility by a linear model in logarithms: the HAR's windows, the EWMA, and what else is known of the market."""

from __future__ import annotations

from typing import Any

from include.forecasting.recipe import Recipe
from include.forecasting.targets import Target

# alpha counts like that many rows of "no relation"; an outcome shares most of its day with the next row's.
RIDGE: dict[str, Any] = {"alpha": 1_000.0, "solver": "cholesky"}
TRUSTED_TYPES = ("numpy.dtype", "sklearn.compose._column_transformer.make_column_selector")


def make() -> Any:
    """The unfitted pipeline.

    Past volatility enters as it is, so that a storm beyond any seen is followed. Every other input is held to the
    range it was seen in, which bounds what one wild hour can do. NaN becomes the mean.
    """
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    held = Pipeline([("range", MinMaxScaler(clip=True)), ("scale", StandardScaler())])
    columns = ColumnTransformer(
        [("volatility", StandardScaler(), make_column_selector(pattern="^volatility_"))], remainder=held
    )
    mean = SimpleImputer(strategy="constant", fill_value=0.0)
    return Pipeline([("columns", columns), ("mean", mean), ("ridge", Ridge(**RIDGE))])


RECIPE = Recipe(
    name="har_ridge",
    target=Target.VOLATILITY,
    parameters=RIDGE,
    make=make,
    link="log",
    trusted_types=TRUSTED_TYPES,
)
