"""What a model is: a recipe that is fitted on rows of the past, and the fitted model that forecasts.

The estimator is made of scikit-learn's own classes alone, so that it can be stored without code of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from include.forecasting import inputs, volatility
from include.forecasting.digest import state_sha256
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target
from include.forecasting.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

Link = Literal["identity", "log"]

VOLATILITY_COLUMNS = tuple(f"volatility_{name}" for name in volatility.COLUMNS)


class MissingInputsError(ValueError):
    """A model cannot forecast: columns it was fitted on are no longer computed."""


class NothingToLearnError(ValueError):
    """There is no row, or no column with a known value, to fit a model on."""


def design(rows: ForecastRows) -> pd.DataFrame:
    """What a pipeline sees of each row: the inputs, then past volatility as `volatility_day` and so on; NaN unknown.

    For forecasts of volatility the latter are logarithms: there volatility is nearly linear and nearly normal
    (Andersen, Bollerslev, Diebold and Labys, 2003).
    """
    past = rows.volatility[list(volatility.COLUMNS)].to_numpy(np.float64)
    if rows.target is Target.VOLATILITY:
        past = volatility.log_volatility(past, np.fmax.reduce(past, axis=1, keepdims=True))
    return rows.inputs.assign(**dict(zip(VOLATILITY_COLUMNS, past.T, strict=True)))


@dataclass(frozen=True)
class FittedModel:
    """A recipe that has learned; everything needed to forecast, in plain values and one scikit-learn pipeline.

    inputs: columns of `design` it was fitted on, in order. link: `log` means that the pipeline forecasts the logarithm
    of the outcome, and that the forecast is factor * exp(of it); under `identity` the factor is 1.
    """

    recipe: str
    target: Target
    link: Link
    pipeline: Any
    inputs: tuple[str, ...]
    factor: float = 1.0

    def predict(self, rows: ForecastRows) -> FloatArray:
        """One forecast per row, in the target's unit. Raises MissingInputsError, ValueError for another target."""
        if rows.target is not self.target:
            raise ValueError(f"a model of {self.target} cannot forecast {rows.target}")
        known = design(rows)
        _check(self.inputs, known)
        if not len(rows):
            return np.empty(0)
        with one_thread():
            found = np.asarray(self.pipeline.predict(known[list(self.inputs)]), dtype=np.float64)
        return self.factor * np.exp(found) if self.link == "log" else found

    def sha256(self) -> str:
        """Digest of all that decides its forecasts: columns, link, factor, and the pipeline's learned state.

        The same rows and the same code give the same digest; a pipeline that was stored and loaded keeps it.
        """
        return state_sha256(self.recipe, str(self.target), self.link, self.inputs, float(self.factor), self.pipeline)


@dataclass(frozen=True)
class Recipe:
    """How a model of one target is made.

    name: short and stable; it stands in tables and in the registry. parameters: what a run logs of it.
    make: a new, unfitted scikit-learn estimator or pipeline, with fixed seeds.
    link: `log` for outcomes above 0 that are learned as logarithms.
    columns: those of `design` it may use, None for all.
    trusted_types: types in the fitted pipeline that skops does not know by itself, of scikit-learn and numpy only.
    """

    name: str
    target: Target
    parameters: Mapping[str, Any]
    make: Callable[[], Any]
    link: Link = "identity"
    columns: tuple[str, ...] | None = None
    trusted_types: tuple[str, ...] = field(default=())

    def fit(self, past: ForecastRows) -> FittedModel:
        """Learn from rows whose outcome is known, in time order.

        Raises NothingToLearnError without any, MissingInputsError for a column of `columns` that is not computed.
        """
        known = design(past)
        chosen = self.columns or tuple(str(name) for name in known.columns)
        _check(chosen, known)
        # No estimator can be fitted on a column that was never known.
        used = tuple(name for name in chosen if known[name].notna().any())
        if not used:
            raise NothingToLearnError(f"{self.name}: no row with a known input")
        known = known[list(used)]
        outcome = past.outcome
        if self.link == "log":
            outcome = volatility.log_volatility(outcome, volatility.usual_volatility(outcome))
        # Made before the limit is set, which holds only for libraries that are loaded by then.
        unfitted = self.make()
        with one_thread():
            pipeline = unfitted.fit(known, outcome)
            factor = volatility.level(outcome - pipeline.predict(known)) if self.link == "log" else 1.0
        return FittedModel(self.name, self.target, self.link, pipeline, used, factor)

    def sha256(self) -> str:
        """Digest of the definition: all that shapes a model beside its rows, versions of the libraries included."""
        import sklearn

        return state_sha256(
            self.name,
            str(self.target),
            self.link,
            dict(self.parameters),
            self.make(),
            self.columns or (*inputs.INPUTS, *VOLATILITY_COLUMNS),
            {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        )


def _check(names: tuple[str, ...], known: pd.DataFrame) -> None:
    missing = [name for name in names if name not in known.columns]
    if missing:
        raise MissingInputsError(f"inputs that are no longer computed: {', '.join(missing)}")
