"""Figures of forecasts on recorded data: every recipe and baseline, walk-forward, and what would have been served.

Each forecast is of a fit on at most three years before its quarter of hours; the first ones learn from 2018 on. The
decision is the training's own, for a market without a champion and without earlier trainings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from include.candles.timeframes import step
from include.config.markets import Market
from include.forecasting.baselines.listing import baselines, served_baseline
from include.forecasting.calibration import CENTRAL, LEVELS
from include.forecasting.evaluation import Evaluation, evaluate, judged_rows
from include.forecasting.forecaster import Forecaster
from include.forecasting.held import Share, inside, share_of
from include.forecasting.historical import historical_quantiles
from include.forecasting.losses import crps_from_quantiles, loss_of
from include.forecasting.promotion import ChallengerEvidence, Decision, decide
from include.forecasting.recipes.listing import recipes
from include.forecasting.recorded import TIMEFRAME, recorded_rows
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind
from include.forecasting.times import to_array
from include.forecasting.tracker import CENTRAL_PLACES
from include.forecasting.walkforward import folds, walk_forward

STARTS_AT = datetime(2021, 1, 1, tzinfo=UTC)
ENDS_AT = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Coverage:
    """An interval's coverage, over all and in the quarter of the calendar that is farthest from the nominal share.

    width: its mean width over that of historical quantiles, on the same rows; historical: the share that those held.
    """

    nominal: float
    held: Share
    worst_quarter: str
    worst_share: float
    width: float
    historical: float


@dataclass(frozen=True)
class KindFigures:
    """One kind of forecast of one market, judged on as-of times in [starts_at, ends_at), UTC.

    recipe: the best one by mean loss; evaluations: of it and of each baseline, by name; only the recipe's is against
    references. served: who would have served. coverages, crps and historical_crps: of the served forecasts' intervals
    and of historical quantiles, on the rows that have both; `interval_rows` of them.
    """

    market: str
    kind: ForecastKind
    starts_at: datetime
    ends_at: datetime
    recipe: str
    challenger: ChallengerEvidence
    decision: Decision
    evaluations: dict[str, Evaluation]
    served: str
    interval_rows: int
    coverages: tuple[Coverage, ...]
    crps: float
    historical_crps: float


def figures_of(
    folder: Path,
    market: Market,
    kind: ForecastKind,
    starts_at: datetime = STARTS_AT,
    ends_at: datetime = ENDS_AT,
) -> KindFigures:
    """Every figure of one kind of one market. Raises include.replay.errors.ReplayError without its recorded data,
    NotEnoughHistoryError where the data are too short."""
    rows = recorded_rows(folder, market.venue_symbol, kind).matured()
    rows = rows.part(rows.as_of < to_array([ends_at])[0])
    judged = rows.as_of >= to_array([starts_at])[0]
    predictions = _predictions(rows, judged)
    bar = step(TIMEFRAME)

    loss, known = loss_of(kind.target), judged_rows(rows, predictions[recipes(kind.target)[0].name])
    losses = {name: loss(rows.outcome[known], values[known]).mean() for name, values in predictions.items()}
    best = min((each.name for each in recipes(kind.target)), key=lambda name: losses[name])
    bar_to_beat = min((each.name for each in baselines(kind.target)), key=lambda name: losses[name])
    of_baselines = {each.name: evaluate(rows, predictions[each.name], {}, bar) for each in baselines(kind.target)}
    against = {name: predictions[name] for name in of_baselines}
    of_best = evaluate(rows, predictions[best], against, bar)
    compared = of_best.overall.against[bar_to_beat]
    challenger = ChallengerEvidence(best, bar_to_beat, compared.skill, compared.test, tries=len(recipes(kind.target)))
    decision = decide(challenger, None)
    evaluations = {best: of_best, **of_baselines}
    served = best if decision.verdict == "promoted" else served_baseline(kind.target).name
    coverages, crps, historical_crps, count = _intervals(rows, evaluations[served])
    return KindFigures(
        market=market.symbol,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        recipe=best,
        challenger=challenger,
        decision=decision,
        evaluations=evaluations,
        served=served,
        interval_rows=count,
        coverages=coverages,
        crps=crps,
        historical_crps=historical_crps,
    )


def _predictions(rows: ForecastRows, judged: npt.NDArray[np.bool_]) -> dict[str, FloatArray]:
    """Walk-forward forecasts by name; NaN where a row is not judged."""
    cuts = [fold for fold in folds(rows.as_of, rows.horizon_bars, step(TIMEFRAME)) if judged[fold.test].any()]
    everyone: list[Forecaster] = [*recipes(rows.target), *baselines(rows.target)]
    return {each.name: np.where(judged, walk_forward(each, rows, cuts), np.nan) for each in everyone}


def _intervals(rows: ForecastRows, evaluation: Evaluation) -> tuple[tuple[Coverage, ...], float, float, int]:
    """Coverages, CRPS, that of historical quantiles, and of how many rows."""
    levels = np.array(LEVELS)
    historical = historical_quantiles(rows.as_of, rows.outcome, rows.horizon_bars * step(TIMEFRAME), levels)
    historical = historical[evaluation.judged]
    held, bands = rows.part(evaluation.judged), evaluation.bands
    both = np.isfinite(bands.lower_80) & np.isfinite(historical[:, 0])
    actual = held.outcome[both]
    found = []
    for nominal, lower, upper in ((0.80, bands.lower_80, bands.upper_80), (0.95, bands.lower_95, bands.upper_95)):
        hits = inside(actual, lower[both], upper[both])
        below, above = CENTRAL_PLACES[CENTRAL.index(nominal)]
        floor, ceiling = historical[both][:, below], historical[both][:, above]
        width = float((upper - lower)[both].mean()) / float((ceiling - floor).mean())
        quarter, share = _worst_quarter(held.as_of[both], hits, nominal)
        share_held = share_of(hits, rows.horizon_bars)
        if share_held is None:
            raise ValueError("there is no interval to judge")
        of_history = float(inside(actual, floor, ceiling).mean())
        found.append(Coverage(nominal, share_held, quarter, share, width, of_history))
    crps = float(crps_from_quantiles(actual, bands.quantiles[both], levels).mean())
    historical_crps = float(crps_from_quantiles(actual, historical[both], levels).mean())
    return tuple(found), crps, historical_crps, len(actual)


def _worst_quarter(as_of: npt.NDArray[np.datetime64], hits: FloatArray, nominal: float) -> tuple[str, float]:
    """The quarter of the calendar whose share is farthest from the nominal one, e.g. `2022 Q2`, and its share."""
    quarters = as_of.astype("datetime64[M]").astype(np.int64) // 3
    shares = {int(each): float(hits[quarters == each].mean()) for each in np.unique(quarters)}
    worst = max(shares, key=lambda each: abs(shares[each] - nominal))
    return f"{1970 + worst // 4} Q{worst % 4 + 1}", shares[worst]
