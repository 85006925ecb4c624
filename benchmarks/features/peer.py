"""A full recompute with plain `ta`, database to database, in and out by the ways our own features go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pandas as pd

from benchmarks.features.plain_ta import plain_features
from include.candles.timeframes import EPOCH
from include.features.compute import CANDLE_COLUMNS, INDEX_COLUMNS
from include.features.reading import read_floats
from include.features.registry import NAMES
from include.features.staging import binary_rows
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.staging import make_staging

_BAR = timedelta(hours=1)
_EVER = {"starts_at": EPOCH, "ends_at": datetime.max.replace(tzinfo=EPOCH.tzinfo)}


class Stored(NamedTuple):
    """Rows a recompute computed, and how many of them were new or differed."""

    computed: int
    written: int


def candles_of(connection: Connection, instrument_id: int) -> pd.DataFrame:
    """All hourly candles of an instrument, as compute_features takes them."""
    values = {"instrument_id": instrument_id, "timeframe": "1h", "step_seconds": _BAR.total_seconds(), **_EVER}
    return pd.DataFrame(read_floats(connection, "features/select_candles.sql", values, CANDLE_COLUMNS))


def index_of(connection: Connection) -> pd.DataFrame:
    """Fear & Greed, as compute_features takes it."""
    return pd.DataFrame(
        read_floats(connection, "features/select_fear_greed.sql", {"first_day": EPOCH.date()}, INDEX_COLUMNS)
    )


def recompute(connection: Connection, instrument_id: int, recorded_at: datetime, *, newest_only: bool) -> Stored:
    """Compute the whole series; store what is new or differs of all rows, or of the newest alone."""
    with connection.transaction():
        features = plain_features(candles_of(connection, instrument_id), index_of(connection))
        kept = features.tail(1) if newest_only else features
        return Stored(len(features), _store(connection, instrument_id, kept, recorded_at))


def _store(connection: Connection, instrument_id: int, features: pd.DataFrame, recorded_at: datetime) -> int:
    columns = ["opened_at", *NAMES]
    make_staging(connection, "feature_staging", "features.candle_feature", columns)
    with connection.cursor() as cursor, cursor.copy(statement("features/copy_in.sql", columns=columns)) as copy:
        copy.write(b"".join(binary_rows({str(name): features[name].to_numpy() for name in features}, "1h")))
    values = {
        "instrument_id": instrument_id,
        "timeframe": "1h",
        "recorded_at": recorded_at,
        "first_opened_at": EPOCH + int(features["bar"].iloc[0]) * _BAR,
        "last_opened_at": EPOCH + int(features["bar"].iloc[-1]) * _BAR,
    }
    row = connection.execute(statement("features/upsert_feature.sql", columns=NAMES), values).fetchone()
    return int(row[0]) + int(row[1]) if row else 0
