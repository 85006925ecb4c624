"""Rows of a recorded world's market, without a warehouse: what figures about the past are computed from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from include.candles.timeframes import SECONDS, step
from include.features.compute import CANDLE_COLUMNS, feature_columns
from include.features.fear_greed import DAY_SECONDS
from include.forecasting.dataset import assemble
from include.forecasting.inputs import FEATURES_USED
from include.forecasting.rows import ForecastRows
from include.forecasting.targets import ForecastKind
from include.replay import bars as b
from include.replay.recorded import RecordedWorld

TIMEFRAME = "1h"
_PLACES = {"high": b.HIGH, "low": b.LOW, "close": b.CLOSE, "base_volume": b.BASE, "taker_buy_base_volume": b.TAKER_BASE}


def recorded_rows(folder: Path, venue_symbol: str, kind: ForecastKind) -> ForecastRows:
    """All rows of a recorded Binance market, e.g. `BTCUSDT`, with features of its whole history.

    Fear & Greed counts as published when its day begins, as the recording says no more.
    Raises include.replay.errors.ReplayError where the folder holds no recorded world or not this market.
    """
    opened_at, candles, features = _series(folder, venue_symbol)
    return assemble(kind, step(TIMEFRAME), opened_at, candles["close"], candles["base_volume"], opened_at, features)


@lru_cache(maxsize=4)
def _series(
    folder: Path, venue_symbol: str
) -> tuple[npt.NDArray[np.datetime64], dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
    world = RecordedWorld(folder)
    bars = world.closed(venue_symbol, TIMEFRAME, 0, 2**62, 2**31, newest=False)
    opened_ms = bars[:, b.OPEN_TIME]
    candles = {name: bars[:, place] / b.UNIT for name, place in _PLACES.items()}
    candles["bar"] = (opened_ms // (1000 * SECONDS[TIMEFRAME])).astype(np.float64)
    days = world.sentiment(2**62)
    published = np.array([day.opened_ms / 1000 for day in days])
    index = {
        "day": published // DAY_SECONDS,
        "value": np.array([float(day.value) for day in days]),
        "published_at": published,
    }
    columns = feature_columns({name: candles[name] for name in CANDLE_COLUMNS}, index, TIMEFRAME)
    opened_at = opened_ms.astype("datetime64[ms]").astype("datetime64[us]")
    return opened_at, candles, {name: columns[name] for name in FEATURES_USED}
