"""The forecast of a market's newest row, with its interval and what the baselines say; no database, no registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from include.forecasting.baselines.listing import baselines, served_baseline
from include.forecasting.forecaster import Fitted, Forecaster
from include.forecasting.intervals import FEWEST_RESIDUALS, Bands, walk
from include.forecasting.recipe import FittedModel, NothingToLearnError, design
from include.forecasting.refusals import ForecastRefusedError, ReasonClass
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.stored_model import TrainedModel, UnusableModelError
from include.forecasting.targets import Target
from include.forecasting.times import to_array, to_datetime

# What the baselines are called that serve where there is no champion.
NAIVE, HAR = "naive", "har"
BASELINE_NAMES: dict[Target, str] = {Target.LOG_RETURN: NAIVE, Target.VOLATILITY: HAR}

# What the intervals around a baseline's forecast are calibrated on: half a year of hours.
WALKED_BARS = 4_380

# No market has moved as much; what lies beyond is no forecast. In the target's unit.
SANE: dict[Target, tuple[float, float]] = {Target.LOG_RETURN: (-5.0, 5.0), Target.VOLATILITY: (1e-9, 5.0)}

# An input that was known in this share of the rows, and is not in the newest one, has failed to arrive.
USUALLY_KNOWN = 0.95


@dataclass(frozen=True)
class Champion:
    """A registered model that serves."""

    name: str
    version: str
    trained: TrainedModel


@dataclass(frozen=True)
class Prediction:
    """The newest row's forecast in the target's unit, its 80 % and 95 % intervals, and who made it.

    up_probability: of a positive outcome; None for volatility. version and trained_until (UTC): None for a baseline.
    baselines: what each baseline forecasts, by name; None where it had nothing to learn from.
    """

    value: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float
    up_probability: float | None
    model: str
    version: str | None
    trained_until: datetime | None
    baselines: Mapping[str, float | None]


def check_complete(rows: ForecastRows) -> None:
    """Refuse where so much of the day before the newest row is missing that its volatility is not known."""
    if not np.isfinite(rows.volatility["day"].iloc[-1]):
        raise ForecastRefusedError(
            ReasonClass.INCOMPLETE, "features are incomplete: too many hours of the last day are missing"
        )


def predict_newest(rows: ForecastRows, champion: Champion | None, bar: timedelta, now: datetime) -> Prediction:
    """Forecast from the last row: by the champion, else by the baseline that serves; `now` (UTC) decides on its age.

    rows: with outcomes known as of the last row. A baseline is fitted on them; its intervals are those of a walk over
    the newest WALKED_BARS. A champion's intervals go on from its stored calibration, with what came of its forecasts
    since. Raises ForecastRefusedError.
    """
    past = rows.matured()
    fitted = {each.name: _fit(each, past) for each in baselines(rows.target)}
    newest = rows.part(slice(len(rows) - 1, len(rows)))
    figures = {name: None if one is None else float(one.predict(newest)[0]) for name, one in fitted.items()}
    if champion is None:
        baseline = served_baseline(rows.target).name
        served = fitted[baseline]
        if served is None:
            raise _too_short(len(past))
        walked = rows.part(rows.as_of > rows.as_of[-1] - WALKED_BARS * np.timedelta64(bar))
        values = served.predict(walked)
        bands, _ = walk(
            rows.target, rows.horizon_bars, walked.as_of, walked.outcome, values, walked.volatility, bar=bar
        )
        figures[baseline] = float(values[-1])  # to the last bit, which may depend on how many rows are multiplied
        known, name, version, trained_until = len(past), BASELINE_NAMES[rows.target], None, None
    else:
        values, bands = _by_champion(rows, champion, bar, now)
        known = champion.trained.calibration.truths
        name, version, trained_until = champion.name, champion.version, champion.trained.trained_until
    edges = (bands.lower_80, bands.upper_80, bands.lower_95, bands.upper_95)
    lower_80, upper_80, lower_95, upper_95 = (float(edge[-1]) for edge in edges)
    if not np.isfinite((lower_80, upper_80, lower_95, upper_95)).all():
        raise _too_short(known)
    return Prediction(
        value=float(values[-1]),
        lower_80=lower_80,
        upper_80=upper_80,
        lower_95=lower_95,
        upper_95=upper_95,
        up_probability=None if rows.target is Target.VOLATILITY else float(bands.up_probability[-1]),
        model=name,
        version=version,
        trained_until=trained_until,
        baselines=figures,
    )


def _by_champion(rows: ForecastRows, champion: Champion, bar: timedelta, now: datetime) -> tuple[FloatArray, Bands]:
    trained = champion.trained
    who = f"{champion.name} version {champion.version}"
    if (reason := trained.expired(now)) is not None:
        raise ForecastRefusedError(ReasonClass.OLD_MODEL, f"{who}: {reason}")
    if lacking := _lacking(rows, trained.fitted):
        reason = f"features are incomplete: {', '.join(lacking)} not known, and {who} was trained on it"
        raise ForecastRefusedError(ReasonClass.INCOMPLETE, reason)
    newest = to_datetime(rows.as_of[-1])
    if trained.trained_until > newest:
        reason = f"{who} learned until {trained.trained_until:%Y-%m-%d %H:%M} UTC, which is after the newest features"
        raise ForecastRefusedError(ReasonClass.UNUSABLE_MODEL, reason)
    since = rows.part(rows.as_of >= to_array([trained.calibration.since or newest])[0])
    try:
        values = trained.predict(since)
    except UnusableModelError as error:
        raise ForecastRefusedError(ReasonClass.UNUSABLE_MODEL, f"{who}: {error}") from error
    least, most = SANE[rows.target]
    if not least < values[-1] < most:
        raise ForecastRefusedError(ReasonClass.UNUSABLE_MODEL, f"{who} forecasts {values[-1]}")
    bands, _ = walk(
        rows.target,
        rows.horizon_bars,
        since.as_of,
        since.outcome,
        values,
        since.volatility,
        start=trained.calibration,
        bar=bar,
    )
    return values, bands


def _lacking(rows: ForecastRows, fitted: FittedModel) -> list[str]:
    """Inputs of the model that are not known in the newest row, though they usually are."""
    found = design(rows)
    used = [name for name in fitted.inputs if name in found.columns]
    known = np.isfinite(found[used].to_numpy(np.float64))
    has_failed = ~known[-1] & (known.mean(axis=0) >= USUALLY_KNOWN)
    return [name for name, failed in zip(used, has_failed, strict=True) if failed]


def _fit(forecaster: Forecaster, past: ForecastRows) -> Fitted | None:
    try:
        return forecaster.fit(past)
    except NothingToLearnError:
        return None


def _too_short(known: int) -> ForecastRefusedError:
    reason = f"{known} outcomes are known; {FEWEST_RESIDUALS} are needed for an interval"
    return ForecastRefusedError(ReasonClass.SHORT_HISTORY, reason)
