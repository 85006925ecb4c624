"""Make and seal forecasts: the champion's where there is one, else the baseline's, or a stated reason for none.

A row is about the return; on the row of a day ahead stands a forecast of volatility as well. Where the return is
refused there is no row. Where volatility alone is refused, e.g. as its champion is too old, the row is sealed without
it; a reason that both share (stale, incomplete, late features) refuses the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from include.candles.timeframes import step
from include.config.markets import FORECAST_HORIZONS, FORECAST_MARKETS, FORECAST_TIMEFRAME, Market
from include.forecasting.dataset import load_kinds
from include.forecasting.predicting import Champion, Prediction, check_complete, predict_newest
from include.forecasting.refusals import ForecastRefusedError, ReasonClass, record_refusal
from include.forecasting.registry import ModelRegistry, model_name
from include.forecasting.rows import ForecastRows
from include.forecasting.sealed_columns import priced, volatility_columns
from include.forecasting.stored_model import UnusableModelError
from include.forecasting.targets import FORECASTS, ForecastKind, Target
from include.forecasting.times import to_datetime
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument
from include.warehouse.sql import statement
from include.warehouse.world import world_of

# A forecast on older features than this would pass off yesterday's knowledge as today's.
STALE_AFTER_BARS = 2

# What baselines learn from: a year of hours. It holds all that a champion's calibration goes on with.
HISTORY_BARS = 8_760


class Refusal(NamedTuple):
    """Why there is no forecast of a target for a market (`venue:BASE/QUOTE`) and horizon in bars."""

    market: str
    horizon: int
    target: Target
    reason_class: ReasonClass
    reason: str


@dataclass
class ForecastRun:
    """What a run of forecasts did. refused: whole rows (LOG_RETURN), and volatility parts of rows that were written."""

    written: int = 0
    already_sealed: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def rows_refused(self) -> int:
        """How many rows were not written."""
        return sum(each.target is Target.LOG_RETURN for each in self.refused)


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
        instrument_id = ensure_instrument(connection, market)
        _Serving(connection, registry, now, run, market, instrument_id, timeframe).forecast(horizons)
    return run


@dataclass
class _Serving:
    """The forecasts of one market in a run."""

    connection: Connection
    registry: ModelRegistry
    now: datetime
    run: ForecastRun
    market: Market
    instrument_id: int
    timeframe: str

    def forecast(self, horizons: Sequence[int]) -> None:
        """Seal or refuse each horizon."""
        try:
            as_of, price, world = self._newest()
        except ForecastRefusedError as error:
            for horizon in horizons:
                self._refuse(horizon, Target.LOG_RETURN, error)
            return
        due = [horizon for horizon in horizons if self._is_due(horizon, as_of)]
        if not due:
            return
        kinds = [ForecastKind(Target.LOG_RETURN, horizon) for horizon in due]
        kinds += [kind for kind in FORECASTS if kind.target is Target.VOLATILITY and kind.horizon_bars in due]
        since = as_of - HISTORY_BARS * self._bar
        loaded = load_kinds(self.connection, self.instrument_id, self.timeframe, kinds, now=as_of, since=since)
        for horizon in due:
            try:
                values = self._row(horizon, as_of, price, world, loaded)
            except ForecastRefusedError as error:
                self._refuse(horizon, Target.LOG_RETURN, error)
                continue
            sealed = self.connection.execute(statement("forecast/insert_forecast.sql"), values).fetchone()
            self.run.written += sealed is not None
            self.run.already_sealed += sealed is None

    @property
    def _series(self) -> dict[str, object]:
        return {"instrument_id": self.instrument_id, "timeframe": self.timeframe}

    @property
    def _bar(self) -> timedelta:
        return step(self.timeframe)

    def _newest(self) -> tuple[datetime, Decimal, str]:
        """Close time and exact close of the newest candle with features, and the world."""
        newest = self.connection.execute(
            statement("forecast/select_newest.sql"), {**self._series, "now": self.now}
        ).fetchone()
        world = world_of(self.connection)
        if newest is None or world is None:
            raise ForecastRefusedError(ReasonClass.NO_FEATURES, f"no features of {self.timeframe} yet")
        as_of: datetime = newest[0]
        if self.now - as_of > STALE_AFTER_BARS * self._bar:
            reason = f"features are stale: the newest are as of {as_of:%Y-%m-%d %H:%M} UTC"
            raise ForecastRefusedError(ReasonClass.STALE, reason)
        return as_of, newest[1], world

    def _is_due(self, horizon: int, as_of: datetime) -> bool:
        key = {**self._series, "horizon_bars": horizon, "as_of": as_of}
        if self.connection.execute(statement("forecast/select_forecast.sql"), key).fetchone():
            self.run.already_sealed += 1
            return False
        target_at = as_of + horizon * self._bar
        if target_at <= self.now:
            reason = f"the target {target_at:%Y-%m-%d %H:%M} UTC is not ahead of now any more"
            self._refuse(horizon, Target.LOG_RETURN, ForecastRefusedError(ReasonClass.LATE, reason))
            return False
        return True

    def _row(
        self,
        horizon: int,
        as_of: datetime,
        price: Decimal,
        world: str,
        loaded: dict[ForecastKind, ForecastRows],
    ) -> dict[str, object]:
        """The columns of one row of ml.forecast; a refused volatility part is recorded, and left out."""
        rows = loaded[ForecastKind(Target.LOG_RETURN, horizon)]
        if not len(rows) or to_datetime(rows.as_of[-1]) != as_of:
            reason = f"the features as of {as_of:%Y-%m-%d %H:%M} UTC are being rewritten"
            raise ForecastRefusedError(ReasonClass.REWRITING, reason)
        check_complete(rows)
        columns = priced(self._predict(world, rows), price)
        volatility: Prediction | None = None
        moving = loaded.get(ForecastKind(Target.VOLATILITY, horizon))
        if moving is not None:
            try:
                volatility = self._predict(world, moving)
            except ForecastRefusedError as error:
                self._refuse(horizon, Target.VOLATILITY, error)
        return {
            **self._series,
            "horizon_bars": horizon,
            "as_of": as_of,
            "target_at": as_of + horizon * self._bar,
            "made_at": self.now,
            "as_of_price": price,
            **columns,
            **volatility_columns(volatility),
        }

    def _predict(self, world: str, rows: ForecastRows) -> Prediction:
        kind = ForecastKind(rows.target, rows.horizon_bars)
        name = model_name(world, self.market.venue, self.market.symbol, self.timeframe, kind)
        version = self.registry.champion(name)
        if version is None:
            return predict_newest(rows, None, self._bar, self.now)
        try:
            champion = Champion(name, version.version, self.registry.load(version))
        except UnusableModelError as error:
            raise ForecastRefusedError(ReasonClass.UNUSABLE_MODEL, str(error)) from error
        return predict_newest(rows, champion, self._bar, self.now)

    def _refuse(self, horizon: int, target: Target, error: ForecastRefusedError) -> None:
        record_refusal(self.connection, self._series, horizon, target, error, self.now)
        self.run.refused.append(Refusal(self.market.key, horizon, target, error.reason_class, str(error)))
