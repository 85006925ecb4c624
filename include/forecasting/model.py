"""The model: gradient-boosted trees on inputs free of the price level, held back hard, the same bits every time."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from include.forecasting import conformal, inputs, split
from include.forecasting.significance import FloatArray

if TYPE_CHECKING:
    import pandas as pd

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


def definition_sha256() -> str:
    """Digest of how a model comes to be, beside its data: inputs, parameters, split, interval, library."""
    import sklearn

    definition = {
        "inputs": inputs.INPUTS,
        "parameters": PARAMETERS,
        "split": (split.HOLDOUT_BARS, split.HOLDOUT_SHARE, split.EMBARGO_MARGIN_BARS),
        "coverage": conformal.COVERAGE,
        "scikit-learn": sklearn.__version__,
    }
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def known_inputs(rows: pd.DataFrame) -> list[str]:
    """Inputs that are known in at least one row: the trees cannot be fitted on a column without any value."""
    return [str(name) for name in rows.columns if rows[name].notna().any()]


def fit(rows: pd.DataFrame, outcome: FloatArray) -> Any:
    """A fitted scikit-learn pipeline from inputs to log returns."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    pipeline = Pipeline([("boosting", HistGradientBoostingRegressor(**PARAMETERS))])
    with _one_thread():
        return pipeline.fit(rows, outcome)


def predict(pipeline: Any, rows: pd.DataFrame) -> FloatArray:
    """Forecasts of log returns. Raises ValueError where the columns are not those of the fit."""
    with _one_thread():
        return np.asarray(pipeline.predict(rows), dtype=np.float64)


def _one_thread() -> Any:
    """On a machine whose cores are shared, threads that wait for each other cost more than these small trees."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1)
