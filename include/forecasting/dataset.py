"""Rows of a market's series out of the warehouse, or out of candles that are already in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from include.candles.timeframes import EPOCH, step
from include.forecasting.inputs import FEATURES_USED, model_inputs
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind, Target
from include.forecasting.times import to_array
from include.forecasting.volatility import LOOKBACK_BARS, future_volatility, past_volatility
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def load_rows(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    kind: ForecastKind,
    *,
    now: datetime,
    since: datetime = EPOCH,
) -> ForecastRows:
    """Rows of candles that opened at or after `since` and had closed by `now`; outcomes that were known by `now`."""
    return load_kinds(connection, instrument_id, timeframe, (kind,), now=now, since=since)[kind]


def load_kinds(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    kinds: Iterable[ForecastKind],
    *,
    now: datetime,
    since: datetime = EPOCH,
) -> dict[ForecastKind, ForecastRows]:
    """The same rows for several kinds of forecast, read once."""
    # Two plain range scans joined here: right after a bulk load the server has no statistics, and its planner then
    # joins tens of thousands of rows in nested loops.
    of_series = {"instrument_id": instrument_id, "timeframe": timeframe, "now": now}
    reach = LOOKBACK_BARS * step(timeframe)
    earliest = since - reach if since - EPOCH > reach else EPOCH
    with connection.cursor(binary=True) as cursor:  # floats as they are, not as text
        closes = cursor.execute(statement("forecast/select_closes.sql"), {**of_series, "since": earliest}).fetchall()
        featured = cursor.execute(
            statement("forecast/select_features.sql", features=list(FEATURES_USED)), {**of_series, "since": since}
        ).fetchall()
    prices = np.array([row[1:] for row in closes], dtype=np.float64).reshape(len(closes), 2)
    values = np.array([row[1:] for row in featured], dtype=np.float64).reshape(len(featured), len(FEATURES_USED))
    return assemble_kinds(
        kinds,
        step(timeframe),
        to_array(row[0] for row in closes),
        prices[:, 0],
        prices[:, 1],
        to_array(row[0] for row in featured),
        dict(zip(FEATURES_USED, values.T, strict=True)),
    )


def assemble(
    kind: ForecastKind,
    bar: timedelta,
    opened_at: npt.NDArray[np.datetime64],
    close: FloatArray,
    base_volume: FloatArray,
    featured_at: npt.NDArray[np.datetime64],
    features: Mapping[str, FloatArray],
) -> ForecastRows:
    """Rows of the candles that have features.

    opened_at: open times of the candles (UTC, rising), with close and base_volume; they may begin before the rows.
    featured_at: open times of the rows of features (UTC, rising), with the columns FEATURES_USED.
    """
    return assemble_kinds((kind,), bar, opened_at, close, base_volume, featured_at, features)[kind]


def assemble_kinds(
    kinds: Iterable[ForecastKind],
    bar: timedelta,
    opened_at: npt.NDArray[np.datetime64],
    close: FloatArray,
    base_volume: FloatArray,
    featured_at: npt.NDArray[np.datetime64],
    features: Mapping[str, FloatArray],
) -> dict[ForecastKind, ForecastRows]:
    """As assemble, for several kinds of forecast, which share all but their outcomes."""
    import pandas as pd

    length = np.timedelta64(bar)
    bars = (opened_at - np.datetime64(0, "us")) // length
    place = np.searchsorted(opened_at, featured_at)
    known = place < len(opened_at)
    known[known] = opened_at[place[known]] == featured_at[known]
    place = place[known]
    columns = {name: features[name][known] for name in FEATURES_USED}
    inputs = model_inputs(pd.DataFrame({**columns, "close": close[place], "base_volume": base_volume[place]}))
    volatility = past_volatility(bars, close).iloc[place].reset_index(drop=True)
    as_of = np.asarray(opened_at[place] + length, dtype="datetime64[us]")
    return {
        kind: ForecastRows(
            kind.target, kind.horizon_bars, as_of, inputs, volatility, _outcome(kind, bars, close)[place]
        )
        for kind in kinds
    }


def _outcome(kind: ForecastKind, bars: npt.NDArray[np.int64], close: FloatArray) -> FloatArray:
    """The target after each candle; NaN where it is not known."""
    import pandas as pd

    if kind.target is Target.VOLATILITY:
        return future_volatility(bars, close, kind.horizon_bars)
    ahead = pd.Series(close, index=bars).reindex(bars + kind.horizon_bars).to_numpy(np.float64)
    return np.log(ahead / close)
