"""A model as it serves, and as it is kept beside its pipeline in the registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.forecasting.calibration import Calibration
from include.forecasting.recipe import FittedModel, MissingInputsError
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import Target

# Since the last outcome it learned from; an older model knows a market that is gone.
MODEL_AGE_LIMIT_DAYS = 90


class UnusableModelError(RuntimeError):
    """A registered model cannot be served, e.g. as it lacks what our trainings store with it."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted model with what is needed to serve it.

    calibration: of its intervals, at the end of the walk-forward of its recipe; truths since then continue it.
    trained_until: when the last outcome it was fitted on was known (UTC); its age counts from there.
    recipe_sha256, dataset_sha256: of the recipe's definition and of the matured rows it was chosen and fitted on.
    code_version: of the sources it was made by.
    """

    fitted: FittedModel
    calibration: Calibration
    trained_until: datetime
    recipe_sha256: str
    dataset_sha256: str
    code_version: str

    def predict(self, rows: ForecastRows) -> FloatArray:
        """One forecast per row. Raises UnusableModelError where an input it was fitted on no longer exists."""
        try:
            return self.fitted.predict(rows)
        except MissingInputsError as error:
            raise UnusableModelError(str(error)) from error

    def expired(self, now: datetime) -> str | None:
        """Why it must not serve any more at `now` (UTC); None while it may."""
        days = (now - self.trained_until).days
        if days < MODEL_AGE_LIMIT_DAYS:
            return None
        return f"it learned until {self.trained_until:%Y-%m-%d}, {days} days ago; the limit is {MODEL_AGE_LIMIT_DAYS}"


def metadata_of(trained: TrainedModel) -> dict[str, Any]:
    """All of a model but its pipeline, as plain values."""
    fitted = trained.fitted
    return {
        "recipe": fitted.recipe,
        "target": str(fitted.target),
        "link": fitted.link,
        "inputs": list(fitted.inputs),
        "factor": float(fitted.factor),
        # Text: as a document of many numbers it would be slow to read.
        "calibration": json.dumps(trained.calibration.as_json()),
        "trained_until": trained.trained_until.isoformat(),
        "recipe_sha256": trained.recipe_sha256,
        "dataset_sha256": trained.dataset_sha256,
        "code_version": trained.code_version,
        "model_sha256": fitted.sha256(),
    }


def from_metadata(metadata: Mapping[str, Any], load_pipeline: Callable[[], Any]) -> TrainedModel:
    """The model of which metadata_of told. Raises UnusableModelError where it did not, or where it is another now."""
    try:
        fitted = FittedModel(
            recipe=metadata["recipe"],
            target=Target(metadata["target"]),
            link=metadata["link"],
            pipeline=load_pipeline(),
            inputs=tuple(metadata["inputs"]),
            factor=float(metadata["factor"]),
        )
        trained = TrainedModel(
            fitted=fitted,
            calibration=Calibration.from_json(json.loads(metadata["calibration"])),
            trained_until=datetime.fromisoformat(metadata["trained_until"]),
            recipe_sha256=metadata["recipe_sha256"],
            dataset_sha256=metadata["dataset_sha256"],
            code_version=metadata["code_version"],
        )
        stored = metadata["model_sha256"]
    except KeyError as error:
        raise UnusableModelError(f"was not registered by a training: it lacks {error}") from error
    except (TypeError, ValueError) as error:  # of another release, or spoilt: it serves nobody, and hinders nobody
        raise UnusableModelError(f"cannot be read: {error}") from error
    if fitted.sha256() != stored:
        raise UnusableModelError("is not the model that was trained: its digest differs from the one stored with it")
    return trained
