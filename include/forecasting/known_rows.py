"""Rows of a market's series as they were known at a time: later corrections and late arrivals do not touch them.

Where nothing came or changed since, they are what is stored. Otherwise candles and the sentiment index are taken as
they were known (market.candle_revision keeps what was replaced, and when) and features are computed of them again by
the function that made the stored ones, which gives the same bits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from include.candles.timeframes import EPOCH, SECONDS, step
from include.features.blocks import bar_number, block_start, lookback_bars, opening, whole_memory_bars
from include.features.compute import CANDLE_COLUMNS, INDEX_COLUMNS, feature_columns
from include.features.definition import definition_sha256
from include.features.model import FEAR_GREED_STALE_DAYS, MEAN_DAYS
from include.features.reading import read_floats
from include.forecasting.dataset import assemble, load_rows
from include.forecasting.inputs import FEATURES_USED
from include.forecasting.rows import ForecastRows
from include.forecasting.significance import FloatArray
from include.forecasting.targets import ForecastKind
from include.forecasting.volatility import LOOKBACK_BARS
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


def known_rows(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    kind: ForecastKind,
    *,
    known_at: datetime,
    since: datetime = EPOCH,
) -> ForecastRows:
    """Rows of candles that opened at or after `since`, with everything as it was known at `known_at` (UTC).

    Call it in one transaction with a snapshot (repeatable read). What was dropped after archival is not in them; see
    dropped_months.
    """
    series = {"instrument_id": instrument_id, "timeframe": timeframe}
    asked = {**series, "known_at": known_at, "definition_sha256": definition_sha256()}
    unchanged = connection.execute(statement("forecast/select_is_unchanged.sql"), asked).fetchone()
    if unchanged and unchanged[0]:
        return load_rows(connection, instrument_id, timeframe, kind, now=known_at, since=since)
    return computed_rows(connection, instrument_id, timeframe, kind, known_at=known_at, since=since)


def computed_rows(
    connection: Connection,
    instrument_id: int,
    timeframe: str,
    kind: ForecastKind,
    *,
    known_at: datetime,
    since: datetime,
) -> ForecastRows:
    """The same rows, always from candles: features are computed anew, but where their candles were dropped."""
    bar, first = step(timeframe), bar_number(since, timeframe)
    begin = max(0, min(block_start(first) - lookback_bars(timeframe), first - LOOKBACK_BARS))
    values = {
        "instrument_id": instrument_id,
        "timeframe": timeframe,
        "step_seconds": SECONDS[timeframe],
        "starts_at": opening(begin, timeframe),
        "known_at": known_at,
        # The mean over the most days looks so far back from the first candle's close.
        "first_day": (max(since, EPOCH + _MEMORY) - _MEMORY).date(),
    }
    candles = read_floats(connection, "forecast/select_known_candles.sql", values, CANDLE_COLUMNS)
    index = read_floats(connection, "forecast/select_known_fear_greed.sql", values, INDEX_COLUMNS)
    computed = feature_columns(candles, index, timeframe, first_bar=first)
    features = {name: computed[name] for name in FEATURES_USED}
    _keep_stored(connection, values, computed["bar"], features)
    # Past volatility is a function of closes from there on, whichever way rows are loaded.
    used = candles["bar"] >= first - LOOKBACK_BARS
    length = np.timedelta64(bar).astype("timedelta64[us]")
    return assemble(
        kind,
        bar,
        np.datetime64(0, "us") + candles["bar"][used].astype(np.int64) * length,
        candles["close"][used],
        candles["base_volume"][used],
        np.datetime64(0, "us") + computed["bar"].astype(np.int64) * length,
        features,
    )


_MEMORY = timedelta(days=max(MEAN_DAYS) + FEAR_GREED_STALE_DAYS + 1)


def _keep_stored(
    connection: Connection, values: dict[str, object], bars: np.ndarray, features: dict[str, FloatArray]
) -> None:
    """Put stored features where candles they need were dropped after archival: those are never computed again."""
    timeframe = str(values["timeframe"])
    extent = connection.execute(statement("features/select_extent.sql"), values).fetchone()
    if extent is None or extent[2] is None:
        return
    whole_from = bar_number(extent[2], timeframe) + whole_memory_bars(timeframe)
    query = statement("forecast/select_features.sql", features=list(FEATURES_USED))
    asked = {**values, "since": values["starts_at"], "now": opening(whole_from, timeframe)}
    for opened_at, *stored in connection.execute(query, asked):
        place = int(np.searchsorted(bars, bar_number(opened_at, timeframe)))
        if place < len(bars) and bars[place] == bar_number(opened_at, timeframe):
            for name, value in zip(FEATURES_USED, stored, strict=True):
                features[name][place] = np.nan if value is None else value


def dropped_months(connection: Connection, instrument_id: int, timeframe: str, *, known_at: datetime) -> list[str]:
    """Months (`2024-05`) whose candles were in the table at `known_at` and now are in the archive alone."""
    values = {"instrument_id": instrument_id, "timeframe": timeframe, "known_at": known_at}
    return [row[0] for row in connection.execute(statement("forecast/select_dropped_months.sql"), values)]
