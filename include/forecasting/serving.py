"""Make and seal forecasts: the champion's where there is one, else naive's, or a stated reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from typing import NamedTuple

import numpy as np

from include.candles.timeframes import step
from include.config.markets import FORECAST_HORIZONS, FORECAST_MARKETS, FORECAST_TIMEFRAME, Market
from include.forecasting.conformal import COVERAGE, Interval, TooFewResidualsError, calibrate
from include.forecasting.dataset import ForecastRows, load_rows
from include.forecasting.registry import ModelRegistry, UnusableModelError, model_name
from include.forecasting.significance import FloatArray
from include.forecasting.split import HOLDOUT_BARS
from include.forecasting.times import to_datetime
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.sql import statement
from include.warehouse.world import world_of

NAIVE = "naive"

# A forecast on older features than this would pass off yesterday's knowledge as today's.
STALE_AFTER_BARS = 2

# Model prices are rounded to what a price's digits can mean; naive's price is the candle's close, exactly.
ROUNDED = Context(prec=12)


class Refusal(NamedTuple):
    """Why there is no forecast for a market (`venue:BASE/QUOTE`) and horizon in bars."""

    market: str
    horizon: int
    reason: str


@dataclass
class ForecastRun:
    """What a run of forecasts did."""

    written: int = 0
    already_sealed: int = 0
    refused: list[Refusal] = field(default_factory=list)


class Prediction(NamedTuple):
    """A forecast of a log return with the half-width of its interval, and who made it (version None: naive)."""

    log_return: float
    half_width: float
    model: str
    model_version: str | None


class ForecastRefusedError(Exception):
    """There will be no forecast; the message says why."""


def make_forecasts(
    connection: Connection,
    registry: ModelRegistry,
    now: datetime,
    *,
    markets: Sequence[Market] = FORECAST_MARKETS,
    timeframe: str = FORECAST_TIMEFRAME,
    horizons: Sequence[int] = FORECAST_HORIZONS,
) -> ForecastRun:
    """Seal one forecast per market and horizon on what was known at `now` (UTC); a repeat writes nothing.

    A market that cannot be forecast is refused with its reason and does not hold up the others.
    Raises mlflow.exceptions.MlflowException where the registry does not answer: who serves is then not known.
    """
    run = ForecastRun()
    for market in markets:
        for horizon in horizons:
            try:
                is_new = _forecast(connection, registry, market, timeframe, horizon, now)
            except (ForecastRefusedError, UnusableModelError, TooFewResidualsError) as error:
                run.refused.append(Refusal(market.key, horizon, str(error)))
            else:
                run.written += is_new
                run.already_sealed += not is_new
    return run


def _forecast(
    connection: Connection, registry: ModelRegistry, market: Market, timeframe: str, horizon: int, now: datetime
) -> bool:
    """Make and seal one forecast; False where it was sealed before."""
    bar = step(timeframe)
    instrument_id = ensure_instrument(connection, market)
    key: dict[str, object] = {"instrument_id": instrument_id, "timeframe": timeframe}
    newest = connection.execute(statement("forecast/select_newest.sql"), {**key, "now": now}).fetchone()
    world = world_of(connection)
    if newest is None or world is None:
        raise ForecastRefusedError(f"no features of {timeframe} yet")
    as_of: datetime = newest[0]
    price: Decimal = newest[1]
    target_at = as_of + horizon * bar
    if now - as_of > STALE_AFTER_BARS * bar:
        raise ForecastRefusedError(f"features are stale: the newest are as of {as_of:%Y-%m-%d %H:%M} UTC")
    key |= {"horizon_bars": horizon, "as_of": as_of}
    if connection.execute(statement("forecast/select_forecast.sql"), key).fetchone():
        return False
    if target_at <= now:
        raise ForecastRefusedError(f"the target {target_at:%Y-%m-%d %H:%M} UTC is not ahead of now any more")

    since = as_of - (HOLDOUT_BARS + horizon + 1) * bar
    rows = load_rows(connection, instrument_id, timeframe, horizon, now=as_of, since=since)
    if not len(rows) or to_datetime(rows.as_of[-1]) != as_of:
        raise ForecastRefusedError(f"the features as of {as_of:%Y-%m-%d %H:%M} UTC are being rewritten")
    name = model_name(world, market.venue, market.symbol, timeframe, horizon)
    prediction = predict_newest(rows, registry, name)
    sealed = connection.execute(
        statement("forecast/insert_forecast.sql"),
        {**key, "target_at": target_at, "made_at": now, "as_of_price": price, **priced(prediction, price)},
    ).fetchone()
    return sealed is not None


def predict_newest(rows: ForecastRows, registry: ModelRegistry, name: str) -> Prediction:
    """Forecast from the last row: by the champion of `name`, else naive with an interval from the rows before.

    Raises TooFewResidualsError, UnusableModelError.
    """
    newest = rows.part(slice(len(rows) - 1, len(rows)))
    champion = registry.champion(name)
    if champion is None:
        past = rows.matured()
        return Prediction(0.0, _width(calibrate(past.outcome, past.volatility), newest.volatility), NAIVE, None)
    loaded = registry.load(champion)
    log_return = float(loaded.predict(newest.inputs)[0])
    if not np.isfinite(log_return):
        raise UnusableModelError(f"{name} version {champion.version} forecasts {log_return}")
    return Prediction(log_return, _width(loaded.interval, newest.volatility), name, champion.version)


def _width(interval: Interval, volatility: FloatArray) -> float:
    return float(interval.half_width(volatility)[0])


def priced(prediction: Prediction, price: Decimal) -> dict[str, object]:
    """The forecast in prices, from the price it starts at, as columns of ml.forecast."""

    def at(log_return: float) -> Decimal:
        return ROUNDED.multiply(price, Decimal(math.exp(log_return)))

    expected = price if prediction.model == NAIVE else at(prediction.log_return)
    return {
        "predicted_log_return": prediction.log_return,
        "predicted_price": expected,
        "lower_price": min(expected, at(prediction.log_return - prediction.half_width)),
        "upper_price": max(expected, at(prediction.log_return + prediction.half_width)),
        "coverage": COVERAGE,
        "model": prediction.model,
        "model_version": prediction.model_version,
    }
